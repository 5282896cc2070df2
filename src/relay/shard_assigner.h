#pragma once
// Which shard the control plane's commands go to. On the control thread, beside the shards' queues.

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include "alcove/v1/relay.pb.h"
#include "base/ids.h"

namespace alcove::relay {

class ShardAssigner {
 public:
  // count is 1 to kMaxShards.
  explicit ShardAssigner(unsigned count);

  // The shard for a command; nullopt means all of them. Opening an endpoint assigns it to the shard
  // that has the fewest; closing releases it. A command for an endpoint that is not known goes to
  // shard 0, which answers that it is gone.
  std::optional<unsigned> route(const v1::RelayCommand& command);
  // Every event of every shard, so that endpoints that were refused or went by themselves are
  // released.
  void handle_event(const v1::RelayEvent& event);

  // A shard that is overloaded gets new endpoints only when all are.
  void set_overloaded(unsigned shard, bool overloaded) { overloaded_[shard] = overloaded; }

  // Endpoints of a shard, those not yet answered included.
  std::size_t load(unsigned shard) const { return load_[shard]; }
  std::size_t size() const { return assignments_.size(); }

 private:
  struct Assignment {
    unsigned shard = 0;
    bool opened = false;
    base::RelayRoomId room;
  };
  unsigned assign(const v1::OpenEndpoint& open);
  unsigned find(std::string_view join_id) const;
  void release(std::string_view join_id);

  std::unordered_map<base::JoinId, Assignment> assignments_;
  std::vector<std::size_t> load_;
  std::vector<bool> overloaded_;
};

}  // namespace alcove::relay
