#include "wire/rtcp.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "vectors.h"

namespace alcove::wire {
namespace {

constexpr ReportBlock kBlock = {.ssrc = 0x11223344,
                                .fraction_lost = 51,
                                .cumulative_lost = -3,
                                .highest_sequence = 0x00021234,
                                .jitter = 99,
                                .last_sender_report = 0xaabbccdd,
                                .delay_since_sender_report = 65536};
constexpr SenderInfo kSender = {.ssrc = 0xcafebabe,
                                .ntp = 0x0102030405060708,
                                .rtp_timestamp = 960,
                                .packet_count = 50,
                                .octet_count = 8000};

std::vector<std::uint16_t> lost_of(const Nack& nack, std::size_t limit = 100) {
  std::vector<std::uint16_t> lost;
  nack.for_each_lost(limit, [&](std::uint16_t sequence) { lost.push_back(sequence); });
  return lost;
}

// One of each, in one compound.
base::Buffer compound() {
  std::array<std::uint8_t, 500> buffer{};
  RtcpWriter writer(buffer);
  writer.add_sender_report(kSender, std::array{kBlock, kBlock});
  writer.add_receiver_report(5, std::array{kBlock});
  writer.add_source_names(std::array{SourceName{1, "abc"}, SourceName{2, "abcdef"}});
  writer.add_nack(7, 8, std::array<std::uint16_t, 2>{65535, 0});
  writer.add_goodbye(9);
  return base::to_buffer(writer.finish());
}

TEST(Rtcp, CompoundRoundTrip) {
  const base::Buffer bytes = compound();
  const auto parsed = parse_rtcp(bytes);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 6U);
  const auto& sender = std::get<SenderReport>((*parsed)[0]);
  EXPECT_EQ(sender.sender, kSender);
  ASSERT_EQ(sender.blocks.size(), 2U);
  EXPECT_EQ(sender.blocks[1], kBlock);
  EXPECT_EQ(sender.blocks.find(kBlock.ssrc), kBlock);
  EXPECT_EQ(sender.blocks.find(1), std::nullopt);
  const auto& receiver = std::get<ReceiverReport>((*parsed)[1]);
  EXPECT_EQ(receiver.ssrc, 5U);
  EXPECT_EQ(receiver.blocks.size(), 1U);
  EXPECT_EQ(std::get<SourceName>((*parsed)[2]), (SourceName{1, "abc"}));
  EXPECT_EQ(std::get<SourceName>((*parsed)[3]), (SourceName{2, "abcdef"}));
  const auto& nack = std::get<Nack>((*parsed)[4]);
  EXPECT_EQ(nack.sender_ssrc, 7U);
  EXPECT_EQ(nack.media_ssrc, 8U);
  EXPECT_EQ(lost_of(nack), (std::vector<std::uint16_t>{65535, 0}));
  const auto& goodbye = std::get<Goodbye>((*parsed)[5]);
  ASSERT_EQ(goodbye.size(), 1U);
  EXPECT_EQ(goodbye[0], 9U);
  EXPECT_EQ(rtcp_sender_ssrc(bytes), kSender.ssrc);
}

TEST(Rtcp, TruncatedAnywhereButBetweenPartsIsRefused) {
  const base::Buffer bytes = compound();
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const base::Buffer part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (parse_rtcp(part)) ++accepted;
  }
  EXPECT_EQ(accepted, 4U);  // of five parts
}

TEST(Rtcp, AnySmallerBufferGivesNothing) {
  std::array<std::uint8_t, 500> buffer{};
  const std::size_t size = compound().size();
  for (std::size_t space = 0; space < size; ++space) {
    RtcpWriter writer(base::MutableBytes(buffer).first(space));
    writer.add_sender_report(kSender, std::array{kBlock, kBlock});
    writer.add_receiver_report(5, std::array{kBlock});
    writer.add_source_names(std::array{SourceName{1, "abc"}, SourceName{2, "abcdef"}});
    writer.add_nack(7, 8, std::array<std::uint16_t, 2>{65535, 0});
    writer.add_goodbye(9);
    EXPECT_TRUE(writer.finish().empty()) << space;
  }
}

TEST(Rtcp, NackSharesEntries) {
  std::array<std::uint8_t, 100> buffer{};
  RtcpWriter writer(buffer);
  const std::vector<std::uint16_t> lost = {65530, 65531, 10, 11, 27, 28};
  writer.add_nack(1, 2, lost);
  const base::Bytes bytes = writer.finish();
  // 65530 reaches as far as 10; 11 as far as 27; 28 is alone.
  EXPECT_EQ(base::to_hex(bytes), "81cd00050000000100000002fffa8001000b8000001c0000");
  const auto parsed = parse_rtcp(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(lost_of(std::get<Nack>((*parsed)[0])), lost);
  EXPECT_EQ(lost_of(std::get<Nack>((*parsed)[0]), 3).size(), 3U);
  EXPECT_TRUE(lost_of(std::get<Nack>((*parsed)[0]), 0).empty());
}

TEST(Rtcp, SourceNamesOfEveryLength) {
  for (std::size_t length = 1; length <= 255; ++length) {
    const std::string cname(length, 'x');
    std::array<std::uint8_t, 300> buffer{};
    RtcpWriter writer(buffer);
    writer.add_source_names(std::array{SourceName{3, cname}});
    const auto parsed = parse_rtcp(writer.finish());
    ASSERT_TRUE(parsed) << length;
    ASSERT_EQ(parsed->size(), 1U);
    EXPECT_EQ(std::get<SourceName>((*parsed)[0]).cname, cname);
  }
}

TEST(Rtcp, CumulativeLossIsClamped) {
  std::array<std::uint8_t, 100> buffer{};
  RtcpWriter writer(buffer);
  ReportBlock high = kBlock;
  high.cumulative_lost = 0x7fffffff;
  ReportBlock low = kBlock;
  low.cumulative_lost = -0x7fffffff;
  writer.add_receiver_report(1, std::array{high, low});
  const auto parsed = parse_rtcp(writer.finish());
  ASSERT_TRUE(parsed);
  const auto& report = std::get<ReceiverReport>((*parsed)[0]);
  EXPECT_EQ(report.blocks[0].cumulative_lost, 0x7fffff);
  EXPECT_EQ(report.blocks[1].cumulative_lost, -0x800000);
}

struct Case {
  const char* name;
  const char* digits;
  std::optional<ParseError> error;
  std::size_t items;
};

class RtcpBytes : public testing::TestWithParam<Case> {};

TEST_P(RtcpBytes, GiveWhatTheyShould) {
  const base::Buffer bytes = from_digits(GetParam().digits);
  const auto parsed = parse_rtcp(bytes);
  if (GetParam().error) {
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), *GetParam().error);
  } else {
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->size(), GetParam().items);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RtcpBytes,
    testing::Values(
        Case{"Empty", "", ParseError::kTruncated, 0},
        Case{"Version1", "40c90001 00000001", ParseError::kBadMagic, 0},
        Case{"LongerThanTheBytes", "80c90002 00000001", ParseError::kTruncated, 0},
        Case{"EmptyReceiverReport", "80c90001 00000001", std::nullopt, 1},
        Case{"BlocksMissing", "81c90001 00000001", ParseError::kBadLength, 0},
        Case{"SenderReportTooShort", "80c80001 00000001", ParseError::kBadLength, 0},
        Case{"ProfileExtension", "80c90002 00000001 deadbeef", std::nullopt, 1},
        Case{"UnknownTypeIsSkipped", "80cf0001 00000001 80c90001 00000001", std::nullopt, 1},
        Case{"OtherFeedbackIsSkipped", "8fcd0002 00000001 00000002", std::nullopt, 0},
        Case{"NackWithoutEntries", "81cd0002 00000001 00000002", ParseError::kBadLength, 0},
        Case{"PaddedAtTheEnd", "a0c90002 00000001 00000004", std::nullopt, 1},
        Case{"PaddedBeforeTheEnd", "a0c90002 00000001 00000004 80c90001 00000001",
             ParseError::kBadPadding, 0},
        Case{"PaddingTooLong", "a0c90002 00000001 0000000c", ParseError::kBadPadding, 0},
        Case{"PaddingOdd", "a0c90002 00000001 00000003", ParseError::kBadPadding, 0},
        Case{"PaddingZero", "a0c90002 00000001 00000000", ParseError::kBadPadding, 0},
        Case{"PaddingOfNothing", "a0c90000", ParseError::kBadPadding, 0},
        Case{"ByeWithReason", "81cb0003 00000001 03627965 00000000", std::nullopt, 1},
        Case{"ByeWithoutSources", "82cb0001 00000001", ParseError::kBadLength, 0},
        Case{"SdesWithoutEnd", "81ca0002 00000001 01026162", ParseError::kBadLength, 0},
        Case{"SdesValueBehindTheEnd", "81ca0002 00000001 01ff6162", ParseError::kBadLength, 0},
        Case{"SdesOtherItem", "81ca0003 00000001 02026162 00000000", std::nullopt, 0},
        Case{"SdesEmptyChunk", "81ca0002 00000001 00000000", std::nullopt, 0}),
    [](const auto& test) { return test.param.name; });

TEST(Rtcp, ItemsAreBounded) {
  std::string digits;
  for (std::size_t i = 0; i < kMaxRtcpPackets; ++i) digits += "80c9000100000001";
  EXPECT_EQ(parse_rtcp(from_digits(digits))->size(), kMaxRtcpPackets);
  const base::Buffer more = from_digits(digits + "80c9000100000001");
  EXPECT_EQ(parse_rtcp(more).error(), ParseError::kTooMany);
}

TEST(Ntp, KnownTimes) {
  using std::chrono::milliseconds;
  EXPECT_EQ(to_ntp(base::WallTime(milliseconds(0))), 2'208'988'800ULL << 32);
  EXPECT_EQ(to_ntp(base::WallTime(milliseconds(1'500))), 2'208'988'801ULL << 32 | 0x80000000U);
  EXPECT_EQ(to_ntp(base::WallTime(milliseconds(-500))), 2'208'988'799ULL << 32 | 0x80000000U);
  // The seconds wrap on 7 February 2036 at 06:28:16 UTC.
  EXPECT_EQ(to_ntp(base::WallTime(milliseconds(2'085'978'496'000))), 0U);
  EXPECT_EQ(ntp_middle(0x0123456789abcdef), 0x456789abU);
}

TEST(Ntp, Durations) {
  EXPECT_EQ(to_ntp_duration(base::seconds(1)), 65'536U);
  EXPECT_EQ(to_ntp_duration(base::milliseconds(500)), 32'768U);
  EXPECT_EQ(to_ntp_duration(base::seconds(-1)), 0U);
  EXPECT_EQ(to_ntp_duration(base::Duration::max()), 0xffffffffU);
  EXPECT_EQ(from_ntp_duration(65'536), base::seconds(1));
  EXPECT_EQ(to_ntp_duration(from_ntp_duration(0xfffffff0)), 0xffffffefU);
}

}  // namespace
}  // namespace alcove::wire
