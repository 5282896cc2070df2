// The small parts: deadlines, budgets, loss, the assigner, names of counters.
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "base/random.h"
#include "relay/counters.h"
#include "relay/deadline_queue.h"
#include "relay/loss.h"
#include "relay/offer.h"
#include "relay/shard_assigner.h"
#include "relay/token_bucket.h"

namespace alcove::relay {
namespace {

using base::milliseconds;
using base::seconds;

base::Instant at(int millisecond) { return base::Instant(milliseconds(millisecond)); }

TEST(DeadlineQueueTest, GivesTheEarliestThroughMovesAndRemovals) {
  base::SeededRandom random(3);
  DeadlineQueue queue;
  std::deque<Timer> timers(100);
  std::vector<base::Instant> expected(100, base::kNever);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t which = random.below(100);
    expected[which] =
        random.below(4) == 0 ? base::kNever : at(static_cast<int>(random.below(5'000)));
    queue.set(timers[which], expected[which]);
    ASSERT_EQ(queue.next_deadline(), *std::min_element(expected.begin(), expected.end()));
    ASSERT_EQ(queue.size(), 100U - static_cast<std::size_t>(
                                       std::count(expected.begin(), expected.end(), base::kNever)));
  }
  base::Instant last{};
  while (Timer* timer = queue.earliest()) {
    EXPECT_GE(timer->deadline(), last);
    last = timer->deadline();
    queue.remove(*timer);
  }
  EXPECT_EQ(queue.next_deadline(), base::kNever);
}

TEST(TokenBucketTest, RefillsToItsBurst) {
  TokenBucket bucket(10, 5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(at(0), 1));
  EXPECT_FALSE(bucket.take(at(0), 1));
  EXPECT_FALSE(bucket.take(at(99), 1));
  EXPECT_TRUE(bucket.take(at(100), 1));
  EXPECT_FALSE(bucket.take(at(50), 1));  // a time that goes back refills nothing
  EXPECT_FALSE(bucket.take(at(3'600'000), 6));
  EXPECT_TRUE(bucket.take(at(3'600'000), 5));
}

TEST(LossTest, BucketsHoldTheirFractions) {
  for (int fraction = 0; fraction < 256; ++fraction) {
    const std::size_t bucket = loss_bucket(static_cast<std::uint8_t>(fraction));
    ASSERT_LT(bucket, LossHistogram{}.size());
    EXPECT_LE(loss_of_bucket(bucket), fraction);
    EXPECT_LT(fraction - loss_of_bucket(bucket), 15);
  }
}

LossHistogram reports(std::uint8_t fraction, std::uint32_t count) {
  LossHistogram histogram{};
  histogram[loss_bucket(fraction)] = count;
  return histogram;
}

TEST(LossTest, SaysTheNinetiethPercentileOfTheLastSeconds) {
  LossWindow window;
  EXPECT_EQ(window.percentile_90(), 0);
  window.add(at(10'000), reports(0, 89));
  window.add(at(10'000), reports(8, 11));
  EXPECT_EQ(window.percentile_90(), 8);
  window.add(at(12'000), reports(0, 20));
  EXPECT_EQ(window.percentile_90(), 0);
  window.add(at(15'000), reports(200, 100));  // the former window still counts
  EXPECT_EQ(window.percentile_90(), loss_of_bucket(loss_bucket(200)));
  window.add(at(30'000), reports(3, 1));  // and now does not
  EXPECT_EQ(window.percentile_90(), 3);
}

TEST(CountersTest, EveryReasonHasItsOwnName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(DropReason::kCount); ++i)
    names.insert(name(static_cast<DropReason>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(DropReason::kCount));
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(UfragTest, SaysTheShard) {
  std::set<char> prefixes;
  for (unsigned shard = 0; shard < kMaxShards; ++shard) {
    const char prefix = ufrag_prefix(shard);
    prefixes.insert(prefix);
    EXPECT_EQ(shard_of_ufrag(std::string(1, prefix) + "rest"), shard);
  }
  EXPECT_EQ(prefixes.size(), kMaxShards);
  EXPECT_EQ(shard_of_ufrag(""), kMaxShards);
  EXPECT_EQ(shard_of_ufrag("\xff"), kMaxShards);
  EXPECT_EQ(shard_of_ufrag("-"), kMaxShards);
}

TEST(CandidatesTest, PrefersTheFirstAndUdpToTcp) {
  const auto address = [](const char* text, std::uint16_t port) {
    return base::SocketAddress{base::IpAddress::parse(text).value(), port};
  };
  const auto lines =
      make_candidates({{base::TransportProtocol::kTcp, address("192.0.2.1", 443)},
                       {base::TransportProtocol::kUdp, address("192.0.2.1", 7878)},
                       {base::TransportProtocol::kUdp, address("2001:db8::1", 7878)}});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_GT(lines[1].priority, lines[2].priority);
  EXPECT_GT(lines[2].priority, lines[0].priority);
  EXPECT_EQ(lines[0].tcp_type, wire::TcpType::kPassive);
  EXPECT_EQ(lines[1].tcp_type, wire::TcpType::kNone);
  EXPECT_NE(lines[0].foundation, lines[1].foundation);
}

class ShardAssignerTest : public ::testing::Test {
 protected:
  std::string make_id() {
    const auto id = random_.bytes<16>();
    return {id.begin(), id.end()};
  }
  unsigned open(const std::string& join_id, const std::string& room) {
    v1::RelayCommand command;
    command.mutable_open()->set_join_id(join_id);
    command.mutable_open()->set_relay_room(room);
    return assigner_.route(command).value();
  }
  unsigned let_receive(const std::string& join_id) {
    v1::RelayCommand command;
    command.mutable_allow_receiving()->set_join_id(join_id);
    return assigner_.route(command).value();
  }
  unsigned allow(const std::string& join_id) {
    v1::RelayCommand command;
    command.mutable_allow_sending()->set_join_id(join_id);
    return assigner_.route(command).value();
  }
  void close(const std::string& join_id) {
    v1::RelayCommand command;
    command.mutable_close()->set_join_id(join_id);
    assigner_.route(command);
  }
  void opened(const std::string& join_id) {
    v1::RelayEvent event;
    event.mutable_opened()->set_join_id(join_id);
    assigner_.handle_event(event);
  }
  void refused(const std::string& join_id) {
    v1::RelayEvent event;
    event.mutable_refused()->set_join_id(join_id);
    assigner_.handle_event(event);
  }

  base::SeededRandom random_{5};
  ShardAssigner assigner_{3};
};

TEST_F(ShardAssignerTest, SpreadsAndFindsAgain) {
  const std::string room = make_id();
  std::vector<std::pair<std::string, unsigned>> joins;
  for (int i = 0; i < 30; ++i) {
    const std::string join = make_id();
    joins.emplace_back(join, open(join, room));
  }
  for (unsigned shard = 0; shard < 3; ++shard) EXPECT_EQ(assigner_.load(shard), 10U);
  for (const auto& [join, shard] : joins) EXPECT_EQ(allow(join), shard);
  for (const auto& [join, shard] : joins) EXPECT_EQ(let_receive(join), shard);
  const auto [twice, shard] = joins[4];
  EXPECT_EQ(open(twice, room), shard);
  EXPECT_EQ(assigner_.size(), 30U);
}

TEST_F(ShardAssignerTest, ReleasesWhatIsClosedRefusedOrGone) {
  const std::string room = make_id();
  const std::string closed = make_id(), gone = make_id(), unwanted = make_id(), kept = make_id();
  for (const std::string& join : {closed, gone, unwanted, kept}) open(join, room);
  opened(kept);
  refused(kept);  // of a restart
  refused(unwanted);
  close(closed);
  v1::RelayEvent event;
  event.mutable_state_changed()->set_join_id(gone);
  event.mutable_state_changed()->set_state(v1::EndpointStateChanged::STATE_CHECKED);
  assigner_.handle_event(event);
  EXPECT_EQ(assigner_.size(), 2U);
  event.mutable_state_changed()->set_state(v1::EndpointStateChanged::STATE_GONE);
  assigner_.handle_event(event);
  EXPECT_EQ(assigner_.size(), 1U);
  EXPECT_EQ(allow(gone), 0U);
}

TEST_F(ShardAssignerTest, AClosedRoomGoesToAllAndReleasesItsJoins) {
  const std::string room = make_id(), other = make_id();
  for (int i = 0; i < 6; ++i) open(make_id(), room);
  open(make_id(), other);
  v1::RelayCommand command;
  command.mutable_close_room()->set_relay_room(room);
  EXPECT_EQ(assigner_.route(command), std::nullopt);
  EXPECT_EQ(assigner_.size(), 1U);
}

TEST_F(ShardAssignerTest, NonsenseGoesToTheFirstShard) {
  EXPECT_EQ(open("short", make_id()), 0U);
  EXPECT_EQ(allow("short"), 0U);
  EXPECT_EQ(assigner_.route(v1::RelayCommand()), 0U);
  EXPECT_EQ(assigner_.size(), 0U);
}

}  // namespace
}  // namespace alcove::relay
