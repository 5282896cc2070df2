#pragma once
// The key schedule of a room (docs/protocol/room-keys.md, "Epochs"): pure functions. Any thread.

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "e2ee/sframe.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

// The secret of an epoch, its chain, or what a fresh advance seals: 32 bytes each, never on the
// wire in clear.
using Secret = std::array<std::uint8_t, 32>;
inline constexpr Secret kNoSecret{};  // the chain before a resume, and a ratchet's input

// body_hash: h, of the entry with the advance. fresh: kNoSecret for a ratchet.
Secret derive_epoch(const Secret& chain, const Secret& fresh, const roomlog::Hash& body_hash);
Secret chain_of(const Secret& epoch);
Secret application_secret_of(const Secret& epoch);
roomlog::Hash confirm_of(const Secret& epoch, const roomlog::Hash& body_hash);
bool confirms(const Secret& epoch, const roomlog::Entry& advance);
SFrameBaseKey frame_key_of(const Secret& epoch, std::uint8_t seat, const roomlog::Hash& leaf);

}  // namespace alcove::e2ee
