#include "relay/slot_mapper.h"

#include <algorithm>

#include "base/check.h"

namespace alcove::relay {
namespace {

// Inside a spurt at most 200 ms pass between two packets, so a sender that lost everything in
// between is at most some tens of packets further on. More is a sender that has begun anew.
constexpr std::uint64_t kMaxIndexStep = 64;
// A timestamp may run ahead of the arrivals by what a network holds back and then lets go.
constexpr std::int64_t kMaxTimestampStep = 2000 * kTicksPerMillisecond;
// The longest Opus packet (RFC 7587, section 4.2).
constexpr std::uint32_t kMaxFrameTicks = 120 * kTicksPerMillisecond;

std::int32_t difference(std::uint32_t later, std::uint32_t earlier) {
  return static_cast<std::int32_t>(later - earlier);
}

}  // namespace

SlotMapper::SlotMapper(unsigned slots, std::uint64_t first_index)
    : slots_(slots), first_index_(first_index) {
  CHECK(slots > 0);
}

std::expected<Placement, DropReason> SlotMapper::place(const SpeakerFrame& frame) {
  Slot* slot = find(frame.speaker);
  if (slot == nullptr) {
    slot = take(frame);
    if (slot == nullptr) return std::unexpected(DropReason::kNoFreeSlot);
    anchor(*slot, frame);
    return place_at(*slot, frame, true);
  }
  if (difference(frame.stream, slot->stream) < 0) return std::unexpected(DropReason::kBeforeSpurt);
  if (starts_spurt(*slot, frame)) {
    anchor(*slot, frame);
    return place_at(*slot, frame, true);
  }
  if (frame.index < slot->spurt_source) return std::unexpected(DropReason::kBeforeSpurt);
  if (frame.index < slot->last_source) {
    const std::uint32_t timestamp = frame.timestamp + slot->timestamp_shift;
    if (difference(slot->last_timestamp, timestamp) <= 0)
      return std::unexpected(DropReason::kImplausible);
  }
  return place_at(*slot, frame, false);
}

void SlotMapper::release(const base::JoinId& speaker) {
  if (Slot* slot = find(speaker)) slot->holder.reset();
}

SlotMapper::Slot* SlotMapper::find(const base::JoinId& speaker) {
  const auto found =
      std::ranges::find_if(slots_, [&](const Slot& slot) { return slot.holder == speaker; });
  return found == slots_.end() ? nullptr : &*found;
}

// The longest-silent slot, so that a voice that has just paused keeps its place and its listeners'
// jitter buffer for as long as possible.
SlotMapper::Slot* SlotMapper::take(const SpeakerFrame& frame) {
  Slot* best = nullptr;
  for (Slot& slot : slots_) {
    const bool free = !slot.holder || frame.received - slot.last_received >= kTakeoverSilence;
    if (free && (best == nullptr || slot.last_received < best->last_received)) best = &slot;
  }
  if (best != nullptr) best->holder = frame.speaker;
  return best;
}

bool SlotMapper::starts_spurt(const Slot& slot, const SpeakerFrame& frame) {
  if (frame.stream != slot.stream) return true;
  if (frame.index <= slot.last_source) return false;
  if (frame.marker || frame.received - slot.last_received > kSpurtPause) return true;
  if (frame.index - slot.last_source > kMaxIndexStep) return true;
  const std::int32_t step = difference(frame.timestamp + slot.timestamp_shift, slot.last_timestamp);
  return step <= 0 || step > kMaxTimestampStep;
}

void SlotMapper::anchor(Slot& slot, const SpeakerFrame& frame) {
  std::uint32_t timestamp = 0;
  if (slot.used) {
    const auto elapsed = std::max(frame.received - slot.last_at, base::Duration::zero());
    const std::int64_t ticks = elapsed.count() * kTicksPerMillisecond / 1000;
    const std::int64_t steps = (ticks + kAnchorTicks / 2) / kAnchorTicks;
    // Never inside the frame that was sent last.
    timestamp = slot.last_timestamp +
                std::max(static_cast<std::uint32_t>(steps * kAnchorTicks), slot.frame_ticks);
  }
  slot.stream = frame.stream;
  slot.spurt_source = frame.index;
  slot.spurt_start = slot.used ? slot.last_index + 1 : first_index_;
  slot.timestamp_shift = timestamp - frame.timestamp;
  slot.last_source = frame.index;
  slot.last_index = slot.spurt_start;
  slot.last_timestamp = timestamp;
  slot.last_at = frame.received;
  slot.frame_ticks = kAnchorTicks;
  slot.used = true;
}

Placement SlotMapper::place_at(Slot& slot, const SpeakerFrame& frame, bool marker) {
  Placement placement;
  placement.slot = static_cast<unsigned>(&slot - slots_.data());
  placement.index = slot.spurt_start + (frame.index - slot.spurt_source);
  placement.spurt_start = slot.spurt_start;
  placement.timestamp = frame.timestamp + slot.timestamp_shift;
  placement.marker = marker;
  if (frame.index > slot.last_source) {
    const std::uint32_t step = placement.timestamp - slot.last_timestamp;
    if (frame.index == slot.last_source + 1 && step <= kMaxFrameTicks) slot.frame_ticks = step;
    slot.last_source = frame.index;
    slot.last_index = placement.index;
    slot.last_timestamp = placement.timestamp;
    slot.last_at = frame.received;
  }
  slot.last_received = std::max(slot.last_received, frame.received);
  return placement;
}

}  // namespace alcove::relay
