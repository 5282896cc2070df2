#pragma once
// Messages of the WebSocket: padded, so that their sizes say little. Any thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "alcove/v1/events.pb.h"
#include "base/bytes.h"

namespace alcove::control {

inline constexpr std::size_t kMessageStep = 256;
// Of messages with `keys`: a beat to every listener every few seconds should be small.
inline constexpr std::size_t kKeysStep = 64;

// The message with field `padding` so that its size is a multiple of 256 bytes, or of 64 with
// `keys`. message has none.
base::Buffer frame_message(const v1::ServerMessage& message);

// Events as they stand inside an EventBatch: encoded once for all receivers that see the same.
std::string encode_events(std::span<const v1::RoomEvent> events);

// An entry of the room's log as it stands inside a LogDelivery. object: a SignedObject; box: empty
// for none.
std::string encode_entry(std::string_view object, std::string_view box);
// A padded ServerMessage with a LogDelivery of encoded entries.
base::Buffer frame_delivery(std::string_view entries);

// Bytes that the messages to many sockets end with; never written to again.
using SharedBytes = std::shared_ptr<const base::Buffer>;
inline SharedBytes share(base::Buffer bytes) {
  return std::make_shared<const base::Buffer>(std::move(bytes));
}
// The beginning of a padded ServerMessage with an EventBatch whose end are encoded events of this
// size. The padding comes first: fields may stand in any order.
base::Buffer frame_batch_begin(std::uint64_t revision, std::size_t events_size);

// A padded ServerMessage with an EventBatch of encoded events, first shared, then personal ones.
base::Buffer frame_batch(std::uint64_t revision, std::string_view shared,
                         std::string_view personal);

}  // namespace alcove::control
