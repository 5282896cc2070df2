#pragma once
// The earliest of many deadlines: a binary heap that knows where each timer stands, so that moving
// one costs O(log n) and asking O(1). One thread.

#include <cstddef>
#include <vector>

#include "base/time.h"

namespace alcove::relay {

// Derived from by what waits. It must be removed from its queue before it ends.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  base::Instant deadline() const { return deadline_; }

 private:
  friend class DeadlineQueue;
  static constexpr std::size_t kNotQueued = static_cast<std::size_t>(-1);
  base::Instant deadline_ = base::kNever;
  std::size_t position_ = kNotQueued;
};

class DeadlineQueue {
 public:
  // Queues the timer or moves it; kNever takes it out.
  void set(Timer& timer, base::Instant deadline);
  void remove(Timer& timer) { set(timer, base::kNever); }
  // Null when nothing waits.
  Timer* earliest() const { return heap_.empty() ? nullptr : heap_.front(); }
  base::Instant next_deadline() const {
    return heap_.empty() ? base::kNever : heap_.front()->deadline_;
  }
  std::size_t size() const { return heap_.size(); }

 private:
  void put(std::size_t position, Timer* timer);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<Timer*> heap_;
};

}  // namespace alcove::relay
