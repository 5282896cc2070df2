#pragma once
// The beginning of a room (docs/protocol/room-keys.md, "Genesis") as a client makes it, and as it
// takes it from a server. Any thread.

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "roomlog/objects.h"

namespace alcove::client {

// Of a new room with a random id. packet_bucket: the server's. manifest_key_hash: of the key that
// signs the server's manifest; whoever has the link knows the server by it.
roomlog::Genesis make_room_genesis(base::RandomSource& random,
                                   const crypto::Ed25519PrivateKey& host, v1::RoomKind kind,
                                   std::uint32_t packet_bucket,
                                   const crypto::Sha256Digest& manifest_key_hash,
                                   base::WallTime wall);

// What the server says of the room of a link. fingerprint: of the link's fragment; nullopt: it is
// taken as it is. kFailedPrecondition, with a message that says what is wrong.
base::Result<roomlog::Genesis> check_genesis(const v1::SignedObject& object,
                                             const base::RoomId& room,
                                             const std::optional<roomlog::Hash>& fingerprint);

}  // namespace alcove::client
