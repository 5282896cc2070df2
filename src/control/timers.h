#pragma once
// Deadlines and what to do at them, on the caller's clock. One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/time.h"

namespace alcove::control {

class Timers {
 public:
  // 0 names no timer.
  using Id = std::uint64_t;
  using Action = std::move_only_function<void()>;

  Id schedule(base::Instant at, Action action);
  // No-op for a timer that has run, and for 0. Sets id to 0.
  void cancel(Id& id);
  // Runs what is due, in order, including what these actions schedule for now.
  void run(base::Instant now);
  // kNever when there is none.
  base::Instant next_deadline() const;

 private:
  std::map<std::pair<base::Instant, Id>, Action> queue_;
  std::map<Id, base::Instant> by_id_;
  Id next_id_ = 1;
};

}  // namespace alcove::control
