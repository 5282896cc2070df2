#include "base/random.h"

#include <gtest/gtest.h>

namespace alcove::base {
namespace {

TEST(SeededRandom, RepeatsAndDiffers) {
  SeededRandom a(1);
  SeededRandom b(1);
  SeededRandom c(2);
  const auto first = a.bytes<64>();
  EXPECT_EQ(first, b.bytes<64>());
  EXPECT_NE(first, c.bytes<64>());
  EXPECT_NE(a.next_u64(), a.next_u64());
}

// Chi-squared of 256 cells: the mean is 255 and the standard deviation 22.6.
TEST(SeededRandom, BytesAreUniform) {
  SeededRandom random(3);
  std::array<double, 256> counts{};
  constexpr int kDraws = 256 * 1000;
  Buffer bytes(kDraws);
  random.fill(bytes);
  for (const std::uint8_t byte : bytes) ++counts[byte];
  double chi_squared = 0;
  for (const double count : counts) chi_squared += (count - 1000) * (count - 1000) / 1000;
  EXPECT_GT(chi_squared, 255 - 5 * 22.6);
  EXPECT_LT(chi_squared, 255 + 5 * 22.6);
}

TEST(RandomSource, BelowIsUniformAndBounded) {
  SeededRandom random(4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) {
    const std::uint32_t value = random.below(7);
    ASSERT_LT(value, 7U);
    ++counts[value];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

// Gives what it is told, so that the rejection of biased draws can be seen.
class Scripted final : public RandomSource {
 public:
  explicit Scripted(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = bytes_[next_++ % bytes_.size()];
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t next_ = 0;
};

TEST(RandomSource, BelowDrawsAgainWhereItWouldFavour) {
  // 2^32 mod 3 is 1, so 0 is refused; the next draw is all ones: (2^32 - 1) mod 3 is 0.
  Scripted random({0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff});
  EXPECT_EQ(random.below(3), 0U);
  EXPECT_EQ(random.below(0x80000000U), 0U);  // 0 again: a power of two refuses nothing
}

TEST(RandomSourceDeathTest, BoundOfZero) {
  SeededRandom random(1);
  EXPECT_DEATH((void)random.below(0), "CHECK failed");
}

}  // namespace
}  // namespace alcove::base
