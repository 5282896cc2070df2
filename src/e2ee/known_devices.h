#pragma once
// Which identity key each account had last time: trust on first use (docs/protocol/room-keys.md,
// "What it promises"). The caller implements it on whatever it stores things in.

#include <cstdint>
#include <string_view>

#include "crypto/ed25519.h"

namespace alcove::e2ee {

class KnownDevices {
 public:
  enum class Seen : std::uint8_t { kNew, kKnown, kChanged };
  virtual ~KnownDevices() = default;
  // Says it and remembers the identity from now on. Called once for each account and identity in a
  // room, never for guests.
  virtual Seen see(std::string_view account, const crypto::Ed25519PublicKey& identity) = 0;
};

}  // namespace alcove::e2ee
