#pragma once
// Packets of a room's slots that wait a moment for those of its other slots: what one listener gets
// of all of them can leave in one message then (net/udp_socket.h). Memory is used again. One
// thread.

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/time.h"
#include "relay/slot_mapper.h"

namespace alcove::relay {

struct Endpoint;

// A packet of a slot, for all listeners but its speaker (null when that is on another shard).
struct SlotFrame {
  Placement placement;
  const Endpoint* speaker = nullptr;
  base::Bytes payload;
};

// At most ten milliseconds with the timer of a thread, which is up to one late.
inline constexpr base::Duration kLongestHold = base::milliseconds(9);
// A slot is waited for when its last packet is not older than this: frames have up to 60 ms.
inline constexpr base::Duration kSlotActiveFor = base::milliseconds(100);

class HeldPackets {
 public:
  static constexpr std::size_t kCapacity = 16;

  bool empty() const { return count_ == 0; }
  bool is_full() const { return count_ == kCapacity; }
  // The slots that are here, a bit each.
  std::uint32_t slots() const { return slots_; }
  // Copies the payload. Not when it is full.
  void add(const SlotFrame& frame) {
    CHECK(!is_full());
    payloads_[count_].assign(frame.payload.begin(), frame.payload.end());
    frames_[count_] = frame;
    frames_[count_].payload = payloads_[count_];
    slots_ |= 1U << frame.placement.slot;
    ++count_;
  }
  std::span<const SlotFrame> frames() const { return std::span(frames_).first(count_); }
  void clear() {
    count_ = 0;
    slots_ = 0;
  }

 private:
  std::array<SlotFrame, kCapacity> frames_{};
  std::array<base::Buffer, kCapacity> payloads_;
  std::size_t count_ = 0;
  std::uint32_t slots_ = 0;
};

}  // namespace alcove::relay
