#include "audit/g722.h"

#include <gtest/gtest.h>

#include <array>

#include "audit/g711.h"
#include "support/audio_streams.h"

namespace alcove::audit {
namespace {

// Two moving tones, encoded and decoded (8 kHz) by another implementation: Debian's libspandsp.
constexpr auto kCodes = std::to_array<std::uint8_t>(
    {0xfa, 0x98, 0x2a, 0x8b, 0x23, 0x92, 0xa0, 0xa0, 0x60, 0xe0, 0xe2, 0xe8,
     0xee, 0xfb, 0xd1, 0xcb, 0xca, 0xcd, 0x58, 0xb5, 0xb5, 0xdf, 0x7b, 0xa8,
     0xa4, 0x2d, 0xdc, 0xb7, 0x33, 0x8e, 0x8d, 0x1c, 0x8d, 0x10, 0x33, 0x95,
     0x32, 0xaa, 0x39, 0x66, 0xbb, 0x2d, 0x9a, 0x3d, 0x92, 0x17, 0x8f, 0x19});
constexpr auto kSamples = std::to_array<int>(
    {2,     -8,   14,    -34,    54,     -74,    268,    698,   2014,   5498,  11516,  10482,
     7578,  2412, -4200, -10502, -13192, -11886, -6162,  318,   2412,   512,   1300,   8594,
     14432, 8452, 912,   3090,   3712,   -7106,  -10338, -4080, -10436, -9680, 534,    -4518,
     3878,  8852, 4040,  13766,  3892,   9400,   -206,   534,   -6110,  -6030, -10470, -7078});

TEST(G722, LowerBandGivesTheSamplesOfAnotherDecoder) {
  static_assert(kCodes.size() == kSamples.size());
  G722LowerBand band;
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    const int sample = band.reconstruct(kCodes[i] & 63U);
    EXPECT_EQ(band.decode(kCodes[i] & 63U), sample);
    EXPECT_EQ(sample * 2, kSamples[i]) << i;
  }
}

TEST(G711, EveryCodeComesBackThroughTheEncoder) {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<std::uint8_t>(code);
    EXPECT_EQ(decode_mu_law(test::encode_mu_law(decode_mu_law(byte))), decode_mu_law(byte));
    EXPECT_EQ(test::encode_a_law(decode_a_law(byte)), byte);
  }
  // The ends of the scales: G.711, tables 1 and 2.
  EXPECT_EQ(decode_mu_law(0xff), 0);
  EXPECT_EQ(decode_mu_law(0x80), 32124);
  EXPECT_EQ(decode_mu_law(0x00), -32124);
  EXPECT_EQ(decode_a_law(0xd5), 8);
  EXPECT_EQ(decode_a_law(0xaa), 32256);
}

}  // namespace
}  // namespace alcove::audit
