#pragma once
// A relay for one client: IceLite, a DTLS server and SRTP. It plays what the client sends back into
// the slot that the first byte of the payload says, and repairs losses both ways.

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/dtls.h"
#include "crypto/srtp.h"
#include "rtc/nack.h"
#include "rtc/receive_statistics.h"
#include "rtc/sender_statistics.h"
#include "unit/rtc/ice_nodes.h"
#include "wire/demux.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"
#include "wire/sequence.h"

namespace alcove::rtc {

class TestRelay final : public simulation::SimulatedNode {
 public:
  TestRelay(base::RandomSource& random, crypto::DtlsSrtpProfiles profiles)
      : random_(random),
        certificate_(crypto::Certificate::generate(random, base::WallTime{})),
        context_(certificate_, profiles) {}

  // The answer to the first offer, or to that of a restart.
  std::string answer(base::Instant now, const std::string& offer_sdp, std::size_t slots) {
    const auto offer = wire::parse_sdp(offer_sdp);
    if (!offer || wire::check_offer(*offer)) return {};
    const wire::SdpMedia& media = offer->media.front();
    const wire::IceCredentials local = make_ice_credentials(random_, "s1");
    if (ice_) {
      ice_->restart(local, *media.ice);
    } else {
      ice_.emplace(now, local, *media.ice);
      crypto::Fingerprint expected{};
      std::ranges::copy(media.fingerprint->digest, expected.begin());
      dtls_.emplace(context_, crypto::DtlsRole::kServer, expected);
      client_ssrc_ = media.sources.front().ssrc;
      for (std::size_t i = 0; i < slots; ++i) slots_.push_back(make_slot());
    }
    wire::AnswerOptions options;
    options.ice = local;
    options.fingerprint = certificate_.fingerprint();
    options.candidates = candidates;
    for (const Slot& slot : slots_) options.slots.push_back({slot.ssrc, "r"});
    return wire::write_answer(*offer, options);
  }

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    if (!ice_) return;
    const wire::PacketKind kind = wire::classify_packet(datagram);
    if (kind == wire::PacketKind::kStun) {
      const auto message = wire::parse_stun(datagram);
      if (message) ice_->handle_request(now, path, *message, datagram, out_);
      return;
    }
    if (!ice_->is_valid_path(path)) return;
    if (kind == wire::PacketKind::kDtls) {
      dtls_->handle_datagram(now, datagram);
      update_dtls();
    } else if (receiver_ && kind == wire::PacketKind::kRtp) {
      handle_rtp(now, base::to_buffer(datagram));
    } else if (receiver_ && kind == wire::PacketKind::kRtcp) {
      handle_rtcp(now, base::to_buffer(datagram));
    }
  }
  void handle_timeout(base::Instant now) override {
    if (dtls_) dtls_->handle_timeout(now);
    update_dtls();
    if (sender_ && now >= missing_.next_deadline()) send_nack(now);
    if (sender_ && now >= next_report_) send_reports(now);
  }
  base::Instant next_deadline() override {
    if (!dtls_) return base::kNever;
    const base::Instant report = sender_ ? next_report_ : base::kNever;
    return std::min({dtls_->next_deadline(), missing_.next_deadline(), report});
  }
  base::DatagramQueue& outgoing() override { return out_; }

  const IceLite& ice() const { return *ice_; }
  bool is_connected() const { return dtls_ && dtls_->state() == crypto::DtlsState::kConnected; }

  std::vector<wire::IceCandidate> candidates;
  bool repairs = true;
  std::uint64_t frames = 0;            // received, once each
  std::uint64_t resent = 0;            // to the client
  std::uint64_t reports_received = 0;  // receiver and sender reports
  std::uint32_t client_ssrc_ = 0;
  std::uint64_t first_index = 0;
  std::optional<base::Duration> round_trip;
  std::optional<wire::ReportBlock> last_block;
  std::string cname;

 private:
  struct Slot {
    std::uint32_t ssrc = 0;
    std::uint64_t next_index = 0;
    RetransmissionRing ring;
    SenderStatistics sent;
  };

  Slot make_slot() {
    Slot slot;
    slot.ssrc = random_.next_u32();
    slot.next_index = 0x7fff;
    return slot;
  }
  void update_dtls() {
    if (!dtls_) return;
    for (const base::Buffer& datagram : dtls_->take_outgoing())
      if (ice_->selected_path()) out_.push(*ice_->selected_path(), datagram);
    if (sender_ || dtls_->state() != crypto::DtlsState::kConnected) return;
    sender_.emplace(dtls_->srtp_keys().local);
    receiver_.emplace(dtls_->srtp_keys().remote);
  }
  void handle_rtp(base::Instant now, base::Buffer packet) {
    const auto info = receiver_->unprotect_rtp(packet);
    if (!info || info->ssrc != client_ssrc_) return;
    dtls_->confirm_peer_received();
    const auto rtp =
        wire::parse_rtp(base::Bytes(packet).first(info->payload_offset + info->payload_size));
    if (frames++ == 0) first_index = info->index;
    receive_.handle_packet(now, info->index, rtp->header.fields.timestamp);
    if (repairs) missing_.handle_packet(now, info->index);
    Slot& slot = slots_[rtp->payload[0] % slots_.size()];
    const RetransmissionRing::Packet echo{slot.next_index++, rtp->header.fields.timestamp,
                                          rtp->header.fields.marker, rtp->payload};
    slot.ring.store(echo.index, echo.timestamp, echo.marker, echo.payload);
    slot.sent.handle_packet_sent(now, echo.timestamp, echo.payload.size());
    send(slot, echo);
  }
  void send(const Slot& slot, const RetransmissionRing::Packet& packet) {
    std::array<std::uint8_t, wire::kRtpHeaderSize> header;
    wire::write_rtp_header(
        header, {packet.marker, wire::kOpusPayloadType, static_cast<std::uint16_t>(packet.index),
                 packet.timestamp, slot.ssrc});
    const base::MutableBytes space = out_.reserve(packet.payload.size() + 40);
    out_.commit(*ice_->selected_path(),
                sender_->protect_rtp(header, packet.payload,
                                     static_cast<std::uint32_t>(packet.index >> 16), space));
  }
  void send_rtcp(base::Bytes compound) {
    const base::MutableBytes space = out_.reserve(compound.size() + 40);
    out_.commit(*ice_->selected_path(), sender_->protect_rtcp(compound, space));
  }
  void handle_rtcp(base::Instant now, base::Buffer packet) {
    const auto size = receiver_->unprotect_rtcp(packet);
    if (!size) return;
    dtls_->confirm_peer_received();
    const auto compound = wire::parse_rtcp(base::Bytes(packet).first(*size));
    if (!compound) return;
    for (const wire::RtcpPacket& part : *compound) {
      if (const auto* report = std::get_if<wire::ReceiverReport>(&part)) {
        ++reports_received;
        handle_blocks(now, report->blocks);
      } else if (const auto* sender = std::get_if<wire::SenderReport>(&part)) {
        ++reports_received;
        receive_.handle_sender_report(now, sender->sender.ntp);
        handle_blocks(now, sender->blocks);
      } else if (const auto* name = std::get_if<wire::SourceName>(&part)) {
        cname = name->cname;
      } else if (const auto* nack = std::get_if<wire::Nack>(&part)) {
        resend(*nack);
      }
    }
  }
  void handle_blocks(base::Instant now, const wire::ReportBlocks& blocks) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      last_block = blocks[i];
      if (const auto measured = clock_.round_trip(now, blocks[i])) round_trip = measured;
    }
  }
  void resend(const wire::Nack& nack) {
    for (Slot& slot : slots_) {
      if (slot.ssrc != nack.media_ssrc || !repairs) continue;
      nack.for_each_lost(64, [&](std::uint16_t sequence) {
        const auto packet = slot.ring.find(wire::unwrap_sequence(slot.next_index - 1, sequence));
        if (!packet) return;
        ++resent;
        send(slot, *packet);
      });
    }
  }
  void send_nack(base::Instant now) {
    std::vector<std::uint64_t> missing;
    missing_.collect(now, base::milliseconds(60), missing);
    if (missing.empty()) return;
    std::vector<std::uint16_t> lost;
    for (const std::uint64_t index : missing) lost.push_back(static_cast<std::uint16_t>(index));
    std::array<std::uint8_t, 500> buffer;
    wire::RtcpWriter writer(buffer);
    writer.add_nack(1, client_ssrc_, lost);
    send_rtcp(writer.finish());
  }
  void send_reports(base::Instant now) {
    next_report_ = now + base::seconds(2);
    std::array<std::uint8_t, 500> buffer;
    wire::RtcpWriter writer(buffer);
    std::vector<wire::ReportBlock> blocks;
    if (receive_.has_packets()) blocks.push_back(receive_.make_report_block(now, client_ssrc_));
    writer.add_receiver_report(1, blocks);
    for (const Slot& slot : slots_)
      if (slot.sent.has_packets())
        writer.add_sender_report(slot.sent.make_sender_info(now, slot.ssrc, clock_), {});
    send_rtcp(writer.finish());
  }

  base::RandomSource& random_;
  crypto::Certificate certificate_;
  crypto::DtlsContext context_;
  std::optional<IceLite> ice_;
  std::optional<crypto::DtlsSession> dtls_;
  std::optional<crypto::SrtpSender> sender_;
  std::optional<crypto::SrtpReceiver> receiver_;
  std::vector<Slot> slots_;
  ReceiveStatistics receive_;
  NackGenerator missing_;
  NtpClock clock_{base::seconds(77)};
  base::Instant next_report_;
  base::DatagramQueue out_;
};

}  // namespace alcove::rtc
