#include "e2ee/held_frames.h"

#include <gtest/gtest.h>

namespace alcove::e2ee {
namespace {

using base::Bytes;
using base::Instant;
using base::milliseconds;

constexpr Instant kStart{std::chrono::seconds(10)};

HeldFrame frame(std::size_t slot, std::uint8_t number) {
  return {.slot = slot,
          .sequence = number,
          .timestamp = 960U * number,
          .marker = number == 1,
          .payload = {number},
          .received = {}};
}
std::vector<int> numbers(const std::vector<HeldFrame>& frames) {
  std::vector<int> out;
  for (const HeldFrame& held : frames) out.push_back(held.payload.at(0));
  return out;
}
bool all(Bytes) { return true; }
bool none(Bytes) { return false; }

TEST(HeldFrames, GivesBackWhatCanBeOpenedInOrder) {
  HeldFrames held(4);
  EXPECT_EQ(held.next_deadline(), base::kNever);
  held.hold(kStart, frame(0, 1));
  held.hold(kStart + milliseconds(1), frame(3, 2));
  held.hold(kStart + milliseconds(2), frame(0, 3));
  EXPECT_EQ(held.next_deadline(), kStart + milliseconds(100));
  const auto odd = held.take_released(kStart + milliseconds(50),
                                      [](Bytes payload) { return payload[0] % 2 == 1; });
  EXPECT_EQ(numbers(odd), (std::vector{1, 3}));
  EXPECT_EQ(odd[0].received, kStart);
  EXPECT_EQ(odd[1].received, kStart + milliseconds(2));
  EXPECT_EQ(odd[1].sequence, 3);
  EXPECT_EQ(odd[1].timestamp, 2880U);
  EXPECT_TRUE(odd[0].marker);
  EXPECT_EQ(numbers(held.take_released(kStart + milliseconds(60), all)), std::vector{2});
  EXPECT_TRUE(held.take_released(kStart + milliseconds(70), all).empty());
  EXPECT_EQ(held.dropped(), 0U);
}

TEST(HeldFrames, DropsAfterATenthOfASecond) {
  HeldFrames held(4);
  held.hold(kStart, frame(0, 1));
  held.hold(kStart + milliseconds(40), frame(1, 2));
  EXPECT_TRUE(held.take_released(kStart + milliseconds(99), none).empty());
  EXPECT_EQ(held.dropped(), 0U);
  EXPECT_EQ(numbers(held.take_released(kStart + milliseconds(100), all)), std::vector{2});
  EXPECT_EQ(held.dropped(), 1U);
  EXPECT_EQ(held.next_deadline(), base::kNever);
}

TEST(HeldFrames, HoldsFiveASlot) {
  HeldFrames held(2);
  for (std::uint8_t number = 1; number <= 7; ++number) held.hold(kStart, frame(0, number));
  held.hold(kStart, frame(1, 8));
  held.hold(kStart, frame(2, 9));  // there is no such slot
  EXPECT_EQ(held.dropped(), 3U);
  EXPECT_EQ(numbers(held.take_released(kStart, all)), (std::vector{3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace alcove::e2ee
