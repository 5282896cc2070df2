#pragma once
// The one stream that a member may send, as its endpoint receives it: which SSRC it is, what is to
// be asked for again, and what the receiver reports say. One thread.

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "relay/counters.h"
#include "relay/token_bucket.h"
#include "rtc/nack.h"
#include "rtc/receive_statistics.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

namespace alcove::relay {

// A member sends at most this: every packet is multiplied by the audience. Twice the rate of 20 ms
// packets and some, also of the largest, with a burst for what a network holds back.
inline constexpr std::int64_t kIngressPacketsPerSecond = 120;
inline constexpr std::int64_t kIngressPacketBurst = 150;
inline constexpr std::int64_t kIngressBytesPerSecond = 75'000;
inline constexpr std::int64_t kIngressByteBurst = 100'000;
// With RTP, SRTP, UDP and IPv6 it fits the least MTU of IPv6, 1,280 bytes.
inline constexpr std::size_t kMaxPayload = 1'200;
// An endpoint may begin another SSRC this often, after the silence below.
inline constexpr std::uint32_t kMaxStreamChanges = 4;
inline constexpr base::Duration kStreamChangeSilence = base::seconds(1);
inline constexpr base::Duration kReceiverReportInterval = base::seconds(1);

class Ingress {
 public:
  // An authentic packet of the SSRC, with its index; nothing is forwarded on an error.
  std::expected<void, DropReason> handle_packet(base::Instant now, const wire::RtpPacket& packet,
                                                std::uint64_t index, std::uint8_t payload_type);
  void handle_sender_report(base::Instant now, const wire::SenderInfo& sender);
  // Forgets what was missing: the member may not send any more. The SSRC stays.
  void stop();

  // How many streams and pauses there have been: another number is another stream to the slot
  // mapper.
  std::uint32_t stream() const { return stream_; }
  std::optional<std::uint32_t> ssrc() const { return ssrc_; }

  // When there is something to report or to ask for; kNever in silence.
  base::Instant next_deadline() const;
  bool is_report_due(base::Instant now) const { return now >= report_at_; }
  // Ends the interval; the caller raises the fraction to what the listeners lose.
  wire::ReportBlock make_report(base::Instant now);
  // Sequence numbers to ask for, in order; valid until the next call.
  const std::vector<std::uint16_t>& collect_missing(base::Instant now, base::Duration round_trip);

 private:
  std::expected<void, DropReason> admit_stream(base::Instant now, std::uint32_t ssrc);

  std::optional<std::uint32_t> ssrc_;
  std::uint32_t stream_ = 0;
  std::uint32_t changes_ = 0;
  base::Instant last_packet_{};
  base::Instant report_at_ = base::kNever;
  TokenBucket packets_{kIngressPacketsPerSecond, kIngressPacketBurst};
  TokenBucket bytes_{kIngressBytesPerSecond, kIngressByteBurst};
  rtc::ReceiveStatistics statistics_;
  rtc::NackGenerator nack_;
  std::vector<std::uint64_t> missing_indices_;
  std::vector<std::uint16_t> missing_;
};

}  // namespace alcove::relay
