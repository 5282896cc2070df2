#include "net/event_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "net/event_loop_impl.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;

struct SignalWatch {
  SignalWatch(asio::io_context& context, int number, EventLoop::Job job)
      : set(context, number), callback(std::move(job)) {}
  asio::signal_set set;
  EventLoop::Job callback;
};

void wait_for_signal(std::unique_ptr<SignalWatch> watch) {
  SignalWatch& borrowed = *watch;
  borrowed.set.async_wait(
      [owned = std::move(watch)](const boost::system::error_code& error, int) mutable {
        if (error) return;
        owned->callback();
        wait_for_signal(std::move(owned));
      });
}

}  // namespace

EventLoop::EventLoop() : implementation_(std::make_unique<Implementation>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  implementation_->context.restart();
  const auto guard = asio::make_work_guard(implementation_->context);
  implementation_->context.run();
}

void EventLoop::stop() { implementation_->context.stop(); }

void EventLoop::post(Job job) { asio::post(implementation_->context, std::move(job)); }

void EventLoop::on_signal(int number, Job callback) {
  wait_for_signal(
      std::make_unique<SignalWatch>(implementation_->context, number, std::move(callback)));
}

struct Timer::Implementation {
  explicit Implementation(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
  // Counts starts and cancels: a wait that had already expired when it was replaced does not run.
  std::uint64_t generation = 0;
};

Timer::Timer(EventLoop& loop)
    : implementation_(std::make_shared<Implementation>(loop.implementation().context)) {}

Timer::~Timer() { cancel(); }

void Timer::cancel() {
  ++implementation_->generation;
  implementation_->timer.cancel();
}

void Timer::start(base::Instant when, EventLoop::Job job) {
  cancel();
  if (when == base::kNever) return;
  // base::Instant counts on the same clock.
  implementation_->timer.expires_at(std::chrono::steady_clock::time_point(when.time_since_epoch()));
  implementation_->timer.async_wait(
      [state = implementation_, generation = implementation_->generation,
       pending = std::move(job)](const boost::system::error_code& error) mutable {
        if (!error && generation == state->generation) pending();
      });
}

}  // namespace alcove::net
