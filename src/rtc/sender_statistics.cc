#include "rtc/sender_statistics.h"

namespace alcove::rtc {

std::uint64_t NtpClock::at(base::Instant now) const {
  const auto total = static_cast<std::uint64_t>(now.time_since_epoch().count()) +
                     static_cast<std::uint64_t>(offset_.count());
  const std::uint64_t second = total / 1'000'000;
  const std::uint64_t fraction = (total % 1'000'000 << 32) / 1'000'000;
  return second << 32 | fraction;
}

std::optional<base::Duration> NtpClock::round_trip(base::Instant now,
                                                   const wire::ReportBlock& block) const {
  constexpr std::uint32_t kOneMinute = 60U << 16;
  if (block.last_sender_report == 0) return std::nullopt;
  const std::uint32_t units =
      middle_at(now) - block.last_sender_report - block.delay_since_sender_report;
  // The two roundings of one microsecond each can make a tiny round trip negative.
  if (units >= 0U - 4U) return base::Duration(0);
  if (units > kOneMinute) return std::nullopt;
  return wire::from_ntp_duration(units);
}

void SenderStatistics::handle_packet_sent(base::Instant now, std::uint32_t timestamp,
                                          std::size_t payload_size) {
  ++packets_;
  octets_ += payload_size;
  last_sent_ = now;
  last_timestamp_ = timestamp;
}

wire::SenderInfo SenderStatistics::make_sender_info(base::Instant now, std::uint32_t ssrc,
                                                    const NtpClock& clock) const {
  const std::int64_t elapsed = (now - last_sent_).count();
  wire::SenderInfo info;
  info.ssrc = ssrc;
  info.ntp = clock.at(now);
  info.rtp_timestamp =
      last_timestamp_ + static_cast<std::uint32_t>(elapsed * clock_rate_ / 1'000'000);
  info.packet_count = static_cast<std::uint32_t>(packets_);
  info.octet_count = static_cast<std::uint32_t>(octets_);
  return info;
}

}  // namespace alcove::rtc
