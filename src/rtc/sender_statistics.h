#pragma once
// What a sender reports of one RTP stream, and the round trip that it learns from the answers (RFC
// 3550, sections 4, 6.4.1 and 6.4.2). One thread.

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "wire/rtcp.h"

namespace alcove::rtc {

// NTP time from the monotonic clock plus an offset. The offset may be random: receivers only
// compare NTP times of one sender, and the calendar is nobody's business.
class NtpClock {
 public:
  explicit NtpClock(base::Duration offset) : offset_(offset) {}
  // 32 bits of seconds, 32 of fraction.
  std::uint64_t at(base::Instant now) const;
  // The middle 32 bits, in units of 1/65,536 s: LSR and the arithmetic of round trips.
  std::uint32_t middle_at(base::Instant now) const { return wire::ntp_middle(at(now)); }
  // What a report block says of the round trip: now - LSR - DLSR. nullopt when the receiver has had
  // no sender report, or when the numbers are impossible (negative, or over a minute).
  std::optional<base::Duration> round_trip(base::Instant now, const wire::ReportBlock& block) const;

 private:
  base::Duration offset_;
};

class SenderStatistics {
 public:
  explicit SenderStatistics(std::uint32_t clock_rate = 48'000) : clock_rate_(clock_rate) {}

  // A packet sent for the first time.
  void handle_packet_sent(base::Instant now, std::uint32_t timestamp, std::size_t payload_size);

  bool has_packets() const { return packets_ != 0; }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t octets() const { return octets_; }
  // The sender information at now: the RTP timestamp is that of the last packet, moved on to now.
  wire::SenderInfo make_sender_info(base::Instant now, std::uint32_t ssrc,
                                    const NtpClock& clock) const;

 private:
  std::uint32_t clock_rate_;
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
  base::Instant last_sent_;
  std::uint32_t last_timestamp_ = 0;
};

}  // namespace alcove::rtc
