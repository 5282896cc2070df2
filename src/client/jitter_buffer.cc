#include "client/jitter_buffer.h"

#include <algorithm>

#include "client/time_stretch.h"

namespace alcove::client {

using base::Duration;
using base::Instant;

namespace {

// Off the target by more than this, speech is stretched; a good deal more, also where it is heard.
constexpr Duration kTolerance = base::milliseconds(20);
constexpr Duration kForceShorter = base::milliseconds(100);
// After a stall of the network: what is so far behind is skipped.
constexpr Duration kHopeless = base::milliseconds(400);
// What concealment can invent at a time: a multiple of 2.5 ms.
constexpr std::size_t kConcealGrain = 120;
constexpr std::size_t kFifoSamples = kFrameSamples + 2 * kMaxPacketSamples;

}  // namespace

JitterBuffer::JitterBuffer() : fifo_(kFifoSamples) {}

JitterBuffer::Entry* JitterBuffer::head() {
  if (waiting_ == 0) return nullptr;
  for (std::uint64_t sequence = floor_; sequence <= highest_; ++sequence) {
    Entry& entry = entry_at(sequence);
    if (entry.used && entry.sequence == sequence) return &entry;
  }
  return nullptr;
}

void JitterBuffer::release(Entry& entry) {
  entry.used = false;
  --waiting_;
}

void JitterBuffer::drop_before(std::uint64_t sequence) {
  for (Entry& entry : entries_) {
    if (!entry.used || entry.sequence >= sequence) continue;
    release(entry);
    ++counters_.overflowed;
  }
  floor_ = sequence;
}

void JitterBuffer::insert(Instant now, const VoicePacket& packet) {
  ++counters_.received;
  const auto samples = VoiceDecoder::duration(packet.opus);
  if (!samples || *samples > kMaxPacketSamples || packet.opus.size() > kMaxOpus) {
    ++counters_.not_opus;
    return;
  }
  if (!started_ && waiting_ == 0) floor_ = highest_ = packet.sequence;
  // Before anything is played, an earlier packet may still come first.
  if (!started_ && packet.sequence < floor_ && highest_ - packet.sequence < kCapacity)
    floor_ = packet.sequence;
  if (packet.sequence < floor_) {
    ++counters_.late;
    delays_.handle_packet(now, packet.timestamp);
    return;
  }
  if (packet.sequence - floor_ >= kCapacity) drop_before(packet.sequence - kCapacity + 1);
  Entry& entry = entry_at(packet.sequence);
  if (entry.used) {
    ++counters_.duplicates;
    return;
  }
  if (packet.marker) delays_.begin_spurt();
  delays_.handle_packet(now, packet.timestamp);
  entry.used = true;
  entry.marker = packet.marker;
  entry.seat = packet.seat;
  entry.sequence = packet.sequence;
  entry.timestamp = packet.timestamp;
  entry.samples = static_cast<std::uint32_t>(*samples);
  entry.arrival = now;
  entry.opus.assign(packet.opus.begin(), packet.opus.end());
  ++waiting_;
  highest_ = std::max(highest_, packet.sequence);
  if (state_ == State::kIdle) {
    state_ = State::kBuffering;
    start_at_ = now + delays_.target();
  }
}

std::uint8_t JitterBuffer::pull(Instant now, std::span<std::int16_t> out) {
  while (fifo_size_ < out.size() && produce(now)) {
  }
  const std::size_t count = std::min(fifo_size_, out.size());
  std::copy_n(fifo_.begin(), count, out.begin());
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(count), out.end(), std::int16_t{0});
  std::copy(fifo_.begin() + static_cast<std::ptrdiff_t>(count),
            fifo_.begin() + static_cast<std::ptrdiff_t>(fifo_size_), fifo_.begin());
  fifo_size_ -= count;
  return count == 0 ? std::uint8_t{0} : seat_;
}

bool JitterBuffer::follows(const Entry& next) const {
  const std::uint64_t lost = next.sequence - floor_;
  if (next.marker && lost != 0) return false;
  return std::uint64_t{next.timestamp - next_timestamp_} == lost * frame_samples_;
}

bool JitterBuffer::is_hopelessly_late(Instant now, const Entry& next) const {
  const auto delay = delays_.delay_at(now, next.timestamp - static_cast<std::uint32_t>(fifo_size_));
  return delay && *delay - delays_.target() > kHopeless;
}

bool JitterBuffer::produce(Instant now) {
  if (state_ == State::kIdle) return false;
  if (state_ == State::kBuffering && now < start_at_) return false;
  Entry* next = head();
  while (next != nullptr && waiting_ > 1 && is_hopelessly_late(now, *next)) {
    floor_ = next->sequence + 1;
    next_timestamp_ = next->timestamp + next->samples;
    ++counters_.overflowed;
    release(*next);
    next = head();
  }
  if (next == nullptr) return produce_underrun();
  if (state_ == State::kBuffering) begin_spurt(*next);
  if (!follows(*next)) {
    if (now < next->arrival + delays_.target()) return false;
    begin_spurt(*next);
  }
  // What was invented while these had not come takes their place, so that the delay does not grow.
  while (next->sequence != floor_ && filled_ >= frame_samples_) {
    filled_ -= frame_samples_;
    ++floor_;
    next_timestamp_ += frame_samples_;
  }
  if (next->sequence == floor_) {
    play(now, *next);
  } else {
    play_lost(*next);
  }
  return true;
}

bool JitterBuffer::produce_underrun() {
  if (underruns_ >= kMaxUnderruns || state_ == State::kBuffering) {
    state_ = State::kIdle;
    return false;
  }
  ++underruns_;
  ++counters_.underruns;
  const std::size_t samples =
      std::max(std::min<std::size_t>(frame_samples_, kFrameSamples) / kConcealGrain,
               std::size_t{1}) *
      kConcealGrain;
  const std::size_t count = decoder_.conceal(fifo_room().first(samples));
  fifo_size_ += count;
  filled_ += static_cast<std::uint32_t>(count);
  return count != 0;
}

void JitterBuffer::begin_spurt(const Entry& first) {
  state_ = State::kPlaying;
  started_ = true;
  floor_ = first.sequence;
  next_timestamp_ = first.timestamp;
  filled_ = 0;
  underruns_ = 0;
  ++counters_.spurts;
}

std::span<std::int16_t> JitterBuffer::fifo_room() { return std::span(fifo_).subspan(fifo_size_); }

void JitterBuffer::play(Instant now, Entry& entry) {
  if (entry.seat != seat_) decoder_.reset();
  seat_ = entry.seat;
  std::size_t count = decoder_.decode(entry.opus, fifo_room());
  if (count == 0) {  // its first byte is of Opus, the rest is not
    ++counters_.not_opus;
    count = entry.samples;
    std::ranges::fill(fifo_room().first(count), std::int16_t{0});
  }
  ++counters_.played;
  fifo_size_ += count;
  frame_samples_ = static_cast<std::uint32_t>(count);
  floor_ = entry.sequence + 1;
  next_timestamp_ = entry.timestamp + frame_samples_;
  underruns_ = 0;
  filled_ = 0;
  release(entry);
  follow_target(now, count);
}

void JitterBuffer::play_lost(const Entry& next) {
  const bool repairable = next.sequence == floor_ + 1 && next.seat == seat_;
  const auto room = fifo_room().first(frame_samples_);
  const std::size_t count =
      repairable ? decoder_.decode_lost_before(next.opus, room) : decoder_.conceal(room);
  if (count == 0) std::ranges::fill(room, std::int16_t{0});
  ++(repairable ? counters_.repaired : counters_.concealed);
  fifo_size_ += room.size();
  ++floor_;
  next_timestamp_ += frame_samples_;
}

void JitterBuffer::follow_target(Instant now, std::size_t added) {
  const auto delay =
      delays_.delay_at(now, next_timestamp_ - static_cast<std::uint32_t>(fifo_size_));
  if (!delay) return;
  const Duration excess = *delay - delays_.target();
  const std::size_t start = fifo_size_ - added;
  if (excess > kTolerance) {
    const std::size_t removed =
        shorten(std::span(fifo_).subspan(start, added), excess > kForceShorter);
    fifo_size_ -= removed;
    counters_.shortened += removed != 0;
  } else if (excess < -kTolerance) {
    const std::size_t more = lengthen(std::span(fifo_).subspan(start), added, false);
    fifo_size_ += more;
    counters_.lengthened += more != 0;
  }
}

}  // namespace alcove::client
