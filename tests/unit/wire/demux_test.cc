#include "wire/demux.h"

#include <gtest/gtest.h>

#include "wire/sequence.h"

namespace alcove::wire {
namespace {

PacketKind classify(int first, int second) {
  const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(first),
                                             static_cast<std::uint8_t>(second)};
  return classify_packet(bytes);
}

TEST(Demux, EveryFirstByte) {
  for (int first = 0; first <= 255; ++first) {
    const PacketKind expected = first <= 3                     ? PacketKind::kStun
                                : first >= 20 && first <= 63   ? PacketKind::kDtls
                                : first >= 128 && first <= 191 ? PacketKind::kRtp
                                                               : PacketKind::kUnknown;
    EXPECT_EQ(classify(first, 111), expected) << first;
  }
}

TEST(Demux, RtcpByPacketType) {
  for (int second = 0; second <= 255; ++second) {
    const bool is_rtcp = second >= 192 && second <= 223;
    EXPECT_EQ(classify(0x80, second), is_rtcp ? PacketKind::kRtcp : PacketKind::kRtp) << second;
  }
}

TEST(Demux, ShortDatagramsAreUnknown) {
  EXPECT_EQ(classify_packet({}), PacketKind::kUnknown);
  const std::array<std::uint8_t, 1> one = {0x80};
  EXPECT_EQ(classify_packet(one), PacketKind::kUnknown);
}

TEST(Sequence, NewerIsCircular) {
  EXPECT_TRUE(is_newer_sequence(1, 0));
  EXPECT_TRUE(is_newer_sequence(0, 65535));
  EXPECT_TRUE(is_newer_sequence(0x7fff, 0));
  EXPECT_FALSE(is_newer_sequence(0x8000, 0));
  EXPECT_FALSE(is_newer_sequence(0, 0x8000));
  EXPECT_FALSE(is_newer_sequence(5, 5));
  EXPECT_FALSE(is_newer_sequence(65535, 0));
}

TEST(Sequence, UnwrapFindsTheNearest) {
  EXPECT_EQ(unwrap_sequence(0x1fffe, 0x0001), 0x20001U);
  EXPECT_EQ(unwrap_sequence(0x20001, 0xfffe), 0x1fffeU);
  EXPECT_EQ(unwrap_sequence(0x20001, 0x0001), 0x20001U);
  EXPECT_EQ(unwrap_sequence(100, 90), 90U);
  // Nothing lies before 0.
  EXPECT_EQ(unwrap_sequence(5, 65530), 65530U);
}

TEST(Sequence, UnwrapperFollowsThreeRounds) {
  SequenceUnwrapper unwrapper;
  EXPECT_FALSE(unwrapper.highest());
  for (std::uint64_t extended = 30'000; extended < 200'000; extended += 7) {
    EXPECT_EQ(unwrapper.peek(static_cast<std::uint16_t>(extended)), extended);
    EXPECT_EQ(unwrapper.unwrap(static_cast<std::uint16_t>(extended)), extended);
    if (extended < 30'100) continue;
    EXPECT_EQ(unwrapper.unwrap(static_cast<std::uint16_t>(extended - 100)), extended - 100);
    EXPECT_EQ(unwrapper.highest(), extended);
  }
}

}  // namespace
}  // namespace alcove::wire
