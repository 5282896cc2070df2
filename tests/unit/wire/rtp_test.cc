#include "wire/rtp.h"

#include <gtest/gtest.h>

#include "vectors.h"

namespace alcove::wire {
namespace {

constexpr RtpFields kFields = {.marker = true,
                               .payload_type = 111,
                               .sequence = 0xfffe,
                               .timestamp = 0x01020304,
                               .ssrc = 0xa1b2c3d4};

TEST(Rtp, HeaderRoundTrip) {
  std::array<std::uint8_t, kRtpHeaderSize> bytes{};
  write_rtp_header(bytes, kFields);
  EXPECT_EQ(base::to_hex(bytes), "80effffe01020304a1b2c3d4");
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->header.fields, kFields);
  EXPECT_EQ(packet->header.size, kRtpHeaderSize);
  EXPECT_TRUE(packet->payload.empty());
}

// Two CSRCs, an extension of two words, a payload of three bytes and padding of five.
const char* const kFull =
    "b2 6f 0001 00000002 00000003 11111111 22222222 bede0002 1000aa00 00000000 515253 0000000005";

TEST(Rtp, EverythingAtOnce) {
  const base::Buffer bytes = from_digits(kFull);
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  const RtpHeader& header = packet->header;
  EXPECT_EQ(header.csrc_count, 2);
  EXPECT_TRUE(header.has_extension);
  EXPECT_EQ(header.extension_profile, 0xbede);
  EXPECT_EQ(base::to_hex(header.extension), "1000aa0000000000");
  EXPECT_EQ(header.size, 32U);
  EXPECT_FALSE(header.fields.marker);
  EXPECT_EQ(header.fields.payload_type, 111);
  EXPECT_EQ(base::to_hex(packet->payload), "515253");
  EXPECT_EQ(packet->padding_size, 5U);
}

TEST(Rtp, TruncatedInTheHeaderIsRefused) {
  const base::Buffer bytes = from_digits(kFull);
  for (std::size_t size = 0; size < 32; ++size) {
    const base::Buffer part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(parse_rtp_header(part).error(), ParseError::kTruncated) << size;
    EXPECT_EQ(parse_rtp(part).error(), ParseError::kTruncated) << size;
  }
}

TEST(Rtp, HeaderOfAnEncryptedPacketIgnoresPadding) {
  base::Buffer bytes = from_digits(kFull);
  bytes.back() = 0xff;
  ASSERT_TRUE(parse_rtp_header(bytes));
  EXPECT_TRUE(parse_rtp_header(bytes)->has_padding);
  EXPECT_EQ(parse_rtp(bytes).error(), ParseError::kBadPadding);
}

TEST(Rtp, PaddingBounds) {
  const auto error_of = [](const char* digits) {
    const base::Buffer bytes = from_digits(digits);
    const auto packet = parse_rtp(bytes);
    return packet ? std::optional<ParseError>() : packet.error();
  };
  EXPECT_EQ(error_of("a06f00010000000200000003"), ParseError::kBadPadding);
  EXPECT_EQ(error_of("a06f0001000000020000000300"), ParseError::kBadPadding);
  EXPECT_EQ(error_of("a06f0001000000020000000302"), ParseError::kBadPadding);
  EXPECT_EQ(error_of("a06f0001000000020000000301"), std::nullopt);
}

TEST(Rtp, OtherVersionsAreRefused) {
  for (const unsigned version : {0U, 1U, 3U}) {
    base::Buffer bytes(kRtpHeaderSize);
    bytes[0] = static_cast<std::uint8_t>(version << 6);
    EXPECT_EQ(parse_rtp_header(bytes).error(), ParseError::kBadMagic);
  }
}

}  // namespace
}  // namespace alcove::wire
