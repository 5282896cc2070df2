#include "rtc/client_media.h"

#include <algorithm>
#include <array>
#include <variant>

#include "base/check.h"
#include "wire/rtp.h"
#include "wire/sequence.h"

namespace alcove::rtc {
namespace {

constexpr base::Duration kReportInterval = base::seconds(2);  // and up to the spread more
constexpr std::uint32_t kReportSpreadMicroseconds = 1'000'000;
constexpr base::Duration kAssumedRoundTrip = base::milliseconds(100);
constexpr std::size_t kMaxCompound = 1'024;

}  // namespace

ClientMedia::ClientMedia(base::RandomSource& random, base::Instant now,
                         const crypto::DtlsSession::SrtpKeys& keys, wire::SdpSource source,
                         const ClientAnswer& answer, std::uint32_t opened_share)
    : random_(random),
      sender_(keys.local),
      receiver_(keys.remote),
      source_(std::move(source)),
      payload_type_(answer.payload_type),
      clock_(base::Duration(random.next_u32())),
      timestamp_offset_(random.next_u32()),
      next_index_(random.below(0x8000)),  // below 2^15, so that an early loss cannot hide a wrap
      opened_share_(opened_share),
      next_report_(now) {
  for (const std::optional<ClientAnswer::Slot>& described : answer.slots) {
    Slot& slot = slots_.emplace_back();
    if (!described) continue;
    slot.is_open = true;
    slot.ssrc = described->ssrc;
    slot.nack = described->nack;
  }
}

void ClientMedia::send_frame(base::Instant now, const base::Path& path, base::Bytes payload,
                             std::uint32_t timestamp, bool marker, base::DatagramQueue& out) {
  const RetransmissionRing::Packet packet{next_index_++, timestamp + timestamp_offset_, marker,
                                          payload};
  ring_.store(packet.index, packet.timestamp, packet.marker, packet.payload);
  sent_.handle_packet_sent(now, packet.timestamp, payload.size());
  send_packet(path, packet, out);
}

// The same packet gives the same bytes each time, as SRTP demands of a resend.
void ClientMedia::send_packet(const base::Path& path, const RetransmissionRing::Packet& packet,
                              base::DatagramQueue& out) {
  std::array<std::uint8_t, wire::kRtpHeaderSize> header;
  wire::write_rtp_header(header, {.marker = packet.marker,
                                  .payload_type = payload_type_,
                                  .sequence = static_cast<std::uint16_t>(packet.index),
                                  .timestamp = packet.timestamp,
                                  .ssrc = source_.ssrc});
  const base::MutableBytes space =
      out.reserve(header.size() + packet.payload.size() + crypto::kMaxSrtpOverhead);
  const auto rollover_counter = static_cast<std::uint32_t>(packet.index >> 16);
  out.commit(path, sender_.protect_rtp(header, packet.payload, rollover_counter, space));
}

std::size_t ClientMedia::find_slot(std::uint32_t ssrc) const {
  const auto found = std::ranges::find_if(
      slots_, [ssrc](const Slot& slot) { return slot.is_open && slot.ssrc == ssrc; });
  return static_cast<std::size_t>(found - slots_.begin());
}

// The first packet is opened: from then on the extended numbers are those of SRTP. Which ones are
// opened follows from the number alone, so that a repeated packet takes the same way again.
bool ClientMedia::count_unopened(base::Instant now, base::Bytes packet) {
  if (opened_share_ == 1) return false;
  const auto header = wire::parse_rtp_header(packet);
  const std::size_t index = header ? find_slot(header->fields.ssrc) : slots_.size();
  if (index == slots_.size() || header->fields.payload_type != wire::kOpusPayloadType) return false;
  Slot& slot = slots_[index];
  if (!slot.opened_highest) return false;
  const std::uint64_t sequence =
      wire::unwrap_sequence(slot.counted.empty() ? *slot.opened_highest : slot.counted.highest(),
                            header->fields.sequence);
  if (sequence % opened_share_ == 0) return false;
  slot.is_active = true;
  if (!slot.counted.is_new(sequence)) {
    ++slot.duplicates;
    return true;
  }
  slot.counted.accept(sequence);
  ++slot.packets;
  ++slot.unopened;
  slot.octets += packet.size() - header->size;
  slot.receive.handle_packet(now, sequence, header->fields.timestamp);
  if (slot.nack) slot.missing.handle_packet(now, sequence);
  return true;
}

std::optional<RemoteFrame> ClientMedia::handle_rtp(base::Instant now, base::MutableBytes packet) {
  const auto header = wire::parse_rtp_header(packet);
  const std::size_t index = header ? find_slot(header->fields.ssrc) : slots_.size();
  if (index == slots_.size() || header->fields.payload_type != wire::kOpusPayloadType) {
    ++malformed_;
    return std::nullopt;
  }
  Slot& slot = slots_[index];
  const auto opened = receiver_.unprotect_rtp(packet);
  if (!opened) {
    const bool is_duplicate = opened.error() == crypto::SrtpError::kReplayed;
    ++(is_duplicate ? slot.duplicates : unauthenticated_);
    return std::nullopt;
  }
  const auto clear = wire::parse_rtp(packet.first(opened->payload_offset + opened->payload_size));
  if (!clear) {
    ++malformed_;
    return std::nullopt;
  }
  slot.is_active = true;
  slot.opened_highest = std::max(slot.opened_highest.value_or(0), opened->index);
  if (opened_share_ != 1 && slot.counted.is_new(opened->index)) slot.counted.accept(opened->index);
  ++slot.packets;
  slot.octets += clear->payload.size();
  slot.receive.handle_packet(now, opened->index, clear->header.fields.timestamp);
  if (slot.nack) slot.missing.handle_packet(now, opened->index);
  if (clear->payload.empty()) return std::nullopt;
  return RemoteFrame{.slot = index,
                     .sequence = opened->index,
                     .timestamp = clear->header.fields.timestamp,
                     .marker = clear->header.fields.marker,
                     .payload_offset = opened->payload_offset,
                     .payload_size = clear->payload.size()};
}

void ClientMedia::handle_rtcp(base::Instant now, base::MutableBytes packet,
                              const std::optional<base::Path>& path, base::DatagramQueue& out) {
  const auto size = receiver_.unprotect_rtcp(packet);
  if (!size) {
    if (size.error() != crypto::SrtpError::kReplayed) ++unauthenticated_;
    return;
  }
  const auto compound = wire::parse_rtcp(packet.first(*size));
  if (!compound) {
    ++malformed_;
    return;
  }
  for (const wire::RtcpPacket& part : *compound) {
    if (const auto* sender = std::get_if<wire::SenderReport>(&part)) {
      const std::size_t slot = find_slot(sender->sender.ssrc);
      if (slot != slots_.size()) slots_[slot].receive.handle_sender_report(now, sender->sender.ntp);
      handle_reports(now, sender->blocks);
    } else if (const auto* receiver = std::get_if<wire::ReceiverReport>(&part)) {
      handle_reports(now, receiver->blocks);
    } else if (const auto* nack = std::get_if<wire::Nack>(&part)) {
      if (path) handle_nack(*nack, *path, out);
    }
  }
}

void ClientMedia::handle_reports(base::Instant now, const wire::ReportBlocks& blocks) {
  const std::optional<wire::ReportBlock> block = blocks.find(source_.ssrc);
  if (!block) return;
  reported_loss_ = block->fraction_lost;
  if (const auto measured = clock_.round_trip(now, *block)) round_trip_ = *measured;
}

void ClientMedia::handle_nack(const wire::Nack& nack, const base::Path& path,
                              base::DatagramQueue& out) {
  if (nack.media_ssrc != source_.ssrc || !sent_.has_packets()) return;
  nack.for_each_lost(RetransmissionRing::kCapacity, [&](std::uint16_t sequence) {
    const auto packet = ring_.find(wire::unwrap_sequence(next_index_ - 1, sequence));
    if (!packet) return;
    ++resent_;
    send_packet(path, *packet, out);
  });
}

base::Duration ClientMedia::round_trip() const {
  return round_trip_.value_or(ice_round_trip_.value_or(kAssumedRoundTrip));
}

void ClientMedia::handle_timeout(base::Instant now, const std::optional<base::Path>& path,
                                 base::DatagramQueue& out) {
  if (now >= next_report_) {
    next_report_ = now + kReportInterval + base::Duration(random_.below(kReportSpreadMicroseconds));
    if (path) send_report(now, *path, out);
  }
  if (path) send_nacks(now, *path, out);
}

base::Instant ClientMedia::next_deadline() const {
  base::Instant deadline = next_report_;
  for (const Slot& slot : slots_) deadline = std::min(deadline, slot.missing.next_deadline());
  return deadline;
}

void ClientMedia::send_report(base::Instant now, const base::Path& path, base::DatagramQueue& out) {
  boost::container::static_vector<wire::ReportBlock, wire::kMaxSdpMedia> blocks;
  for (Slot& slot : slots_) {
    if (slot.is_active) blocks.push_back(slot.receive.make_report_block(now, slot.ssrc));
    slot.is_active = false;
  }
  const bool has_sent = sent_.packets() != sent_at_report_;
  sent_at_report_ = sent_.packets();
  // The first report goes out even when it says nothing: it ends the relay's DTLS handshake.
  if (has_reported_ && !has_sent && blocks.empty()) return;
  has_reported_ = true;
  std::array<std::uint8_t, kMaxCompound> buffer;
  wire::RtcpWriter writer(buffer);
  if (has_sent)
    writer.add_sender_report(sent_.make_sender_info(now, source_.ssrc, clock_), blocks);
  else
    writer.add_receiver_report(source_.ssrc, blocks);
  send_compound(path, writer, out);
}

// Completes the compound by our name (RFC 3550, section 6.1) and sends it.
void ClientMedia::send_compound(const base::Path& path, wire::RtcpWriter& writer,
                                base::DatagramQueue& out) {
  const wire::SourceName name{source_.ssrc, source_.cname};
  writer.add_source_names({&name, 1});
  const base::Bytes compound = writer.finish();
  CHECK(!compound.empty());
  const base::MutableBytes space = out.reserve(compound.size() + crypto::kMaxSrtcpOverhead);
  const std::size_t size = sender_.protect_rtcp(compound, space);
  if (size != 0) out.commit(path, size);
}

void ClientMedia::send_nacks(base::Instant now, const base::Path& path, base::DatagramQueue& out) {
  for (Slot& slot : slots_) {
    if (slot.missing.next_deadline() > now) continue;
    missing_.clear();
    slot.missing.collect(now, round_trip(), missing_);
    if (missing_.empty()) continue;
    lost_.clear();
    for (const std::uint64_t sequence : missing_)
      lost_.push_back(static_cast<std::uint16_t>(sequence));
    std::array<std::uint8_t, kMaxCompound> buffer;
    wire::RtcpWriter writer(buffer);
    writer.add_receiver_report(source_.ssrc, {});
    writer.add_nack(source_.ssrc, slot.ssrc, lost_);
    send_compound(path, writer, out);
  }
}

void ClientMedia::add_statistics(ClientPeerStatistics& statistics) const {
  const bool is_gcm = sender_.profile() == crypto::SrtpProfile::kAeadAes128Gcm;
  statistics.srtp_profile = is_gcm ? "AEAD_AES_128_GCM" : "AES_CM_128_HMAC_SHA1_80";
  statistics.round_trip = round_trip_;
  statistics.packets_sent = sent_.packets();
  statistics.packets_resent = resent_;
  statistics.reported_loss = reported_loss_ / 256.0;
  statistics.dropped_unauthenticated += unauthenticated_;
  statistics.dropped_malformed += malformed_;
  for (const Slot& slot : slots_)
    statistics.slots.push_back({.packets = slot.packets,
                                .octets = slot.octets,
                                .lost = slot.receive.lost(),
                                .repaired = slot.missing.repaired(),
                                .duplicates = slot.duplicates,
                                .unopened = slot.unopened,
                                .jitter = slot.receive.jitter()});
}

}  // namespace alcove::rtc
