#include "e2ee/epochs.h"

#include <gtest/gtest.h>

namespace alcove::e2ee {
namespace {

using base::Instant;
using base::milliseconds;
using base::seconds;

constexpr Instant kStart{seconds(100)};

Secret secret(std::uint8_t number) { return Secret{number}; }
bool is_live(const Epochs& epochs, std::uint32_t number) {
  const Epochs::Epoch* epoch = epochs.find(number);
  return epoch != nullptr && epoch->live;
}

TEST(Epochs, SwitchSoonAfterARatchetThatLetsSomebodyIn) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  epochs.advance(kStart, 2, false, false, secret(2));
  EXPECT_EQ(epochs.next_deadline(), kStart + milliseconds(400));
  epochs.handle_timeout(kStart + milliseconds(399));
  EXPECT_EQ(epochs.sending(), 1);
  epochs.handle_timeout(kStart + milliseconds(400));
  EXPECT_EQ(epochs.sending(), 2);
}

TEST(Epochs, SwitchASecondAfterAFreshOneAndKeepForTen) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  EXPECT_EQ(epochs.sending(), 1);
  epochs.advance(kStart, 2, false, true, secret(2));
  EXPECT_EQ(epochs.sending(), 1);
  EXPECT_EQ(epochs.next_deadline(), kStart + seconds(1));
  epochs.handle_timeout(kStart + milliseconds(999));
  EXPECT_EQ(epochs.sending(), 1);
  epochs.handle_timeout(kStart + seconds(1));
  EXPECT_EQ(epochs.sending(), 2);
  EXPECT_TRUE(is_live(epochs, 1));
  epochs.handle_timeout(kStart + seconds(10));
  EXPECT_FALSE(is_live(epochs, 1));
  EXPECT_EQ(epochs.take_expired(), std::vector<std::uint32_t>{1});
}

TEST(Epochs, SwitchAtOnceWithAnEjectAndKeepForTwoSeconds) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  epochs.advance(kStart, 2, false, false, secret(2));
  epochs.advance(kStart + milliseconds(100), 3, true, true, secret(3));
  EXPECT_EQ(epochs.sending(), 3);
  epochs.handle_timeout(kStart + milliseconds(2099));
  EXPECT_TRUE(is_live(epochs, 1));
  epochs.handle_timeout(kStart + milliseconds(2100));
  EXPECT_FALSE(is_live(epochs, 1));
  EXPECT_FALSE(is_live(epochs, 2));
  EXPECT_TRUE(is_live(epochs, 3));
  EXPECT_EQ(epochs.sending(), 3);
}

TEST(Epochs, AtMostEightAreLive) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  for (std::uint8_t number = 2; number <= 12; ++number)
    epochs.advance(kStart, number, false, false, secret(number));
  EXPECT_EQ(epochs.known().size(), Epochs::kMaxLive);
  EXPECT_EQ(epochs.known().front().number, 5);
}

TEST(Epochs, NothingIsSentWithoutARequiredSecretUntilItComes) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  epochs.advance(kStart, 2, false, true, std::nullopt);
  EXPECT_FALSE(epochs.has_newest());
  EXPECT_EQ(epochs.sending(), 1);
  epochs.handle_timeout(kStart + seconds(1));
  EXPECT_FALSE(epochs.sending().has_value());
  epochs.supply(kStart + seconds(2), 2, secret(2));
  EXPECT_EQ(epochs.sending(), 2);
  EXPECT_TRUE(epochs.has_newest());
}

TEST(Epochs, RatchetThatNobodyCanFollowLeavesTheOneBefore) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  epochs.advance(kStart, 2, false, false, std::nullopt);
  epochs.handle_timeout(kStart + seconds(60));
  EXPECT_EQ(epochs.sending(), 1);
  EXPECT_TRUE(is_live(epochs, 1));
  EXPECT_FALSE(epochs.has_newest());
}

TEST(Epochs, LastOneIsKeptForTheNextAdvanceWhenItHasDied) {
  Epochs epochs;
  epochs.begin(1, secret(1));
  epochs.advance(kStart, 2, true, true, std::nullopt);
  epochs.handle_timeout(kStart + seconds(2));
  EXPECT_FALSE(is_live(epochs, 1));
  ASSERT_EQ(epochs.known().size(), 1);
  EXPECT_FALSE(epochs.sending().has_value());
}

}  // namespace
}  // namespace alcove::e2ee
