#include "relay/ingress.h"

#include <algorithm>

namespace alcove::relay {

std::expected<void, DropReason> Ingress::handle_packet(base::Instant now,
                                                       const wire::RtpPacket& packet,
                                                       std::uint64_t index,
                                                       std::uint8_t payload_type) {
  const wire::RtpFields& fields = packet.header.fields;
  if (fields.payload_type != payload_type) return std::unexpected(DropReason::kForeignStream);
  if (packet.payload.empty()) return std::unexpected(DropReason::kMalformedRtp);
  if (packet.payload.size() > kMaxPayload) return std::unexpected(DropReason::kOversized);
  if (!packets_.take(now, 1)) return std::unexpected(DropReason::kOverBudget);
  if (!bytes_.take(now, static_cast<std::int64_t>(packet.payload.size())))
    return std::unexpected(DropReason::kOverBudget);
  if (const auto admitted = admit_stream(now, fields.ssrc); !admitted) return admitted;
  last_packet_ = now;
  statistics_.handle_packet(now, index, fields.timestamp);
  nack_.handle_packet(now, index);
  if (report_at_ == base::kNever) report_at_ = now + kReceiverReportInterval;
  return {};
}

std::expected<void, DropReason> Ingress::admit_stream(base::Instant now, std::uint32_t ssrc) {
  if (ssrc_ == ssrc) return {};
  if (ssrc_) {
    if (now - last_packet_ < kStreamChangeSilence || changes_ >= kMaxStreamChanges)
      return std::unexpected(DropReason::kForeignStream);
    ++changes_;
    stop();
  }
  ssrc_ = ssrc;
  return {};
}

void Ingress::handle_sender_report(base::Instant now, const wire::SenderInfo& sender) {
  if (ssrc_ == sender.ssrc) statistics_.handle_sender_report(now, sender.ntp);
}

void Ingress::stop() {
  ++stream_;
  report_at_ = base::kNever;
  statistics_ = rtc::ReceiveStatistics();
  nack_ = rtc::NackGenerator();
}

base::Instant Ingress::next_deadline() const { return std::min(report_at_, nack_.next_deadline()); }

wire::ReportBlock Ingress::make_report(base::Instant now) {
  // Silence is not reported again and again: the next packet starts the clock.
  const bool silent = now - last_packet_ >= kReceiverReportInterval;
  report_at_ = silent ? base::kNever : now + kReceiverReportInterval;
  return statistics_.make_report_block(now, ssrc_.value_or(0));
}

const std::vector<std::uint16_t>& Ingress::collect_missing(base::Instant now,
                                                           base::Duration round_trip) {
  missing_indices_.clear();
  missing_.clear();
  if (now < nack_.next_deadline()) return missing_;
  nack_.collect(now, round_trip, missing_indices_);
  for (const std::uint64_t index : missing_indices_)
    missing_.push_back(static_cast<std::uint16_t>(index));
  return missing_;
}

}  // namespace alcove::relay
