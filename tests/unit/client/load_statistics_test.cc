// Gaps by clear RTP headers, percentiles, and what is written of them.

#include "client/load_statistics.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "client/load_arrivals.h"
#include "client/load_report.h"
#include "wire/rtp.h"

namespace alcove::client {
namespace {

using base::milliseconds;
using base::seconds;
using testing::HasSubstr;
using testing::Not;

class LoadArrivalsTest : public testing::Test {
 protected:
  bool receive(std::uint16_t sequence, bool marker = false, std::uint32_t ssrc = 7) {
    base::Buffer packet(160);
    wire::write_rtp_header(std::span(packet).first<wire::kRtpHeaderSize>(),
                           {.marker = marker,
                            .payload_type = 111,
                            .sequence = sequence,
                            .timestamp = timestamp + sequence * 960U,
                            .ssrc = ssrc});
    return arrivals.handle_packet(now, packet);
  }

  base::Instant now{seconds(1000)};
  std::uint32_t timestamp = 0;
  LoadArrivals arrivals;
};

TEST_F(LoadArrivalsTest, TheLongestTimeBetweenPacketsOfASpurt) {
  EXPECT_EQ(arrivals.first(), base::kNever);
  EXPECT_FALSE(receive(65'534, true));
  EXPECT_EQ(arrivals.first(), now);
  now += milliseconds(20);
  EXPECT_TRUE(receive(65'535));
  timestamp += 65'536U * 960U;  // the number wraps, the time goes on
  now += milliseconds(95);
  EXPECT_TRUE(receive(0));
  now += milliseconds(20);
  EXPECT_TRUE(receive(1));
  EXPECT_EQ(arrivals.worst(), milliseconds(95));
  EXPECT_EQ(arrivals.audible_gaps(), 1U);
  EXPECT_EQ(arrivals.packets(), 4U);
  arrivals.begin_measuring();
  now += milliseconds(30);
  receive(2);
  EXPECT_EQ(arrivals.worst_measured(), milliseconds(30));
  EXPECT_EQ(arrivals.worst(), milliseconds(95));
}

TEST_F(LoadArrivalsTest, SilenceIsNoGap) {
  receive(1, true);
  now += seconds(3);
  timestamp += 3 * 48'000;
  EXPECT_TRUE(receive(2, true));
  now += seconds(3);
  timestamp += 3 * 48'000;
  EXPECT_FALSE(receive(4));  // the packet with the marker was lost
  EXPECT_EQ(arrivals.worst(), base::Duration::zero());
}

TEST_F(LoadArrivalsTest, LostPacketsMakeAGapAndLateOnesNone) {
  receive(1, true);
  now += milliseconds(100);
  EXPECT_FALSE(receive(6));
  EXPECT_EQ(arrivals.worst(), milliseconds(100));
  now += milliseconds(300);
  EXPECT_FALSE(receive(5));
  EXPECT_EQ(arrivals.worst(), milliseconds(100));
  // Each voice by itself.
  EXPECT_FALSE(receive(1, true, 8));
  now += milliseconds(40);
  EXPECT_TRUE(receive(2, false, 8));
  EXPECT_EQ(arrivals.worst(), milliseconds(100));
}

TEST_F(LoadArrivalsTest, BoundsWhatComesFromOutside) {
  EXPECT_FALSE(arrivals.handle_packet(now, base::as_bytes("x")));
  EXPECT_EQ(arrivals.packets(), 0U);
  for (std::uint32_t ssrc = 0; ssrc < 1'000; ++ssrc) EXPECT_FALSE(receive(1, false, ssrc));
  EXPECT_EQ(arrivals.packets(), 1'000U);
}

TEST(LoadStatistics, PercentilesAreByNearestRank) {
  EXPECT_EQ(percentiles_of({}).count, 0U);
  EXPECT_EQ(percentiles_of({milliseconds(7)}).p50, 7);
  EXPECT_EQ(percentiles_of({milliseconds(7)}).max, 7);
  std::vector<base::Duration> values;
  for (int i = 200; i >= 1; --i) values.push_back(milliseconds(i));
  const Percentiles all = percentiles_of(values);
  EXPECT_EQ(all.count, 200U);
  EXPECT_EQ(all.p50, 100);
  EXPECT_EQ(all.p90, 180);
  EXPECT_EQ(all.p95, 190);
  EXPECT_EQ(all.p99, 198);
  EXPECT_EQ(all.max, 200);
}

std::vector<LoadRecord> some_records() {
  const base::Instant begin{seconds(100)};
  LoadRecord heard{.already = true,
                   .requested = begin,
                   .answered = begin + milliseconds(5),
                   .admitted = begin + milliseconds(100),
                   .connected = begin + milliseconds(20),
                   .first_packet = begin + milliseconds(120),
                   .packets = 990,
                   .lost = 10,
                   .authenticated = 20,
                   .jitter = milliseconds(3),
                   .worst_gap = milliseconds(200),
                   .worst_gap_measured = milliseconds(60)};
  LoadRecord sampled = heard;
  sampled.sampled = true;
  sampled.already = false;
  sampled.lost = 0;
  sampled.packets = 1000;
  sampled.opened = 998;
  sampled.not_opened = 2;
  sampled.worst_gap = sampled.worst_gap_measured = milliseconds(30);
  sampled.first_packet = begin + milliseconds(320);
  LoadRecord deaf{.sampled = true, .requested = begin, .admitted = begin + milliseconds(50)};
  LoadRecord refused{.requested = begin, .failure = "rate_limited", .message = "Too <many>."};
  return {heard, sampled, deaf, refused, refused};
}

TEST(LoadStatistics, AreSummedUp) {
  const LoadSummary summary = summarize(some_records());
  EXPECT_EQ(summary.requested, 5U);
  EXPECT_EQ(summary.joined, 3U);
  EXPECT_EQ(summary.with_sound, 2U);
  EXPECT_EQ(summary.failed, 2U);
  ASSERT_TRUE(summary.failures.contains("rate_limited"));
  EXPECT_EQ(summary.failures.at("rate_limited").count, 2U);
  EXPECT_THAT(summary.failures.at("rate_limited").advice, HasSubstr("rate_limit_factor"));
  EXPECT_EQ(summary.admitted.count, 3U);
  EXPECT_EQ(summary.first_packet.max, 320);
  EXPECT_EQ(summary.first_packet_measured.count, 1U);
  EXPECT_EQ(summary.packets, 1'990U);
  EXPECT_EQ(summary.lost, 10);
  EXPECT_DOUBLE_EQ(load_loss(summary), 0.005);
  EXPECT_EQ(summary.members_with_loss, 1U);
  EXPECT_EQ(summary.share_with_audible_gap, 0.5);
  EXPECT_EQ(summary.gaps_already.count, 1U);
  EXPECT_EQ(summary.gaps_already.max, 60);
  EXPECT_EQ(summary.share_with_audible_gap_already, 0);
  EXPECT_EQ(summary.sampled, 2U);
  EXPECT_EQ(summary.sampled_silent, 1U);
  EXPECT_EQ(summary.opened, 998U);
}

TEST(LoadStatistics, OfNothingAreZero) {
  const LoadSummary summary = summarize({});
  EXPECT_EQ(summary.requested, 0U);
  EXPECT_EQ(load_loss(summary), 0);
  EXPECT_THAT(load_text(summary), HasSubstr("0 joins"));
  EXPECT_THAT(load_html(summary, {}), HasSubstr("</html>"));
}

LoadSummary summary_to_write() {
  LoadSummary summary = summarize(some_records());
  summary.server = "http://a\"b<c>";
  summary.timeline = {{1, 1, 2, 0, 50}, {2, 3, 0, 2, 150}};
  return summary;
}

TEST(LoadReport, JsonCanBeRead) {
  google::protobuf::Struct read;
  const std::string json = load_json(summary_to_write());
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &read).ok()) << json;
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const auto& fields = read.fields();
  EXPECT_EQ(fields.at("event").string_value(), "load");
  EXPECT_EQ(fields.at("server").string_value(), "http://a\"b<c>");
  EXPECT_EQ(fields.at("joined").number_value(), 3);
  const auto& joins = fields.at("join_ms").struct_value().fields();
  EXPECT_EQ(joins.at("first_packet").struct_value().fields().at("max").number_value(), 320);
  const auto& failures = fields.at("failures").list_value();
  ASSERT_EQ(failures.values_size(), 1);
  EXPECT_EQ(failures.values(0).struct_value().fields().at("count").number_value(), 2);
  EXPECT_EQ(fields.at("timeline").list_value().values_size(), 2);
  EXPECT_EQ(fields.at("packets").struct_value().fields().at("loss").number_value(), 0.005);
}

TEST(LoadReport, HtmlIsOneFileWithoutScriptsAndEscapesTexts) {
  const std::string html = load_html(summary_to_write(), some_records());
  EXPECT_THAT(html, HasSubstr("a&quot;b&lt;c&gt;"));
  EXPECT_THAT(html, HasSubstr("Too &lt;many&gt;."));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  for (const auto* never : {"<script", "src=", "href=", "url(", "@import", "<many>", "nan", "inf,"})
    EXPECT_THAT(html, Not(HasSubstr(never)));
  std::size_t plots = 0;
  for (std::size_t at = html.find("<svg"); at != std::string::npos; at = html.find("<svg", at + 1))
    ++plots;
  EXPECT_EQ(plots, 5U);
  EXPECT_THAT(html, HasSubstr("<rect"));
}

TEST(LoadReport, AProgressLineCountsPacketsASecond) {
  LoadCrowd::Progress before{.packets = 1'000, .since_start = seconds(9)};
  LoadCrowd::Progress now{.stage = LoadStage::kMeasuring,
                          .requested = 12,
                          .counts = {.joining = 1, .inside = 10},
                          .failed = 1,
                          .packets = 3'000,
                          .since_start = seconds(13)};
  const std::string line = load_progress_line(now, before);
  EXPECT_THAT(line, HasSubstr("13 s"));
  EXPECT_THAT(line, HasSubstr("10 in, 1 joining, 0 leaving, 1 failed, 500 packets/s"));
  EXPECT_THAT(load_progress_line(now, now), HasSubstr(" 0 packets/s"));
}

}  // namespace
}  // namespace alcove::client
