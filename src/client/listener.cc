#include "client/listener.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace alcove::client {

using base::Instant;

void mix_into(std::span<std::int16_t> mix, std::span<const std::int16_t> voice) {
  const std::size_t count = std::min(mix.size(), voice.size());
  for (std::size_t i = 0; i < count; ++i) {
    mix[i] = static_cast<std::int16_t>(std::clamp<int>(mix[i] + voice[i],
                                                       std::numeric_limits<std::int16_t>::min(),
                                                       std::numeric_limits<std::int16_t>::max()));
  }
}

Listener::Listener(std::size_t slots, bool plays)
    : slot_count_(slots), plays_(plays), slots_(plays ? slots : 0), scratch_(kMaxPacketSamples) {}

void Listener::handle_packet(Instant now, std::size_t slot, const VoicePacket& packet) {
  if (slot >= slot_count_) return;
  const auto [voice, began] = speaking_.try_emplace(packet.seat);
  voice->second.last_packet = now;
  if (plays_) {
    slots_[slot].insert(now, packet);
  } else if (packets_++ % kSampledPacket == 0) {
    sample_level(packet, voice->second);
  }
  if (began) changes_.push_back({packet.seat, true, voice->second.level_db});
}

void Listener::sample_level(const VoicePacket& packet, Voice& voice) {
  // Packets in between are missing, so the decoder starts anew: the level is rough, and enough.
  sampler_.reset();
  const std::size_t count = sampler_.decode(packet.opus, scratch_);
  if (count == 0) return;
  heard_ = true;
  voice.level_db = level_of(std::span(scratch_).first(count));
}

void Listener::pull(Instant now, std::span<std::int16_t> out) {
  std::ranges::fill(out, std::int16_t{0});
  const auto scratch = std::span(scratch_).first(out.size());
  for (JitterBuffer& slot : slots_) {
    if (slot.idle()) continue;
    const std::uint8_t seat = slot.pull(now, scratch);
    if (seat == 0) continue;
    heard_ = true;
    if (const auto voice = speaking_.find(seat); voice != speaking_.end())
      voice->second.level_db = level_of(scratch);
    mix_into(out, scratch);
  }
}

void Listener::handle_timeout(Instant now) {
  for (auto voice = speaking_.begin(); voice != speaking_.end();) {
    if (now < voice->second.last_packet + kSpeakingTimeout) {
      ++voice;
      continue;
    }
    changes_.push_back({voice->first, false, voice->second.level_db});
    voice = speaking_.erase(voice);
  }
}

Instant Listener::next_deadline() const {
  Instant next = base::kNever;
  for (const auto& [seat, voice] : speaking_)
    next = std::min(next, voice.last_packet + kSpeakingTimeout);
  return next;
}

std::vector<SpeakingChange> Listener::take_changes() { return std::exchange(changes_, {}); }

JitterCounters Listener::counters() const {
  JitterCounters sum;
  for (const JitterBuffer& slot : slots_) {
    const JitterCounters& one = slot.counters();
    sum.received += one.received;
    sum.duplicates += one.duplicates;
    sum.late += one.late;
    sum.overflowed += one.overflowed;
    sum.not_opus += one.not_opus;
    sum.played += one.played;
    sum.repaired += one.repaired;
    sum.concealed += one.concealed;
    sum.underruns += one.underruns;
    sum.shortened += one.shortened;
    sum.lengthened += one.lengthened;
    sum.spurts += one.spurts;
  }
  return sum;
}

void Listener::reset() { slots_ = std::vector<JitterBuffer>(plays_ ? slot_count_ : 0); }

}  // namespace alcove::client
