#include "net/store_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace alcove::net {
namespace {

constexpr int kNice = 10;

}  // namespace

void set_thread_nice(int value) {
  // On Linux the value belongs to the thread whose id is given (setpriority(2), notes).
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), value);
}

class StorePool::Implementation : public std::enable_shared_from_this<Implementation> {
 public:
  Implementation(EventLoop& loop, Options options) : loop_(loop), options_(options) {}

  void start() {
    for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      queue_.clear();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  bool push(Job work, Job done) {
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_ || queue_.size() >= options_.queue_bound) return false;
      queue_.push_back({std::move(work), std::move(done)});
    }
    changed_.notify_one();
    return true;
  }

 private:
  struct Task {
    Job work;
    Job done;
  };

  void work() {
    set_thread_nice(kNice);
    for (;;) {
      Task task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        task = std::move(queue_.front());
        queue_.pop_front();
      }
      task.work();
      loop_.post([state = shared_from_this(), done = std::move(task.done)]() mutable {
        if (!state->stopping_) done();
      });
    }
  }

  EventLoop& loop_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

StorePool::StorePool(EventLoop& loop, Options options)
    : implementation_(std::make_shared<Implementation>(loop, options)) {
  implementation_->start();
}

StorePool::~StorePool() { implementation_->stop(); }

void StorePool::stop() { implementation_->stop(); }

bool StorePool::run(Job work, Job done) {
  return implementation_->push(std::move(work), std::move(done));
}

}  // namespace alcove::net
