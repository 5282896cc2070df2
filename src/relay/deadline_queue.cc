#include "relay/deadline_queue.h"

namespace alcove::relay {

void DeadlineQueue::set(Timer& timer, base::Instant deadline) {
  if (timer.position_ != Timer::kNotQueued && timer.deadline_ == deadline) return;
  timer.deadline_ = deadline;
  if (deadline != base::kNever) {
    if (timer.position_ == Timer::kNotQueued) {
      heap_.push_back(&timer);
      timer.position_ = heap_.size() - 1;
    }
    sift_up(timer.position_);
    sift_down(timer.position_);
    return;
  }
  const std::size_t hole = timer.position_;
  if (hole == Timer::kNotQueued) return;
  Timer* last = heap_.back();
  heap_.pop_back();
  timer.position_ = Timer::kNotQueued;
  if (last == &timer) return;
  put(hole, last);
  sift_up(hole);
  sift_down(last->position_);
}

void DeadlineQueue::put(std::size_t position, Timer* timer) {
  heap_[position] = timer;
  timer->position_ = position;
}

void DeadlineQueue::sift_up(std::size_t position) {
  Timer* timer = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (heap_[parent]->deadline_ <= timer->deadline_) break;
    put(position, heap_[parent]);
    position = parent;
  }
  put(position, timer);
}

void DeadlineQueue::sift_down(std::size_t position) {
  Timer* timer = heap_[position];
  while (true) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
    if (timer->deadline_ <= heap_[child]->deadline_) break;
    put(position, heap_[child]);
    position = child;
  }
  put(position, timer);
}

}  // namespace alcove::relay
