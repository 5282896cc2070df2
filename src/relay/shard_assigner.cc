#include "relay/shard_assigner.h"

#include "base/bytes.h"
#include "base/check.h"

namespace alcove::relay {

ShardAssigner::ShardAssigner(unsigned count) : load_(count, 0), overloaded_(count, false) {
  CHECK(count > 0);
}

std::optional<unsigned> ShardAssigner::route(const v1::RelayCommand& command) {
  switch (command.command_case()) {
    case v1::RelayCommand::kOpen:
      return assign(command.open());
    case v1::RelayCommand::kClose: {
      const unsigned shard = find(command.close().join_id());
      release(command.close().join_id());
      return shard;
    }
    case v1::RelayCommand::kAllowSending:
      return find(command.allow_sending().join_id());
    case v1::RelayCommand::kAllowReceiving:
      return find(command.allow_receiving().join_id());
    case v1::RelayCommand::kRestart:
      return find(command.restart().join_id());
    case v1::RelayCommand::kCloseRoom: {
      const auto room =
          base::RelayRoomId::from_bytes(base::as_bytes(command.close_room().relay_room()));
      if (room) {
        std::erase_if(assignments_, [&](const auto& entry) {
          if (entry.second.room != *room) return false;
          --load_[entry.second.shard];
          return true;
        });
      }
      return std::nullopt;
    }
    case v1::RelayCommand::COMMAND_NOT_SET:
      break;
  }
  return 0;
}

void ShardAssigner::handle_event(const v1::RelayEvent& event) {
  if (event.has_opened()) {
    const auto id = base::JoinId::from_bytes(base::as_bytes(event.opened().join_id()));
    if (!id) return;
    const auto found = assignments_.find(*id);
    if (found != assignments_.end()) found->second.opened = true;
  } else if (event.has_refused()) {
    // A refused restart leaves the endpoint as it was; a refused opening leaves none.
    const auto id = base::JoinId::from_bytes(base::as_bytes(event.refused().join_id()));
    if (!id) return;
    const auto found = assignments_.find(*id);
    if (found != assignments_.end() && !found->second.opened) release(event.refused().join_id());
  } else if (event.has_state_changed() &&
             event.state_changed().state() == v1::EndpointStateChanged::STATE_GONE) {
    release(event.state_changed().join_id());
  }
}

unsigned ShardAssigner::assign(const v1::OpenEndpoint& open) {
  const auto id = base::JoinId::from_bytes(base::as_bytes(open.join_id()));
  const auto room = base::RelayRoomId::from_bytes(base::as_bytes(open.relay_room()));
  if (!id || !room) return 0;  // which refuses it
  const auto found = assignments_.find(*id);
  if (found != assignments_.end()) return found->second.shard;
  unsigned shard = 0;
  for (unsigned other = 1; other < load_.size(); ++other) {
    const bool is_better =
        overloaded_[other] == overloaded_[shard] ? load_[other] < load_[shard] : overloaded_[shard];
    if (is_better) shard = other;
  }
  assignments_.emplace(*id, Assignment{shard, false, *room});
  ++load_[shard];
  return shard;
}

unsigned ShardAssigner::find(std::string_view join_id) const {
  const auto id = base::JoinId::from_bytes(base::as_bytes(join_id));
  if (!id) return 0;
  const auto found = assignments_.find(*id);
  return found == assignments_.end() ? 0 : found->second.shard;
}

void ShardAssigner::release(std::string_view join_id) {
  const auto id = base::JoinId::from_bytes(base::as_bytes(join_id));
  if (!id) return;
  const auto found = assignments_.find(*id);
  if (found == assignments_.end()) return;
  --load_[found->second.shard];
  assignments_.erase(found);
}

}  // namespace alcove::relay
