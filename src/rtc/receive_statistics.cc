#include "rtc/receive_statistics.h"

#include <algorithm>

namespace alcove::rtc {
namespace {

constexpr std::int64_t kMaxCumulativeLost = 0x7fffff;  // 24 bits, signed
constexpr std::int64_t kMinCumulativeLost = -0x800000;

}  // namespace

void ReceiveStatistics::handle_packet(base::Instant now, std::uint64_t sequence,
                                      std::uint32_t timestamp) {
  if (received_ == 0) first_ = highest_ = sequence;
  ++received_;
  const bool is_newest = sequence >= highest_;
  highest_ = std::max(highest_, sequence);
  // A packet from before the first counts as expected, or loss would come out negative.
  first_ = std::min(first_, sequence);
  // A repaired packet's transit says how long the repair took, not what the network does.
  if (!is_newest) return;
  const std::int64_t arrival = now.time_since_epoch().count() / 1000 * clock_rate_ / 1000 +
                               now.time_since_epoch().count() % 1000 * clock_rate_ / 1'000'000;
  const auto transit = static_cast<std::uint32_t>(arrival) - timestamp;
  if (last_transit_) {
    const auto difference = static_cast<std::int32_t>(transit - *last_transit_);
    const std::uint32_t size =
        difference < 0 ? 0U - static_cast<std::uint32_t>(difference) : difference;
    // Appendix A.8. More than a second is a new talk spurt or a new clock, not jitter.
    if (size <= clock_rate_) jitter_q4_ += size - ((jitter_q4_ + 8) >> 4);
  }
  last_transit_ = transit;
}

void ReceiveStatistics::handle_sender_report(base::Instant now, std::uint64_t ntp) {
  last_sender_report_ = wire::ntp_middle(ntp);
  last_sender_report_at_ = now;
}

wire::ReportBlock ReceiveStatistics::make_report_block(base::Instant now, std::uint32_t ssrc) {
  const std::uint64_t expected_now = expected();
  const auto expected_interval = static_cast<std::int64_t>(expected_now - expected_at_report_);
  const auto received_interval = static_cast<std::int64_t>(received_ - received_at_report_);
  expected_at_report_ = expected_now;
  received_at_report_ = received_;
  const std::int64_t lost_interval = expected_interval - received_interval;

  wire::ReportBlock block;
  block.ssrc = ssrc;
  if (expected_interval > 0 && lost_interval > 0)
    block.fraction_lost = static_cast<std::uint8_t>(
        std::min<std::int64_t>(255, lost_interval * 256 / expected_interval));
  block.cumulative_lost =
      static_cast<std::int32_t>(std::clamp(lost(), kMinCumulativeLost, kMaxCumulativeLost));
  block.highest_sequence = static_cast<std::uint32_t>(highest_);
  block.jitter = jitter_q4_ >> 4;
  if (last_sender_report_at_) {
    block.last_sender_report = last_sender_report_;
    block.delay_since_sender_report = wire::to_ntp_duration(now - *last_sender_report_at_);
  }
  return block;
}

base::Duration ReceiveStatistics::jitter() const {
  return base::Duration((static_cast<std::int64_t>(jitter_q4_ >> 4) * 1'000'000) / clock_rate_);
}

}  // namespace alcove::rtc
