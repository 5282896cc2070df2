#include "control/timers.h"

namespace alcove::control {

Timers::Id Timers::schedule(base::Instant at, Action action) {
  const Id id = next_id_++;
  queue_.emplace(std::pair(at, id), std::move(action));
  by_id_.emplace(id, at);
  return id;
}

void Timers::cancel(Id& id) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    queue_.erase({found->second, id});
    by_id_.erase(found);
  }
  id = 0;
}

void Timers::run(base::Instant now) {
  while (!queue_.empty() && queue_.begin()->first.first <= now) {
    const auto entry = queue_.extract(queue_.begin());
    by_id_.erase(entry.key().second);
    Action action = std::move(entry.mapped());
    action();
  }
}

base::Instant Timers::next_deadline() const {
  return queue_.empty() ? base::kNever : queue_.begin()->first.first;
}

}  // namespace alcove::control
