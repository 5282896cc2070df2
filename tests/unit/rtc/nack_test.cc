#include "rtc/nack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace alcove::rtc {
namespace {

using base::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class NackGeneratorTest : public testing::Test {
 protected:
  void receive(std::uint64_t sequence) { generator_.handle_packet(now_, sequence); }
  std::vector<std::uint64_t> collect(base::Duration round_trip = milliseconds(80)) {
    std::vector<std::uint64_t> missing;
    generator_.collect(now_, round_trip, missing);
    return missing;
  }

  base::Instant now_{base::seconds(5)};
  NackGenerator generator_;
};

TEST_F(NackGeneratorTest, AsksForNothingWithoutGap) {
  for (std::uint64_t sequence = 100; sequence < 200; ++sequence) receive(sequence);
  now_ += base::seconds(1);
  EXPECT_THAT(collect(), IsEmpty());
  EXPECT_EQ(generator_.next_deadline(), base::kNever);
}

TEST_F(NackGeneratorTest, WaitsForReorderingBeforeItAsks) {
  receive(10);
  receive(13);
  EXPECT_EQ(generator_.missing(), 2U);
  EXPECT_THAT(collect(), IsEmpty());
  EXPECT_EQ(generator_.next_deadline(), now_ + NackGenerator::kFirstDelay);
  receive(11);  // was only late
  now_ = generator_.next_deadline();
  EXPECT_THAT(collect(), ElementsAre(12));
  EXPECT_EQ(generator_.repaired(), 0U);
}

TEST_F(NackGeneratorTest, AsksAgainAfterARoundTripAndGivesUpInTime) {
  receive(10);
  receive(12);
  const base::Instant lost_at = now_;
  int requests = 0;
  while (generator_.next_deadline() != base::kNever) {
    now_ = generator_.next_deadline();
    requests += static_cast<int>(collect().size());
    ASSERT_LE(now_, lost_at + NackGenerator::kGiveUpAfter);
  }
  EXPECT_EQ(requests, NackGenerator::kMaxRequests);
  EXPECT_EQ(generator_.given_up(), 1U);
  EXPECT_EQ(generator_.missing(), 0U);
}

TEST_F(NackGeneratorTest, ALongRoundTripLeavesFewerRequests) {
  receive(1);
  receive(3);
  int requests = 0;
  const base::Instant lost_at = now_;
  while (generator_.next_deadline() != base::kNever) {
    now_ = generator_.next_deadline();
    requests += static_cast<int>(collect(milliseconds(300)).size());
    ASSERT_LE(now_, lost_at + NackGenerator::kGiveUpAfter);
  }
  EXPECT_EQ(requests, 2);
}

TEST_F(NackGeneratorTest, CountsRepairs) {
  receive(1);
  receive(3);
  now_ += milliseconds(10);
  EXPECT_THAT(collect(), ElementsAre(2));
  receive(2);
  receive(2);  // a duplicate repairs nothing
  EXPECT_EQ(generator_.repaired(), 1U);
  EXPECT_EQ(generator_.next_deadline(), base::kNever);
}

TEST_F(NackGeneratorTest, CrossesTheWrapOfSequenceNumbers) {
  receive(65'534);
  receive(65'538);
  now_ += milliseconds(10);
  EXPECT_THAT(collect(), ElementsAre(65'535, 65'536, 65'537));
}

TEST_F(NackGeneratorTest, ALargeJumpIsANewStart) {
  receive(1);
  receive(3);
  receive(1'000);
  now_ += milliseconds(10);
  EXPECT_THAT(collect(), IsEmpty());
  EXPECT_EQ(generator_.given_up(), 1U + 996U);
  receive(1'002);
  now_ += milliseconds(10);
  EXPECT_THAT(collect(), ElementsAre(1'001));
}

TEST_F(NackGeneratorTest, TheOldestAreGivenUpWhenFull) {
  receive(0);
  receive(41);  // 1 to 40
  receive(82);  // 42 to 81
  EXPECT_EQ(generator_.missing(), NackGenerator::kMaxMissing);
  EXPECT_EQ(generator_.given_up(), 80U - NackGenerator::kMaxMissing);
  now_ += milliseconds(10);
  EXPECT_EQ(collect().front(), 17U);
}

TEST_F(NackGeneratorTest, PacketsFromBeforeTheFirstAreNobodysLoss) {
  receive(10);
  receive(8);
  receive(9);
  EXPECT_EQ(generator_.missing(), 0U);
}

// Whatever comes in whatever order: asked for are exactly gaps, in order, and boundedly often.
TEST_F(NackGeneratorTest, RandomArrivals) {
  base::SeededRandom random(7);
  std::vector<bool> arrived(4'000);
  std::vector<int> requests(arrived.size());
  std::uint64_t highest = 100;
  for (std::uint64_t i = 100; i < arrived.size() - 10; ++i) {
    now_ += milliseconds(5);
    const std::uint64_t sequence = i + random.below(8);
    if (random.below(4) == 0) continue;
    highest = std::max(highest, sequence);
    arrived[sequence] = true;
    receive(sequence);
    const std::vector<std::uint64_t> asked = collect();
    EXPECT_TRUE(std::ranges::is_sorted(asked));
    for (const std::uint64_t lost : asked) {
      ASSERT_LT(lost, highest);
      ASSERT_FALSE(arrived[lost]);
      ASSERT_LE(++requests[lost], NackGenerator::kMaxRequests);
    }
  }
}

base::Buffer payload_of(std::uint64_t index) {
  return base::Buffer(100 + index % 50, static_cast<std::uint8_t>(index));
}

TEST(RetransmissionRingTest, HoldsTheLastPackets) {
  RetransmissionRing ring;
  EXPECT_FALSE(ring.find(0));
  const std::uint64_t first = 65'500;  // crosses 65,535: indices do not wrap
  for (std::uint64_t index = first; index < first + 200; ++index)
    ring.store(index, static_cast<std::uint32_t>(index * 960), index % 7 == 0, payload_of(index));
  for (std::uint64_t index = first; index < first + 200; ++index) {
    const auto packet = ring.find(index);
    ASSERT_EQ(packet.has_value(), index >= first + 200 - RetransmissionRing::kCapacity) << index;
    if (!packet) continue;
    EXPECT_EQ(packet->index, index);
    EXPECT_EQ(packet->timestamp, static_cast<std::uint32_t>(index * 960));
    EXPECT_EQ(packet->marker, index % 7 == 0);
    EXPECT_TRUE(std::ranges::equal(packet->payload, payload_of(index)));
  }
  EXPECT_FALSE(ring.find(first + 200));
  EXPECT_FALSE(ring.find(first + 199 + 65'536));
}

TEST(RetransmissionRingTest, SkippedIndicesAreNotFound) {
  RetransmissionRing ring;
  ring.store(5, 1, false, payload_of(5));
  ring.store(5 + RetransmissionRing::kCapacity, 2, true, {});
  EXPECT_FALSE(ring.find(5));
  ASSERT_TRUE(ring.find(5 + RetransmissionRing::kCapacity));
  EXPECT_TRUE(ring.find(5 + RetransmissionRing::kCapacity)->payload.empty());
  ring.clear();
  EXPECT_FALSE(ring.find(5 + RetransmissionRing::kCapacity));
}

TEST(RetransmissionRingTest, KeepsItsMemory) {
  RetransmissionRing ring;
  for (std::uint64_t index = 0; index < 64; ++index) ring.store(index, 0, false, payload_of(49));
  const std::uint8_t* first = ring.find(0)->payload.data();
  ring.store(64, 0, false, payload_of(10));
  EXPECT_EQ(ring.find(64)->payload.data(), first);
}

}  // namespace
}  // namespace alcove::rtc
