#pragma once
// What one shard tells another. Values that own what they carry, so that the caller can move them
// through a queue between two threads. A program with one shard never makes one.

#include <array>
#include <cstdint>
#include <memory>
#include <variant>

#include "base/address.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "relay/slot_mapper.h"

namespace alcove::relay {

// A datagram that came in at the socket of another shard than the one that owns its endpoint.
struct ForwardedDatagram {
  unsigned from = 0;  // the shard whose socket it came in at
  base::Instant received;
  base::Path path;
  base::Buffer datagram;
};

// From the owner of an endpoint to the shard at whose socket a path of it comes in, once the owner
// has validated the path by an authenticated STUN check.
struct RoutePath {
  base::Path path;
  unsigned owner = 0;
};
struct UnroutePath {
  base::Path path;
  unsigned owner = 0;
};

// To the owner: a TCP connection that carried a path of it has been closed.
struct RoutedConnectionClosed {
  std::uint64_t connection = 0;
};

// To the home shard of a room: `shard` has endpoints of the room from now on, or no longer.
struct RoomPresence {
  base::RelayRoomId room;
  unsigned shard = 0;
  bool present = false;
};

// To the home shard: one packet of a speaker, authenticated and decrypted by the speaker's shard.
struct SpeakerPacket {
  base::RelayRoomId room;
  SpeakerFrame frame;
  std::shared_ptr<const base::Buffer> payload;  // never null
};

// To the home shard: the speaker may not send any more, or is gone; its slot is free at once.
struct SpeakerStopped {
  base::RelayRoomId room;
  base::JoinId speaker;
};

// From the home shard to each other shard with endpoints of the room: send this to all of them but
// the speaker. One payload for all shards, never written to again.
struct SlotPacket {
  base::RelayRoomId room;
  base::JoinId speaker;
  Placement placement;
  base::Instant received;                       // by the speaker's shard
  std::shared_ptr<const base::Buffer> payload;  // never null
};

// How many listeners reported which loss; loss.h says which.
using LossHistogram = std::array<std::uint32_t, 32>;

// To the home shard: what the room's listeners on one shard have reported since the last message.
struct ListenerLoss {
  base::RelayRoomId room;
  base::Instant at;
  LossHistogram count{};
};

// From the home shard: the 90th percentile of what the room's listeners lose, in 1/256.
struct RoomLoss {
  base::RelayRoomId room;
  base::Instant at;
  std::uint8_t fraction = 0;
};

using ShardMessage =
    std::variant<ForwardedDatagram, RoutePath, UnroutePath, RoutedConnectionClosed, RoomPresence,
                 SpeakerPacket, SpeakerStopped, SlotPacket, ListenerLoss, RoomLoss>;

struct AddressedShardMessage {
  unsigned target = 0;
  ShardMessage message;
};

}  // namespace alcove::relay
