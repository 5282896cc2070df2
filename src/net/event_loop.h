#pragma once
// One thread's event loop: what the control thread of `alcove` and the native client run on. The
// header has no Boost in it, so that only src/net pays for compiling it.

#include <functional>
#include <memory>

#include "base/time.h"

namespace alcove::net {

class EventLoop {
 public:
  using Job = std::move_only_function<void()>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs jobs and input/output on the calling thread until stop(), also when there is nothing to
  // do. Everything that takes an EventLoop is made, used and destroyed on this thread, or while the
  // loop does not run. What is attached to the loop must be destroyed before it.
  void run();
  // Any thread. run() returns after the job that it is in.
  void stop();
  // Any thread. Runs job on the loop's thread, later, in the order of posting.
  void post(Job job);
  // Calls back on the loop each time the process gets the signal, whose default action is off from
  // then on. Before run().
  void on_signal(int number, Job callback);

  struct Implementation;
  Implementation& implementation() { return *implementation_; }

 private:
  std::unique_ptr<Implementation> implementation_;
};

// A deadline on a loop. Destroying or starting it again cancels what was pending.
class Timer {
 public:
  explicit Timer(EventLoop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Runs job on the loop at or after the instant, never from inside this call. kNever never runs
  // it.
  void start(base::Instant when, EventLoop::Job job);
  void cancel();

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
