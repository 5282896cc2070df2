#include <gtest/gtest.h>

#include <cstdlib>

#include "rtc/receive_statistics.h"
#include "rtc/sender_statistics.h"

namespace alcove::rtc {
namespace {

using base::milliseconds;
using base::seconds;

constexpr std::uint32_t kTicks = 960;  // of 20 ms at 48 kHz

class ReceiveStatisticsTest : public testing::Test {
 protected:
  // Packet number n of a stream that began at sequence first_, arriving late by delay.
  void receive(std::uint64_t n, base::Duration delay = {}) {
    const base::Instant sent = start_ + n * milliseconds(20);
    statistics_.handle_packet(sent + delay, first_ + n,
                              static_cast<std::uint32_t>(timestamp_ + n * kTicks));
  }

  base::Instant start_{seconds(100)};
  std::uint64_t first_ = 65'530;
  std::uint64_t timestamp_ = 0xfffff000;  // wraps soon
  ReceiveStatistics statistics_;
};

TEST_F(ReceiveStatisticsTest, NoLossAcrossBothWraps) {
  EXPECT_FALSE(statistics_.has_packets());
  for (std::uint64_t n = 0; n < 100; ++n) receive(n);
  const wire::ReportBlock block = statistics_.make_report_block(start_ + seconds(2), 7);
  EXPECT_EQ(block.ssrc, 7U);
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_EQ(block.cumulative_lost, 0);
  EXPECT_EQ(block.highest_sequence, 65'530U + 99U);  // one cycle in the upper half
  EXPECT_EQ(block.highest_sequence >> 16, 1U);
  EXPECT_EQ(block.jitter, 0U);
  EXPECT_EQ(block.last_sender_report, 0U);
  EXPECT_EQ(block.delay_since_sender_report, 0U);
}

TEST_F(ReceiveStatisticsTest, FractionIsOfTheInterval) {
  for (std::uint64_t n = 0; n < 100; ++n)
    if (n % 4 != 3) receive(n);
  receive(100);
  // 101 expected, 25 lost.
  wire::ReportBlock block = statistics_.make_report_block(start_ + seconds(2), 1);
  EXPECT_EQ(block.fraction_lost, 25 * 256 / 101);
  EXPECT_EQ(block.cumulative_lost, 25);
  for (std::uint64_t n = 101; n < 201; ++n) receive(n);
  block = statistics_.make_report_block(start_ + seconds(4), 1);
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_EQ(block.cumulative_lost, 25);
  block = statistics_.make_report_block(start_ + seconds(6), 1);  // nothing came
  EXPECT_EQ(block.fraction_lost, 0);
}

TEST_F(ReceiveStatisticsTest, DuplicatesMakeLossNegativeButNoFraction) {
  for (std::uint64_t n = 0; n < 50; ++n) {
    receive(n);
    receive(n);
  }
  const wire::ReportBlock block = statistics_.make_report_block(start_ + seconds(1), 1);
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_EQ(block.cumulative_lost, -50);
}

TEST_F(ReceiveStatisticsTest, RepairTakesLossBack) {
  receive(0);
  receive(3);
  EXPECT_EQ(statistics_.lost(), 2);
  receive(1, milliseconds(90));
  receive(2, milliseconds(90));
  EXPECT_EQ(statistics_.lost(), 0);
  EXPECT_EQ(statistics_.jitter(), base::Duration(0));  // repairs say nothing of jitter
}

TEST_F(ReceiveStatisticsTest, APacketOfBeforeTheFirstIsExpectedToo) {
  receive(5);
  receive(3);
  EXPECT_EQ(statistics_.expected(), 3U);
  EXPECT_EQ(statistics_.lost(), 1);
}

TEST_F(ReceiveStatisticsTest, JitterConvergesToTheMeanDifference) {
  // Every other packet is 10 ms late: |D| is 480 each time.
  for (std::uint64_t n = 0; n < 400; ++n) receive(n, milliseconds(n % 2 == 0 ? 0 : 10));
  const wire::ReportBlock block = statistics_.make_report_block(start_ + seconds(8), 1);
  EXPECT_NEAR(block.jitter, 480, 10);
  EXPECT_NEAR(static_cast<double>(statistics_.jitter().count()), 10'000, 300);
}

TEST_F(ReceiveStatisticsTest, JitterAgainstTheFormulaOfAppendixA8) {
  std::uint32_t expected = 0;
  std::int64_t last = 0;
  const int delays[] = {0, 3, 1, 7, 2, 2, 19, 4, 0, 11};
  for (std::uint64_t n = 0; n < std::size(delays); ++n) {
    receive(n, milliseconds(delays[n]));
    const std::int64_t transit = std::int64_t{delays[n]} * 48;
    if (n != 0) {
      const auto difference = static_cast<std::uint32_t>(std::abs(transit - last));
      expected += difference - ((expected + 8) >> 4);
    }
    last = transit;
  }
  EXPECT_EQ(statistics_.make_report_block(start_, 1).jitter, expected >> 4);
}

TEST_F(ReceiveStatisticsTest, AJumpOfTheTimestampIsNotJitter) {
  for (std::uint64_t n = 0; n < 10; ++n) receive(n);
  timestamp_ += std::uint64_t{48'000} * 60;
  for (std::uint64_t n = 10; n < 20; ++n) receive(n);
  EXPECT_EQ(statistics_.jitter(), base::Duration(0));
}

TEST_F(ReceiveStatisticsTest, SenderReportsComeBackAsLsrAndDlsr) {
  receive(0);
  statistics_.handle_sender_report(start_ + seconds(1), 0x1122334455667788);
  const wire::ReportBlock block =
      statistics_.make_report_block(start_ + seconds(1) + milliseconds(1500), 1);
  EXPECT_EQ(block.last_sender_report, 0x33445566U);
  EXPECT_EQ(block.delay_since_sender_report, 3U << 15);  // 1.5 s
}

TEST_F(ReceiveStatisticsTest, CumulativeLossIsCappedAt24Bits) {
  receive(0);
  receive(0x900000);
  const wire::ReportBlock block = statistics_.make_report_block(start_, 1);
  EXPECT_EQ(block.cumulative_lost, 0x7fffff);
  EXPECT_EQ(block.fraction_lost, 255);
}

TEST(NtpClockTest, MapsMicrosecondsExactly) {
  const NtpClock clock(seconds(3));
  EXPECT_EQ(clock.at(base::Instant(seconds(2))), 5ULL << 32);
  EXPECT_EQ(clock.at(base::Instant(milliseconds(2500))), (5ULL << 32) + (1ULL << 31));
  EXPECT_EQ(clock.middle_at(base::Instant(milliseconds(2500))), (5U << 16) + (1U << 15));
}

TEST(NtpClockTest, RoundTrip) {
  const NtpClock clock(seconds(70'000));  // the middle bits wrap somewhere
  for (const int round_trip : {0, 1, 35, 250, 4'000}) {
    for (const int held : {0, 7, 2'000}) {
      const base::Instant sent(seconds(12'345) + base::Duration(678'901));
      wire::ReportBlock block;
      block.last_sender_report = clock.middle_at(sent);
      block.delay_since_sender_report = wire::to_ntp_duration(milliseconds(held));
      const auto measured = clock.round_trip(sent + milliseconds(round_trip + held), block);
      ASSERT_TRUE(measured) << round_trip << " " << held;
      EXPECT_NEAR(static_cast<double>(measured->count()), round_trip * 1000.0, 50);
    }
  }
}

TEST(NtpClockTest, RefusesImpossibleRoundTrips) {
  const NtpClock clock(seconds(0));
  const base::Instant now(seconds(1'000));
  wire::ReportBlock block;
  EXPECT_FALSE(clock.round_trip(now, block));  // no sender report yet
  block.last_sender_report = clock.middle_at(now - seconds(2));
  block.delay_since_sender_report = wire::to_ntp_duration(seconds(3));  // from the future
  EXPECT_FALSE(clock.round_trip(now, block));
  block.last_sender_report = clock.middle_at(now - seconds(90));
  block.delay_since_sender_report = 0;
  EXPECT_FALSE(clock.round_trip(now, block));
}

TEST(SenderStatisticsTest, CountsAndMovesTheTimestampOn) {
  const NtpClock clock(seconds(0));
  SenderStatistics statistics;
  EXPECT_FALSE(statistics.has_packets());
  const base::Instant start(seconds(50));
  for (std::uint32_t n = 0; n < 10; ++n)
    statistics.handle_packet_sent(start + n * milliseconds(20), 0xfffffff0U + n * kTicks, 160);
  const base::Instant now = start + milliseconds(180) + milliseconds(500);
  const wire::SenderInfo info = statistics.make_sender_info(now, 9, clock);
  EXPECT_EQ(info.ssrc, 9U);
  EXPECT_EQ(info.packet_count, 10U);
  EXPECT_EQ(info.octet_count, 1'600U);
  EXPECT_EQ(info.ntp, clock.at(now));
  EXPECT_EQ(info.rtp_timestamp, 0xfffffff0U + 9 * kTicks + 24'000U);
}

}  // namespace
}  // namespace alcove::rtc
