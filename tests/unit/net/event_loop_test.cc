#include "net/event_loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "net/clock.h"
#include "net/handoff_queue.h"
#include "net/log_sink.h"
#include "net/store_pool.h"

namespace alcove::net {
namespace {

TEST(EventLoop, RunsJobsInOrderAndStops) {
  EventLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    loop.post([&] { order.push_back(1); });
    loop.post([&] { order.push_back(2); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(EventLoop, TimersFireOnceAndCanBeMoved) {
  EventLoop loop;
  Timer timer(loop);
  Timer other(loop);
  int fired = 0;
  timer.start(monotonic_now(), [&] { fired = 1; });
  timer.start(monotonic_now() + base::milliseconds(5), [&] {
    fired += 10;
    loop.stop();
  });
  other.start(monotonic_now(), [&] { fired = 1000; });
  other.cancel();
  loop.run();
  EXPECT_EQ(fired, 10);
  timer.start(base::kNever, [&] { fired = 1000; });
}

TEST(EventLoop, HearsASignalEachTime) {
  EventLoop loop;
  int heard = 0;
  loop.on_signal(SIGUSR1, [&] {
    if (++heard == 2) return loop.stop();
    raise(SIGUSR1);
  });
  loop.post([] { raise(SIGUSR1); });
  loop.run();
  EXPECT_EQ(heard, 2);
}

TEST(StorePool, WorksElsewhereAndIsDoneHere) {
  EventLoop loop;
  StorePool pool(loop, {});
  const auto here = std::this_thread::get_id();
  std::thread::id worked;
  std::thread::id done;
  ASSERT_TRUE(pool.run([&] { worked = std::this_thread::get_id(); },
                       [&] {
                         done = std::this_thread::get_id();
                         loop.stop();
                       }));
  loop.run();
  EXPECT_NE(worked, here);
  EXPECT_EQ(done, here);
}

TEST(StorePool, RefusesWhenItIsFull) {
  EventLoop loop;
  StorePool pool(loop, {.threads = 1, .queue_bound = 2});
  std::atomic<bool> started = false;
  std::atomic<bool> go = false;
  int done = 0;
  const auto finished = [&] {
    if (++done == 3) loop.stop();
  };
  ASSERT_TRUE(pool.run(
      [&] {
        started = true;
        started.notify_all();
        go.wait(false);
      },
      finished));
  started.wait(false);
  EXPECT_TRUE(pool.run([] {}, finished));
  EXPECT_TRUE(pool.run([] {}, finished));
  EXPECT_FALSE(pool.run([] {}, finished));
  go = true;
  go.notify_all();
  loop.run();
  EXPECT_EQ(done, 3);
}

TEST(HandoffQueue, DropsAndCountsOverTheBound) {
  HandoffQueue<int> queue(3);
  std::vector<int> batch = {1, 2};
  EXPECT_EQ(queue.push(batch), 0U);
  EXPECT_TRUE(batch.empty());
  batch = {3, 4};
  EXPECT_EQ(queue.push(batch), 1U);
  EXPECT_FALSE(queue.push_one(5));
  std::vector<int> out;
  queue.take(out);
  EXPECT_EQ(out, (std::vector{1, 2, 3}));
  EXPECT_EQ(queue.dropped(), 2U);
}

TEST(LogWriter, WritesLinesWithTheTime) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  {
    const LogWriter writer(base::LogLevel::kInfo, ends[1]);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([i] { base::log(base::LogLevel::kInfo, "test.line", {{"number", i}}); });
    for (std::thread& thread : threads) thread.join();
    base::log(base::LogLevel::kDebug, "test.hidden");
  }
  close(ends[1]);
  std::array<char, 4096> buffer{};
  const ssize_t size = read(ends[0], buffer.data(), buffer.size());
  close(ends[0]);
  const std::string text(buffer.data(), static_cast<std::size_t>(size));
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  EXPECT_THAT(text,
              testing::ContainsRegex(
                  "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z info test.line number=3\n"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("hidden")));
}

}  // namespace
}  // namespace alcove::net
