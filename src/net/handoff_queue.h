#pragma once
// A bounded queue from any number of threads to one. Whole batches go in and out under a lock held
// for a few moves or a swap; what does not fit is dropped and counted. Any thread.

#include <atomic>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <vector>

namespace alcove::net {

template <typename T>
class HandoffQueue {
 public:
  explicit HandoffQueue(std::size_t bound) : bound_(bound) {}

  // Moves the batch in and leaves it empty, its capacity kept. Returns how many did not fit.
  std::size_t push(std::vector<T>& batch) {
    const std::scoped_lock lock(mutex_);
    const std::size_t room = bound_ - items_.size();
    const std::size_t taken = batch.size() < room ? batch.size() : room;
    const auto end = batch.begin() + static_cast<std::ptrdiff_t>(taken);
    items_.insert(items_.end(), std::make_move_iterator(batch.begin()),
                  std::make_move_iterator(end));
    const std::size_t left = batch.size() - taken;
    batch.clear();
    dropped_.fetch_add(left, std::memory_order_relaxed);
    return left;
  }
  // False when it did not fit.
  bool push_one(T item) {
    const std::scoped_lock lock(mutex_);
    if (items_.size() >= bound_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    items_.push_back(std::move(item));
    return true;
  }
  // Swaps everything into out, which is empty.
  void take(std::vector<T>& out) {
    const std::scoped_lock lock(mutex_);
    items_.swap(out);
  }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  const std::size_t bound_;
  std::mutex mutex_;
  std::vector<T> items_;
  std::atomic<std::uint64_t> dropped_ = 0;
};

}  // namespace alcove::net
