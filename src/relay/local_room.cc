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

std::uint32_t ticks(base::Duration duration) {
  return static_cast<std::uint32_t>(duration.count() * kTicksPerMillisecond / 1000);
}

}  // namespace

LocalRoom::LocalRoom(const base::RelayRoomId& id, unsigned slots) : id_(id), slots_(slots) {
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
  listener.sender = &*endpoint.sender;
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

void LocalRoom::fan_out(base::Instant received, const Placement& placement, const Endpoint* speaker,
                        base::Bytes payload, base::DatagramQueue& out, ShardCounters& counters) {
  Slot& slot = slots_[placement.slot];
  slot.ring.store(placement.index, placement.timestamp, placement.marker, payload);
  if (placement.index >= slot.last_index) {
    slot.last_index = placement.index;
    slot.last_timestamp = placement.timestamp;
    slot.last_received = received;
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    Listener& listener = listeners_[i];
    Stream& stream = slot.streams[i];
    if (listener.endpoint == speaker) {
      stream.numbers.skip_spurt(placement.spurt_start);
      continue;
    }
    if (!listener.has_path) {
      stream.numbers.skip(placement.index, placement.spurt_start);
      continue;
    }
    const auto index = stream.numbers.place(placement.index, placement.spurt_start);
    if (!index) continue;
    send(listener, stream, placement.slot, *index, placement.timestamp, placement.marker, payload,
         out);
    stream.numbers.count(payload.size());
    ++counters.listener_packets;
  }
}

void LocalRoom::send(Listener& listener, Stream& stream, unsigned slot, std::uint64_t index,
                     std::uint32_t timestamp, bool marker, base::Bytes payload,
                     base::DatagramQueue& out) {
  std::array<std::uint8_t, wire::kRtpHeaderSize> header;
  wire::write_rtp_header(header, {.marker = marker,
                                  .payload_type = listener.payload_types[slot],
                                  .sequence = static_cast<std::uint16_t>(index),
                                  .timestamp = stream.numbers.timestamp(timestamp),
                                  .ssrc = stream.numbers.ssrc()});
  const base::MutableBytes space =
      out.reserve(header.size() + payload.size() + crypto::kMaxSrtpOverhead);
  const auto rollover_counter = static_cast<std::uint32_t>(index >> 16);
  out.commit(listener.path, listener.sender->protect_rtp(header, payload, rollover_counter, space));
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
      send(listeners_[*position], stream, i, *index, packet->timestamp, packet->marker,
           packet->payload, out);
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
