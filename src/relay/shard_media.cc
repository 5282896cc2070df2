// SRTP in from speakers, through the slots, out to listeners; and RTCP both ways.

#include <algorithm>
#include <variant>

#include "relay/shard_implementation.h"
#include "wire/rtp.h"

namespace alcove::relay {
namespace {

// One sample a listener and second, so that nobody outvotes the others by reporting often.
constexpr base::Duration kLossSampleInterval = base::seconds(1);

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace

void Shard::Implementation::handle_rtp(Turn turn, Endpoint& endpoint, base::MutableBytes packet) {
  const auto info = endpoint.receiver->unprotect_rtp(packet);
  if (!info) return counters_.drop(DropReason::kRefusedSrtp);
  endpoint.dtls.confirm_peer_received();
  // After the decryption: the rollover counter goes on while the member may not send.
  if (!endpoint.may_send) return counters_.drop(DropReason::kNotAllowedToSend);
  const auto rtp = wire::parse_rtp(packet.first(info->payload_offset + info->payload_size));
  if (!rtp) return counters_.drop(DropReason::kMalformedRtp);
  const auto accepted =
      endpoint.ingress.handle_packet(turn.now, *rtp, info->index, endpoint.send_payload_type);
  if (!accepted) return counters_.drop(accepted.error());
  ++counters_.speaker_packets;
  schedule(endpoint);
  const SpeakerFrame frame{.speaker = endpoint.join_id,
                           .stream = endpoint.ingress.stream(),
                           .index = info->index,
                           .timestamp = rtp->header.fields.timestamp,
                           .marker = rtp->header.fields.marker,
                           .received = turn.now};
  submit_frame(turn, *endpoint.room, frame, rtp->payload);
}

void Shard::Implementation::submit_frame(Turn turn, const LocalRoom& room,
                                         const SpeakerFrame& frame, base::Bytes payload) {
  const unsigned home = home_of(room.id());
  if (home == options_.index) return place_frame(turn, room.id(), frame, payload, nullptr);
  SpeakerPacket message;
  message.room = room.id();
  message.frame = frame;
  message.payload = std::make_shared<const base::Buffer>(base::to_buffer(payload));
  turn.out.to_shards.push_back({home, std::move(message)});
}

void Shard::Implementation::place_frame(Turn turn, const base::RelayRoomId& room,
                                        const SpeakerFrame& frame, base::Bytes payload,
                                        std::shared_ptr<const base::Buffer> shared) {
  const auto found = home_rooms_.find(room);
  if (found == home_rooms_.end()) return counters_.drop(DropReason::kUnknownRoom);
  HomeRoom& home = found->second;
  const auto placement = home.mapper.place(frame);
  if (!placement) return counters_.drop(placement.error());
  ++counters_.slot_packets;
  for (unsigned shard = 0; shard < options_.count; ++shard) {
    if (shard == options_.index || !home.is_present(shard)) continue;
    if (!shared) shared = std::make_shared<const base::Buffer>(base::to_buffer(payload));
    turn.out.to_shards.push_back(
        {shard, SlotPacket{room, frame.speaker, *placement, frame.received, shared}});
  }
  if (LocalRoom* local = find_room(room))
    send_to_listeners(turn, *local, frame.speaker, *placement, frame.received, payload);
}

void Shard::Implementation::send_to_listeners(Turn turn, LocalRoom& room,
                                              const base::JoinId& speaker,
                                              const Placement& placement, base::Instant received,
                                              base::Bytes payload) {
  handshake_budget_.note_media(turn.now);
  const auto found = endpoints_.find(speaker);
  const Endpoint* own = found == endpoints_.end() ? nullptr : found->second.get();
  room.handle_packet(turn.now, received, {placement, own, payload}, turn.out.datagrams, counters_);
  releases_.set(room, room.release_at());
  // What is held on purpose is late only after its release.
  if (room.release_at() == base::kNever) note_sent(received);
}

void Shard::Implementation::release(Turn turn, LocalRoom& room) {
  room.release(turn.out.datagrams, counters_);
  releases_.remove(room);
}

void Shard::Implementation::stop_speaker(Turn turn, Endpoint& endpoint) {
  if (!endpoint.ingress.ssrc()) return;  // has never spoken
  endpoint.ingress.stop();
  const base::RelayRoomId& room = endpoint.room->id();
  tell(turn, home_of(room), SpeakerStopped{room, endpoint.join_id});
}

void Shard::Implementation::handle_rtcp(Turn turn, Endpoint& endpoint, base::MutableBytes packet) {
  const auto size = endpoint.receiver->unprotect_rtcp(packet);
  if (!size) return counters_.drop(DropReason::kRefusedSrtp);
  endpoint.dtls.confirm_peer_received();
  const auto compound = wire::parse_rtcp(packet.first(*size));
  if (!compound) return counters_.drop(DropReason::kMalformedRtp);
  for (const wire::RtcpPacket& part : *compound) {
    std::visit(Overloaded{
                   [&](const wire::SenderReport& report) {
                     endpoint.ingress.handle_sender_report(turn.now, report.sender);
                     handle_report_blocks(turn, endpoint, report.blocks);
                   },
                   [&](const wire::ReceiverReport& report) {
                     handle_report_blocks(turn, endpoint, report.blocks);
                   },
                   [&](const wire::Nack& nack) {
                     endpoint.room->handle_nack(turn.now, endpoint, nack, turn.out.datagrams,
                                                counters_);
                   },
                   [](const wire::SourceName&) {},
                   // Who leaves says so to the control plane, or stops checking.
                   [](const wire::Goodbye&) {},
               },
               part);
  }
}

void Shard::Implementation::handle_report_blocks(Turn turn, Endpoint& endpoint,
                                                 const wire::ReportBlocks& blocks) {
  std::optional<std::uint8_t> loss;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const wire::ReportBlock block = blocks[i];
    const auto ours = std::span(endpoint.ssrcs).first(options_.slots);
    if (std::ranges::find(ours, block.ssrc) == ours.end()) continue;
    if (const auto round_trip = endpoint.clock.round_trip(turn.now, block))
      endpoint.round_trip = *round_trip;
    loss = std::max(loss.value_or(0), block.fraction_lost);
  }
  if (!loss || turn.now - endpoint.last_loss_sample < kLossSampleInterval) return;
  endpoint.last_loss_sample = turn.now;
  LocalRoom& room = *endpoint.room;
  if (room.add_loss(turn.now, *loss))
    tell(turn, home_of(room.id()), ListenerLoss{room.id(), turn.now, room.take_loss()});
}

void Shard::Implementation::send_sender_report(Turn turn, Endpoint& endpoint) {
  const std::vector<wire::SenderInfo> slots = endpoint.room->take_sender_info(turn.now, endpoint);
  if (slots.empty()) return;
  const base::MutableBytes space = turn.out.datagrams.reserve(base::kMaxDatagram);
  wire::RtcpWriter writer(space.first(space.size() - crypto::kMaxSrtcpOverhead));
  std::vector<wire::SourceName> names;
  for (const wire::SenderInfo& slot : slots) {
    writer.add_sender_report(slot, {});
    names.push_back({slot.ssrc, endpoint.cname});
  }
  writer.add_source_names(names);
  send_rtcp(turn, endpoint, writer.finish(), space);
}

void Shard::Implementation::send_receiver_report(Turn turn, Endpoint& endpoint) {
  wire::ReportBlock block = endpoint.ingress.make_report(turn.now);
  block.fraction_lost = std::max(block.fraction_lost, endpoint.room->room_loss(turn.now));
  const base::MutableBytes space = turn.out.datagrams.reserve(base::kMaxDatagram);
  wire::RtcpWriter writer(space.first(space.size() - crypto::kMaxSrtcpOverhead));
  writer.add_receiver_report(endpoint.ssrcs[0], {&block, 1});
  const wire::SourceName name{endpoint.ssrcs[0], endpoint.cname};
  writer.add_source_names({&name, 1});
  send_rtcp(turn, endpoint, writer.finish(), space);
}

void Shard::Implementation::send_nack(Turn turn, Endpoint& endpoint) {
  const auto& missing = endpoint.ingress.collect_missing(turn.now, endpoint.round_trip);
  if (missing.empty() || !endpoint.ingress.ssrc()) return;
  const base::MutableBytes space = turn.out.datagrams.reserve(base::kMaxDatagram);
  wire::RtcpWriter writer(space.first(space.size() - crypto::kMaxSrtcpOverhead));
  // RFC 3550, section 6.1: a compound begins with a report, though here it has no block.
  writer.add_receiver_report(endpoint.ssrcs[0], {});
  writer.add_nack(endpoint.ssrcs[0], *endpoint.ingress.ssrc(), missing);
  ++counters_.nacks_to_speakers;
  send_rtcp(turn, endpoint, writer.finish(), space);
}

// compound lies at the start of space, which was reserved in the output.
void Shard::Implementation::send_rtcp(Turn turn, Endpoint& endpoint, base::Bytes compound,
                                      base::MutableBytes space) {
  const std::optional<base::Path>& path = endpoint.ice.selected_path();
  if (!path || compound.empty() || !endpoint.is_connected()) return;
  const std::size_t size = endpoint.sender->protect_rtcp(compound, space);
  if (size != 0) turn.out.datagrams.commit(*path, size);
}

LocalRoom* Shard::Implementation::find_room(const base::RelayRoomId& id) {
  const auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : found->second.get();
}

}  // namespace alcove::relay
