#include "e2ee/frame_transform.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "base/text.h"

namespace alcove::e2ee {
namespace {

using base::Buffer;
using base::Bytes;

Buffer hex(std::string text) {
  std::erase(text, ' ');
  return base::from_hex(text).value();
}

TEST(PaddedFrames, SealsTheExamplesOfTheDocument) {
  PaddedFrames frames(16);
  frames.set_seat(7);
  Buffer out(16, 0xaa);
  ASSERT_EQ(frames.seal(hex("fcfffe"), out), 16U);
  EXPECT_EQ(out, hex("07 0003 fcfffe 00000000000000000000"));
  frames.set_seat(1);
  ASSERT_EQ(frames.seal(hex("0102030405060708090a0b0c0d"), out), 16U);
  EXPECT_EQ(out, hex("01 000d 0102030405060708090a0b0c0d"));
  EXPECT_EQ(frames.counters().sealed, 2U);
}

TEST(PaddedFrames, OpensTheExamplesOfTheDocument) {
  PaddedFrames frames(16);
  const Buffer payload = hex("07 0003 fcfffe 00000000000000000000");
  const auto opened = frames.open(payload);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->seat, 7);
  EXPECT_EQ(base::to_buffer(opened->opus), hex("fcfffe"));
  EXPECT_FALSE(frames.open(hex("00 0003 fcfffe 00000000000000000000")));
  EXPECT_FALSE(frames.open(hex("07 0000 00000000000000000000000000")));
  EXPECT_FALSE(frames.open(hex("07 000e 0102030405060708090a0b0c0d")));
  EXPECT_FALSE(frames.open(hex("07 0003 fcfffe 00000000000000000001")));
  EXPECT_FALSE(frames.open(hex("07 0003 fcfffe 000000000000000000")));
  EXPECT_FALSE(frames.open({}));
  const FrameCounters& counters = frames.counters();
  EXPECT_EQ(counters.opened, 1U);
  EXPECT_EQ(counters.bad_seat, 1U);
  EXPECT_EQ(counters.bad_length, 2U);
  EXPECT_EQ(counters.bad_padding, 1U);
  EXPECT_EQ(counters.bad_size, 2U);
}

TEST(PaddedFrames, RoundTripsEveryLengthAtConstantSize) {
  base::SeededRandom random(1);
  PaddedFrames frames(160);
  Buffer out(200);
  for (std::size_t length = 1; length <= 157; ++length) {
    Buffer opus(length);
    random.fill(opus);
    const auto seat = static_cast<std::uint8_t>(1 + random.below(255));
    frames.set_seat(seat);
    ASSERT_EQ(frames.seal(opus, out), 160U);
    const auto opened = frames.open(Bytes(out).first(160));
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->seat, seat);
    EXPECT_EQ(base::to_buffer(opened->opus), opus);
  }
}

TEST(PaddedFrames, RefusesWhatDoesNotFit) {
  PaddedFrames frames(160);
  Buffer out(160);
  EXPECT_FALSE(frames.seal(Buffer(10), out));
  EXPECT_EQ(frames.counters().no_seat, 1U);
  frames.set_seat(1);
  EXPECT_FALSE(frames.seal(Buffer(158), out));
  EXPECT_FALSE(frames.seal({}, out));
  EXPECT_EQ(frames.counters().too_long, 2U);
  Buffer small(159);
  EXPECT_FALSE(frames.seal(Buffer(10), small));
  EXPECT_EQ(frames.counters().sealed, 0U);
}

TEST(PaddedFrames, RandomPayloadsNeverReadPastTheEnd) {
  base::SeededRandom random(2);
  PaddedFrames frames(160);
  for (int i = 0; i < 20000; ++i) {
    Buffer payload(random.below(4) == 0 ? random.below(400) : 160);
    random.fill(payload);
    if (payload.size() > 3 && random.below(2) == 0) {
      payload[1] = 0;
      std::fill(payload.begin() + 3 + std::min<std::size_t>(payload[2], payload.size() - 3),
                payload.end(), 0);
    }
    const auto opened = frames.open(payload);
    if (!opened) continue;
    EXPECT_NE(opened->seat, 0);
    EXPECT_LE(opened->opus.size(), 157U);
  }
  EXPECT_GT(frames.counters().opened, 100U);
}

}  // namespace
}  // namespace alcove::e2ee
