#include "client/genesis.h"

#include <utility>

namespace alcove::client {

using base::ErrorCode;
using base::Result;

roomlog::Genesis make_room_genesis(base::RandomSource& random,
                                   const crypto::Ed25519PrivateKey& host, v1::RoomKind kind,
                                   std::uint32_t packet_bucket,
                                   const crypto::Sha256Digest& manifest_key_hash,
                                   base::WallTime wall) {
  v1::Genesis body;
  body.set_version(1);
  const base::RoomId room = base::RoomId::make(random);
  body.set_room_id(room.bytes().data(), room.bytes().size());
  body.set_host(host.public_key().data(), host.public_key().size());
  body.set_kind(kind);
  body.set_packet_bucket(packet_bucket);
  body.set_manifest_key_hash(manifest_key_hash.data(), manifest_key_hash.size());
  body.set_created_at_ms(wall.time_since_epoch().count());
  return roomlog::make_genesis(std::move(body),
                               [&](base::Bytes message) { return host.sign(message); });
}

Result<roomlog::Genesis> check_genesis(const v1::SignedObject& object, const base::RoomId& room,
                                       const std::optional<roomlog::Hash>& fingerprint) {
  auto genesis = roomlog::parse_genesis(object);
  if (!genesis)
    return base::fail(ErrorCode::kFailedPrecondition,
                      "What the server shows as the room's beginning is not signed by its host.");
  const bool is_of_room = base::RoomId::from_bytes(base::as_bytes(genesis->body.room_id())) == room;
  if (!is_of_room || (fingerprint && *fingerprint != genesis->fingerprint))
    return base::fail(ErrorCode::kFailedPrecondition,
                      "The room that the server shows is not the one of the link. Copy the whole "
                      "link again, from the # on as well; if it stays so, somebody shows another "
                      "room in its place: do not enter.");
  return std::move(*genesis);
}

}  // namespace alcove::client
