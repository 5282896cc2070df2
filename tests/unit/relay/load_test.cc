// The parts that keep a relay from more than it can do: the meter, the queue and the budget of
// handshakes, the limits of sources.
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "relay/handshake_queue.h"
#include "relay/load_meter.h"
#include "relay/shard_assigner.h"
#include "relay/source_limits.h"

namespace alcove::relay {
namespace {

using base::microseconds;
using base::milliseconds;
using base::seconds;

constexpr base::Duration kTick = milliseconds(20);

// A speaker's packet every 20 ms: how long its batch takes, and how old it is when it is sent.
class Metered {
 public:
  void run(base::Duration time, base::Duration work, base::Duration age) {
    for (const base::Instant end = now_ + time; now_ < end; now_ += kTick)
      changes_ += meter_.add({.ended = now_ + work, .work = work, .age = age}) ? 1 : 0;
  }
  void run_silent(base::Duration time) {
    for (const base::Instant end = now_ + time; now_ < end; now_ += seconds(1))
      changes_ += meter_.add({.ended = now_, .work = {}, .age = std::nullopt}) ? 1 : 0;
  }
  const Load& load() const { return meter_.load(); }
  int changes() const { return changes_; }

 private:
  LoadMeter meter_;
  base::Instant now_{seconds(1000)};
  int changes_ = 0;
};

TEST(LoadMeterTest, SaysHowMuchOfTheTimeIsWork) {
  Metered metered;
  metered.run(seconds(10), milliseconds(5), milliseconds(5));
  EXPECT_NEAR(metered.load().busy, 250, 10);
  EXPECT_EQ(metered.load().queue_age, milliseconds(5));
  EXPECT_EQ(metered.load().longest_fan_out, milliseconds(5));
  EXPECT_FALSE(metered.load().overloaded);
  metered.run_silent(seconds(20));
  EXPECT_LT(metered.load().busy, 5U);
  EXPECT_EQ(metered.load().queue_age, base::Duration::zero());
}

TEST(LoadMeterTest, AFullThreadIsOverloadedUntilItHasRoomForAWhile) {
  Metered metered;
  metered.run(seconds(5), milliseconds(16), milliseconds(16));
  EXPECT_FALSE(metered.load().overloaded);  // 80 %
  metered.run(seconds(5), milliseconds(18), milliseconds(18));
  EXPECT_TRUE(metered.load().overloaded);  // 90 %
  metered.run(seconds(60), milliseconds(16), milliseconds(16));
  EXPECT_TRUE(metered.load().overloaded);  // less than it took, more than relieves
  metered.run(seconds(10), milliseconds(12), milliseconds(12));
  EXPECT_FALSE(metered.load().overloaded);
  EXPECT_EQ(metered.changes(), 2);
}

TEST(LoadMeterTest, AMomentOfFullLoadRefusesNobody) {
  Metered metered;
  metered.run(seconds(5), milliseconds(6), milliseconds(6));
  metered.run(milliseconds(600), milliseconds(20), milliseconds(30));
  metered.run(seconds(5), milliseconds(6), milliseconds(6));
  EXPECT_EQ(metered.changes(), 0);
}

TEST(LoadMeterTest, PacketsThatGetOldAreOverloadWhereTheThreadHasWork) {
  Metered busy;
  busy.run(seconds(10), milliseconds(9), milliseconds(45));
  EXPECT_TRUE(busy.load().overloaded);
  EXPECT_EQ(busy.load().queue_age, milliseconds(45));
  // Not by its own work: another program has the processor.
  Metered idle;
  idle.run(seconds(10), milliseconds(1), milliseconds(45));
  EXPECT_FALSE(idle.load().overloaded);
}

TEST(LoadMeterTest, TheOldestPercentCounts) {
  Metered metered;
  for (int i = 0; i < 40; ++i) {
    metered.run(49 * kTick, milliseconds(8), milliseconds(8));
    metered.run(kTick, milliseconds(8), milliseconds(60));
  }
  EXPECT_EQ(metered.load().queue_age, milliseconds(60));  // two in a hundred
  for (int i = 0; i < 40; ++i) {
    metered.run(249 * kTick, milliseconds(8), milliseconds(8));
    metered.run(kTick, milliseconds(8), milliseconds(60));
  }
  EXPECT_EQ(metered.load().queue_age, milliseconds(8));  // four in a thousand
}

class HandshakeQueueTest : public ::testing::Test {
 protected:
  static base::IpAddress source(unsigned number) {
    return base::IpAddress::v4(
        {198, 18, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
  }
  bool push(const base::JoinId& endpoint, unsigned from, std::string_view text = "flight") {
    return queue_.push(endpoint, source(from), base::as_bytes(text));
  }
  base::JoinId endpoint() { return base::JoinId::make(random_); }

  base::SeededRandom random_{5};
  HandshakeQueue queue_;
};

TEST_F(HandshakeQueueTest, IsFirstInFirstOutAndKeepsAFlightTogether) {
  const base::JoinId first = endpoint();
  const base::JoinId second = endpoint();
  EXPECT_TRUE(push(first, 1, "one"));
  EXPECT_TRUE(push(second, 1, "other"));
  EXPECT_TRUE(push(first, 1, "two"));
  const auto flight = queue_.pop();
  ASSERT_TRUE(flight);
  EXPECT_EQ(flight->endpoint, first);
  ASSERT_EQ(flight->datagrams.size(), 2U);
  EXPECT_EQ(base::as_text(flight->datagrams[1]), "two");
  EXPECT_EQ(queue_.pop()->endpoint, second);
  EXPECT_FALSE(queue_.pop());
  EXPECT_TRUE(queue_.empty());
}

TEST_F(HandshakeQueueTest, SourcesTakeTurns) {
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(push(endpoint(), 1));
  const base::JoinId other = endpoint();
  ASSERT_TRUE(push(other, 2));
  EXPECT_NE(queue_.pop()->endpoint, other);
  EXPECT_EQ(queue_.pop()->endpoint, other);
  EXPECT_EQ(queue_.size(), 399U);
}

TEST_F(HandshakeQueueTest, EveryBoundHolds) {
  const base::JoinId first = endpoint();
  for (std::size_t i = 0; i < kMaxFlightDatagrams; ++i) EXPECT_TRUE(push(first, 0));
  EXPECT_FALSE(push(first, 0));
  for (std::size_t i = 1; i < kMaxQueuedFlightsOfSource; ++i) EXPECT_TRUE(push(endpoint(), 0));
  EXPECT_FALSE(push(endpoint(), 0));
  for (unsigned i = 0; queue_.size() < kMaxQueuedFlights; ++i)
    EXPECT_TRUE(push(endpoint(), 1 + i % 100));
  EXPECT_FALSE(push(endpoint(), 200));
  std::size_t count = 0;
  while (queue_.pop()) ++count;
  EXPECT_EQ(count, kMaxQueuedFlights);
  EXPECT_TRUE(push(endpoint(), 200));
}

TEST_F(HandshakeQueueTest, WhoIsGoneLosesItsPlace) {
  const base::JoinId first = endpoint();
  const base::JoinId second = endpoint();
  push(first, 1);
  push(second, 2);
  queue_.remove(first);
  queue_.remove(first);
  EXPECT_EQ(queue_.pop()->endpoint, second);
  EXPECT_FALSE(queue_.pop());
  EXPECT_TRUE(push(first, 1));
  EXPECT_EQ(queue_.pop()->endpoint, first);
}

// How many flights a second, taken one by one as early as the budget allows.
int flights_in_a_second(HandshakeBudget& budget, bool with_media,
                        base::Instant now = base::Instant(seconds(100))) {
  int flights = 0;
  const base::Instant end = now + seconds(1);
  while (now < end) {
    if (with_media) budget.note_media(now);
    const base::Instant turn = budget.next_turn(now);
    EXPECT_GE(turn, now);
    now = turn;
    if (now >= end) break;
    budget.spend(now);
    ++flights;
    now += budget.cost();
  }
  return flights;
}

TEST(HandshakeBudgetTest, LeavesMostOfTheTimeToMediaAndAdmitsAFlashCrowd) {
  HandshakeBudget budget;
  const int beside_media = flights_in_a_second(budget, true);
  EXPECT_LE(beside_media * budget.cost(), milliseconds(400));
  EXPECT_GE(beside_media, 600);  // 300 joins, two flights each
  HandshakeBudget alone;
  const int without = flights_in_a_second(alone, false);
  EXPECT_GT(without, 2 * beside_media);
  EXPECT_LE(without * alone.cost(), milliseconds(900));
}

TEST(HandshakeBudgetTest, LearnsWhatAFlightCosts) {
  HandshakeBudget budget;
  for (int i = 0; i < 200; ++i) budget.measure(2, milliseconds(2));
  EXPECT_NEAR(static_cast<double>(budget.cost().count()), 1000, 50);
  EXPECT_LE(flights_in_a_second(budget, true), 400);
  for (int i = 0; i < 200; ++i) budget.measure(1, seconds(3));  // the machine slept
  EXPECT_LE(budget.cost(), milliseconds(4));
  EXPECT_GE(flights_in_a_second(budget, true, base::Instant(seconds(200))),
            90);  // whatever it costs, there is a way in
  for (int i = 0; i < 200; ++i) budget.measure(1, microseconds(0));
  EXPECT_GE(budget.cost(), microseconds(50));
}

TEST(SourceLimitsTest, LimitsASourceAndForgetsTheOldest) {
  SourceLimits limits(10, 5, 100);
  const auto v4 = [](unsigned number) {
    return base::IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number)});
  };
  base::Instant now(seconds(100));
  EXPECT_FALSE(limits.is_exhausted(now, v4(1)));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limits.take(now, v4(1)));
  EXPECT_FALSE(limits.take(now, v4(1)));
  EXPECT_TRUE(limits.is_exhausted(now, v4(1)));
  EXPECT_FALSE(limits.is_exhausted(now, v4(2)));
  now += milliseconds(100);
  EXPECT_FALSE(limits.is_exhausted(now, v4(1)));
  for (unsigned i = 2; i < 252; ++i) limits.take(now, v4(i));
  EXPECT_EQ(limits.size(), 100U);
}

TEST(SourceLimitsTest, AnIpv6HostIsOneSource) {
  SourceLimits limits(10, 2, 100);
  const base::Instant now(seconds(100));
  const auto v6 = [](const char* text) { return base::IpAddress::parse(text).value(); };
  limits.take(now, v6("2001:db8::1"));
  limits.take(now, v6("2001:db8::ffff:2"));
  EXPECT_TRUE(limits.is_exhausted(now, v6("2001:db8:0:0:1::3")));
  EXPECT_FALSE(limits.is_exhausted(now, v6("2001:db8:0:1::1")));
}

TEST(ShardChoiceTest, OverloadedShardsComeLast) {
  base::SeededRandom random(9);
  const base::RelayRoomId room = base::RelayRoomId::make(random);
  ShardAssigner assigner(3);
  const auto open = [&] {
    v1::RelayCommand command;
    command.mutable_open()->set_join_id(
        std::string(base::as_text(base::JoinId::make(random).bytes())));
    command.mutable_open()->set_relay_room(std::string(base::as_text(room.bytes())));
    return assigner.route(command).value();
  };
  for (int i = 0; i < 300; ++i) open();
  for (unsigned shard = 0; shard < 3; ++shard) EXPECT_EQ(assigner.load(shard), 100U);
  assigner.set_overloaded(0, true);
  for (int i = 0; i < 20; ++i) EXPECT_NE(open(), 0U);
  EXPECT_EQ(assigner.load(1), 110U);
  assigner.set_overloaded(1, true);
  assigner.set_overloaded(2, true);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(open(), 0U);
  assigner.set_overloaded(0, false);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(open(), 0U);
}

}  // namespace
}  // namespace alcove::relay
