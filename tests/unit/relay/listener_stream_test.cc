#include "relay/listener_stream.h"

#include <gtest/gtest.h>

#include <map>

namespace alcove::relay {
namespace {

class ListenerStreamTest : public ::testing::Test {
 protected:
  base::SeededRandom random_{7};
  ListenerStream stream_{0x1234, random_};
};

TEST_F(ListenerStreamTest, BeginsBelowHalfTheSequenceSpaceWithRolloverCounterZero) {
  for (int i = 0; i < 200; ++i) {
    ListenerStream stream(1, random_);
    EXPECT_LT(stream.place(70'000, 70'000).value(), 1U << 15);
  }
}

TEST_F(ListenerStreamTest, RollsOverForOneWhoCameLate) {
  constexpr std::uint64_t kCame = 65'500;  // the slot's own index is near a rollover
  const std::uint64_t first = stream_.place(kCame, 65'000).value();
  for (std::uint64_t i = 1; i < 150'000; ++i) {
    const std::uint64_t index = stream_.place(kCame + i, 65'000).value();
    ASSERT_EQ(index, first + i);
  }
  EXPECT_EQ(stream_.slot_index(static_cast<std::uint16_t>(first + 149'999)), kCame + 149'999);
  EXPECT_EQ(stream_.slot_index(static_cast<std::uint16_t>(first + 149'950)), kCame + 149'950);
}

TEST_F(ListenerStreamTest, IsNotSentWhatIsOlderThanItsCome) {
  ASSERT_TRUE(stream_.place(100, 90));
  EXPECT_FALSE(stream_.place(99, 90));
  EXPECT_FALSE(stream_.find(99));
  EXPECT_TRUE(stream_.place(101, 90));
}

TEST_F(ListenerStreamTest, SeesNoHoleWhereItSpokeItself) {
  const std::uint64_t first = stream_.place(10, 10).value();
  stream_.skip_spurt(11);
  stream_.skip_spurt(11);
  stream_.skip_spurt(40);                       // its second spurt in a row
  EXPECT_EQ(stream_.place(61, 60), first + 2);  // 60 is on its way
  EXPECT_EQ(stream_.place(60, 60), first + 1);
  EXPECT_FALSE(stream_.find(11));
  EXPECT_FALSE(stream_.find(59));
  EXPECT_EQ(stream_.find(10), first);
  EXPECT_EQ(stream_.slot_index(static_cast<std::uint16_t>(first)), 10U);
  EXPECT_EQ(stream_.slot_index(static_cast<std::uint16_t>(first + 1)), 60U);
}

TEST_F(ListenerStreamTest, SkippingBeforeTheFirstChangesNothing) {
  stream_.skip_spurt(0);
  stream_.skip(3, 3);
  EXPECT_FALSE(stream_.slot_index(0));
  const std::uint64_t first = stream_.place(5, 4).value();
  EXPECT_EQ(stream_.place(6, 4), first + 1);
}

TEST_F(ListenerStreamTest, SeesNoHoleWhereASendWasRefusedButEveryOtherLoss) {
  const std::uint64_t first = stream_.place(0, 0).value();
  for (std::uint64_t i = 1; i <= 500; ++i) stream_.skip(i, 0);
  EXPECT_EQ(stream_.place(501, 0), first + 1);
  EXPECT_EQ(stream_.place(503, 0), first + 3);  // 502 is lost upstream
  stream_.skip(504, 0);
  EXPECT_EQ(stream_.place(505, 0), first + 4);
  EXPECT_EQ(stream_.place(502, 0), first + 2);  // or late
  EXPECT_FALSE(stream_.find(504));
  EXPECT_FALSE(stream_.find(500));
  stream_.skip(300, 0);  // late and refused: what came after it is sent
  EXPECT_EQ(stream_.place(506, 0), first + 5);
}

TEST_F(ListenerStreamTest, ARefusedSendAfterItsOwnSpurt) {
  const std::uint64_t first = stream_.place(0, 0).value();
  stream_.skip_spurt(1);
  stream_.skip(30, 30);
  EXPECT_EQ(stream_.place(31, 30), first + 1);
}

// Against a plain record of what was sent, over many random histories.
TEST_F(ListenerStreamTest, NeverSendsTwoPacketsUnderOneIndexAndFindsWhatItSent) {
  for (int round = 0; round < 200; ++round) {
    ListenerStream stream(1, random_);
    std::map<std::uint64_t, std::uint64_t> sent;  // listener's index to the slot's
    std::uint64_t next = random_.below(1000);
    for (int spurt = 0; spurt < 8; ++spurt) {
      const std::uint64_t start = next;
      const bool own = random_.below(3) == 0;
      std::vector<std::uint64_t> late;
      for (std::uint32_t count = 1 + random_.below(30); count > 0; --count) {
        if (next != start && random_.below(8) == 0) {
          late.push_back(next++);
          continue;
        }
        const std::uint64_t slot_index = next++;
        if (own) {
          stream.skip_spurt(start);
        } else if (random_.below(10) == 0) {
          stream.skip(slot_index, start);
        } else if (const auto index = stream.place(slot_index, start)) {
          ASSERT_TRUE(sent.emplace(*index, slot_index).second);
        }
        if (!own && !late.empty() && random_.below(3) == 0) {
          if (const auto index = stream.place(late.back(), start)) {
            ASSERT_TRUE(sent.emplace(*index, late.back()).second);
          }
          late.pop_back();
        }
      }
    }
    for (const auto& [index, slot_index] : sent) {
      const auto found = stream.slot_index(static_cast<std::uint16_t>(index));
      if (found && *found == slot_index) continue;
      ASSERT_FALSE(found && stream.find(*found) == index && *found != slot_index)
          << "a NACK would be answered with another packet";
    }
  }
}

}  // namespace
}  // namespace alcove::relay
