#pragma once
// What a receiver reports of one RTP stream: loss and jitter (RFC 3550, section 6.4.1, appendices
// A.3 and A.8). One thread.

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "wire/rtcp.h"

namespace alcove::rtc {

class ReceiveStatistics {
 public:
  // clock_rate: RTP timestamp units a second; Opus is always 48,000.
  explicit ReceiveStatistics(std::uint32_t clock_rate = 48'000) : clock_rate_(clock_rate) {}

  // Every authenticated packet, by extended sequence number; duplicates count as received, as A.3
  // has it.
  void handle_packet(base::Instant now, std::uint64_t sequence, std::uint32_t timestamp);
  // ntp is the 64-bit NTP timestamp of a sender report of this stream.
  void handle_sender_report(base::Instant now, std::uint64_t ntp);

  // The report on the stream; ends an interval: the next fraction is of the packets from here on.
  // ssrc is that of the stream. Call only when has_packets().
  wire::ReportBlock make_report_block(base::Instant now, std::uint32_t ssrc);

  bool has_packets() const { return received_ != 0; }
  std::uint64_t received() const { return received_; }
  std::uint64_t expected() const { return received_ == 0 ? 0 : highest_ - first_ + 1; }
  // Negative when there were more duplicates than losses.
  std::int64_t lost() const {
    return static_cast<std::int64_t>(expected()) - static_cast<std::int64_t>(received_);
  }
  std::uint64_t highest_sequence() const { return highest_; }
  base::Duration jitter() const;

 private:
  std::uint32_t clock_rate_;
  std::uint64_t first_ = 0;
  std::uint64_t highest_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t expected_at_report_ = 0;
  std::uint64_t received_at_report_ = 0;
  std::optional<std::uint32_t> last_transit_;
  std::uint32_t jitter_q4_ = 0;  // in timestamp units, times 16
  std::optional<base::Instant> last_sender_report_at_;
  std::uint32_t last_sender_report_ = 0;  // the middle 32 bits of its NTP timestamp
};

}  // namespace alcove::rtc
