#include "relay/local_room.h"

#include <algorithm>

#include "base/check.h"
#include "relay/loss.h"
#include "wire/rtp.h"

namespace alcove::relay {
namespace {

constexpr base::Duration kAnnounceInterval = base::seconds(5);
constexpr base::Duration kLossInterval = base::seconds(1);
constexpr base::Duration kLossLifetime = base::seconds(15);
// One NACK names at most what the ring holds.
constexpr std::size_t kMaxLostPerNack = rtc::RetransmissionRing::kCapacity;
// A key comes from memory while the packets of this many listeners before it are made.
constexpr std::size_t kPrefetchAhead = 4;

std::uint32_t ticks(base::Duration duration) {
  return static_cast<std::uint32_t>(duration.count() * kTicksPerMillisecond / 1000);
}

}  // namespace

LocalRoom::LocalRoom(const base::RelayRoomId& id, unsigned slots, bool holds)
    : id_(id), slots_(slots), holds_(holds) {
  CHECK(slots > 0 && slots <= kMaxSlots);
}

bool LocalRoom::announce(base::Instant now) {
  if (now - announced_ < kAnnounceInterval) return false;
  announced_ = now;
  return true;
}

void LocalRoom::add_listener(Endpoint& endpoint, base::RandomSource& random) {
  CHECK(endpoint.sender && endpoint.slot_payload_types.size() == slots_.size());
  endpoint.listener_index = listeners_.size();
  Listener& listener = listeners_.emplace_back();
  listener.endpoint = &endpoint;
  listener.sealer = endpoint.sender->rtp_sealer();
  for (std::size_t i = 0; i < slots_.size(); ++i)
    slots_[i].streams.push_back({ListenerStream(endpoint.ssrcs[i], random), 0});
  set_path(endpoint);
  std::ranges::copy(endpoint.slot_payload_types, listener.payload_types.begin());
}

void LocalRoom::remove_listener(const Endpoint& endpoint) {
  const std::optional<std::size_t> index = find(endpoint);
  if (!index) return;
  listeners_[*index] = listeners_.back();
  listeners_[*index].endpoint->listener_index = *index;
  listeners_.pop_back();
  for (Slot& slot : slots_) {
    slot.streams[*index] = slot.streams.back();
    slot.streams.pop_back();
  }
}

void LocalRoom::set_path(const Endpoint& endpoint) {
  const std::optional<std::size_t> index = find(endpoint);
  if (!index) return;
  const std::optional<base::Path>& path = endpoint.ice.selected_path();
  listeners_[*index].has_path = path.has_value();
  if (path) listeners_[*index].path = *path;
}

std::optional<std::size_t> LocalRoom::find(const Endpoint& endpoint) const {
  const std::size_t index = endpoint.listener_index;
  if (index >= listeners_.size() || listeners_[index].endpoint != &endpoint) return std::nullopt;
  return index;
}

std::uint32_t LocalRoom::active_slots(base::Instant now) const {
  std::uint32_t active = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].is_used && now - slots_[i].last_received < kSlotActiveFor) active |= 1U << i;
  return active;
}

void LocalRoom::handle_packet(base::Instant now, base::Instant received, const SlotFrame& frame,
                              base::DatagramQueue& out, ShardCounters& counters) {
  const Placement& placement = frame.placement;
  Slot& slot = slots_[placement.slot];
  slot.ring.store(placement.index, placement.timestamp, placement.marker, frame.payload);
  if (placement.index >= slot.last_index) {
    slot.last_index = placement.index;
    slot.last_timestamp = placement.timestamp;
    slot.last_received = received;
    slot.is_used = true;
  }
  const std::uint32_t active = active_slots(now) | 1U << placement.slot;
  const bool alone = active == 1U << placement.slot;
  if (!holds_ || (alone && held_.empty())) return fan_out({&frame, 1}, out, counters);
  if (held_.empty()) release_at_ = now + kLongestHold;
  held_.add(frame);
  ++counters.held_packets;
  if (held_.is_full() || (active & ~held_.slots()) == 0 || now >= release_at_)
    release(out, counters);
}

void LocalRoom::release(base::DatagramQueue& out, ShardCounters& counters) {
  release_at_ = base::kNever;
  if (held_.empty()) return;
  fan_out(held_.frames(), out, counters);
  held_.clear();
}

void LocalRoom::fan_out(std::span<const SlotFrame> frames, base::DatagramQueue& out,
                        ShardCounters& counters) {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (i + kPrefetchAhead < listeners_.size()) listeners_[i + kPrefetchAhead].sealer.prefetch();
    const Listener& listener = listeners_[i];
    for (const SlotFrame& frame : frames) {
      const Placement& placement = frame.placement;
      Stream& stream = slots_[placement.slot].streams[i];
      if (listener.endpoint == frame.speaker) {
        stream.numbers.skip_spurt(placement.spurt_start);
        continue;
      }
      if (!listener.has_path) {
        stream.numbers.skip(placement.index, placement.spurt_start);
        continue;
      }
      const auto index = stream.numbers.place(placement.index, placement.spurt_start);
      if (!index) continue;
      send(listener, stream, *index, frame, out);
      stream.numbers.count(frame.payload.size());
      ++counters.listener_packets;
    }
    out.flush_if_full();
  }
}

void LocalRoom::send(const Listener& listener, const Stream& stream, std::uint64_t index,
                     const SlotFrame& frame, base::DatagramQueue& out) {
  const std::size_t size = wire::kRtpHeaderSize + frame.payload.size() +
                           crypto::srtp_overhead(listener.sealer.profile());
  const base::MutableBytes packet = out.reserve(size);
  wire::write_rtp_header(packet.first<wire::kRtpHeaderSize>(),
                         {.marker = frame.placement.marker,
                          .payload_type = listener.payload_types[frame.placement.slot],
                          .sequence = static_cast<std::uint16_t>(index),
                          .timestamp = stream.numbers.timestamp(frame.placement.timestamp),
                          .ssrc = stream.numbers.ssrc()});
  listener.sealer.seal(packet, wire::kRtpHeaderSize, frame.payload, index);
  out.commit(listener.path, size);
}

void LocalRoom::handle_nack(base::Instant now, Endpoint& endpoint, const wire::Nack& nack,
                            base::DatagramQueue& out, ShardCounters& counters) {
  const std::optional<std::size_t> position = find(endpoint);
  if (!position || !listeners_[*position].has_path) return;
  for (unsigned i = 0; i < slots_.size(); ++i) {
    Stream& stream = slots_[i].streams[*position];
    if (stream.numbers.ssrc() != nack.media_ssrc) continue;
    nack.for_each_lost(kMaxLostPerNack, [&](std::uint16_t sequence) {
      const auto slot_index = stream.numbers.slot_index(sequence);
      const auto index = slot_index ? stream.numbers.find(*slot_index) : std::nullopt;
      const auto packet = index ? slots_[i].ring.find(*slot_index) : std::nullopt;
      if (!packet) return counters.drop(DropReason::kNackNotHeld);
      if (!endpoint.resends.take(now, 1)) return counters.drop(DropReason::kNackOverBudget);
      SlotFrame frame;
      frame.placement.slot = i;
      frame.placement.timestamp = packet->timestamp;
      frame.placement.marker = packet->marker;
      frame.payload = packet->payload;
      send(listeners_[*position], stream, *index, frame, out);
      ++counters.retransmissions;
    });
    return;
  }
}

std::vector<wire::SenderInfo> LocalRoom::take_sender_info(base::Instant now,
                                                          const Endpoint& endpoint) {
  std::vector<wire::SenderInfo> result;
  const std::optional<std::size_t> position = find(endpoint);
  if (!position || !listeners_[*position].has_path) return result;
  for (Slot& slot : slots_) {
    Stream& stream = slot.streams[*position];
    if (stream.reported_packets == stream.numbers.packets()) continue;
    stream.reported_packets = stream.numbers.packets();
    const std::uint32_t timestamp = slot.last_timestamp + ticks(now - slot.last_received);
    result.push_back({.ssrc = stream.numbers.ssrc(),
                      .ntp = endpoint.clock.at(now),
                      .rtp_timestamp = stream.numbers.timestamp(timestamp),
                      .packet_count = stream.numbers.packets(),
                      .octet_count = stream.numbers.octets()});
  }
  return result;
}

bool LocalRoom::add_loss(base::Instant now, std::uint8_t fraction) {
  ++loss_[loss_bucket(fraction)];
  if (now - loss_taken_ < kLossInterval) return false;
  loss_taken_ = now;
  return true;
}

LossHistogram LocalRoom::take_loss() {
  const LossHistogram result = loss_;
  loss_ = {};
  return result;
}

void LocalRoom::set_room_loss(base::Instant at, std::uint8_t fraction) {
  room_loss_ = fraction;
  room_loss_at_ = at;
}

std::uint8_t LocalRoom::room_loss(base::Instant now) const {
  return now - room_loss_at_ < kLossLifetime ? room_loss_ : 0;
}

}  // namespace alcove::relay
