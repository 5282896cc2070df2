// What concerns other shards: datagrams at the wrong socket, and rooms that span shards.

#include <utility>
#include <variant>

#include "relay/shard_implementation.h"

namespace alcove::relay {
namespace {

constexpr base::Duration kLossPublishInterval = base::seconds(1);

}  // namespace

void Shard::Implementation::handle_shard_message(Turn turn, ShardMessage&& message) {
  batch_.only_handshakes = false;
  std::visit([&](auto&& content) { take(turn, std::forward<decltype(content)>(content)); },
             std::move(message));
}

void Shard::Implementation::handle_connection_closed(Turn turn, std::uint64_t connection) {
  take(turn, RoutedConnectionClosed{connection});
  const auto routed = routed_connections_.find(connection);
  if (routed == routed_connections_.end()) return;
  const base::Path path = routed->second;
  const unsigned owner = routes_.at(path);
  unroute(path);
  tell(turn, owner, RoutedConnectionClosed{connection});
}

void Shard::Implementation::take(Turn turn, ForwardedDatagram&& message) {
  if (message.from >= options_.count || message.from == options_.index) return;
  handle_datagram(turn, message.path, message.datagram, message.from);
}

void Shard::Implementation::take(Turn, const RoutePath& message) {
  if (message.owner >= options_.count || message.owner == options_.index) return;
  const auto found = routes_.find(message.path);
  if (found == routes_.end() && routes_.size() >= options_.max_routed_paths)
    return counters_.drop(DropReason::kTooManyRoutes);
  routes_.insert_or_assign(message.path, message.owner);
  if (message.path.protocol == base::TransportProtocol::kTcp)
    routed_connections_.insert_or_assign(message.path.connection, message.path);
}

void Shard::Implementation::take(Turn, const UnroutePath& message) {
  const auto found = routes_.find(message.path);
  if (found != routes_.end() && found->second == message.owner) unroute(message.path);
}

void Shard::Implementation::unroute(const base::Path& path) {
  routes_.erase(path);
  if (path.protocol == base::TransportProtocol::kTcp) routed_connections_.erase(path.connection);
}

void Shard::Implementation::take(Turn turn, const RoutedConnectionClosed& message) {
  const auto found = connections_.find(message.connection);
  if (found == connections_.end()) return;
  const base::Path path = found->second;
  end_path(turn, path);
}

void Shard::Implementation::take(Turn turn, const RoomPresence& message) {
  if (message.shard >= options_.count) return;
  const auto found = home_rooms_.find(message.room);
  if (!message.present && found == home_rooms_.end()) return;
  HomeRoom& home = home_rooms_.try_emplace(message.room, options_.slots, turn.now).first->second;
  home.set_present(message.shard, message.present);
  if (home.shards == 0) home_rooms_.erase(message.room);
}

void Shard::Implementation::take(Turn turn, SpeakerPacket&& message) {
  const base::Bytes payload(*message.payload);
  place_frame(turn, message.room, message.frame, payload, std::move(message.payload));
}

void Shard::Implementation::take(Turn, const SpeakerStopped& message) {
  const auto found = home_rooms_.find(message.room);
  if (found != home_rooms_.end()) found->second.mapper.release(message.speaker);
}

void Shard::Implementation::take(Turn turn, const SlotPacket& message) {
  if (message.placement.slot >= options_.slots) return;
  LocalRoom* room = find_room(message.room);
  if (room == nullptr) {
    counters_.drop(DropReason::kUnknownRoom);
    return tell(turn, home_of(message.room), RoomPresence{message.room, options_.index, false});
  }
  send_to_listeners(turn, *room, message.speaker, message.placement, message.received,
                    *message.payload);
}

void Shard::Implementation::take(Turn turn, const ListenerLoss& message) {
  const auto found = home_rooms_.find(message.room);
  if (found == home_rooms_.end()) return;
  HomeRoom& home = found->second;
  home.loss.add(message.at, message.count);
  if (turn.now - home.loss_published < kLossPublishInterval) return;
  home.loss_published = turn.now;
  const RoomLoss loss{message.room, turn.now, home.loss.percentile_90()};
  const std::uint64_t shards = home.shards;
  for (unsigned shard = 0; shard < options_.count; ++shard) {
    if ((shards >> shard & 1) != 0) tell(turn, shard, loss);
  }
}

void Shard::Implementation::take(Turn, const RoomLoss& message) {
  if (LocalRoom* room = find_room(message.room)) room->set_room_loss(message.at, message.fraction);
}

}  // namespace alcove::relay
