#pragma once
// Who speaks in which slot, and where each packet of a speaker belongs in the slot's own stream.
// One for a room, on its home shard; every listener of the room gets the same slots. Pure: no time
// of its own, no I/O, no allocation after construction.
//
// The one rule: inside a talk spurt a speaker's sequence numbers and timestamps are copied by
// difference, so a loss stays a gap and a late packet lands at its place. At the start of a spurt,
// and at each change of speaker, the slot goes on where it was: the next sequence number, and a
// timestamp that is later by the time that has passed at the relay, in steps of 20 ms. (Timestamps
// without the pause make a browser play silence late for good; a large jump is not played at all.)

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "relay/counters.h"

namespace alcove::relay {

// 48 kHz (RFC 7587, section 4.1) and the step that timestamps are anchored in.
inline constexpr std::int64_t kTicksPerMillisecond = 48;
inline constexpr std::uint32_t kAnchorTicks = 960;

// A slot is another speaker's after this silence of its holder.
inline constexpr base::Duration kTakeoverSilence = base::milliseconds(300);
// A longer pause between two packets begins a talk spurt.
inline constexpr base::Duration kSpurtPause = base::milliseconds(200);

struct SpeakerFrame {
  base::JoinId speaker;
  std::uint32_t stream = 0;     // counts the speaker's SSRCs
  std::uint64_t index = 0;      // rollover counter and sequence number; each is seen once
  std::uint32_t timestamp = 0;  // 48 kHz
  bool marker = false;
  base::Instant received;  // does not decrease by more than a queue's delay
};

struct Placement {
  unsigned slot = 0;
  std::uint64_t index = 0;        // contiguous over all speakers of the slot
  std::uint64_t spurt_start = 0;  // the index of the spurt's first packet: index >= spurt_start
  std::uint32_t timestamp = 0;
  bool marker = false;  // exactly on a spurt's first packet
};

class SlotMapper {
 public:
  // The first packet of each slot gets first_index.
  explicit SlotMapper(unsigned slots, std::uint64_t first_index = 0);

  // kNoFreeSlot: all slots are held by others who spoke in the last 300 ms. kBeforeSpurt: it is
  // older than the first packet of its spurt. kImplausible: it is late, and its timestamp is not.
  std::expected<Placement, DropReason> place(const SpeakerFrame& frame);

  // The speaker may not send any more: its slot is free at once, and its next packet starts a
  // spurt.
  void release(const base::JoinId& speaker);

 private:
  struct Slot {
    std::optional<base::JoinId> holder;
    base::Instant last_received = base::Instant::min();  // the holder's last packet
    bool used = false;
    std::uint32_t stream = 0;
    // The spurt: both sides of the first packet.
    std::uint64_t spurt_source = 0;
    std::uint64_t spurt_start = 0;
    std::uint32_t timestamp_shift = 0;  // slot - source
    // The packet with the greatest index.
    std::uint64_t last_source = 0;
    std::uint64_t last_index = 0;
    std::uint32_t last_timestamp = 0;  // the slot's
    base::Instant last_at;
    std::uint32_t frame_ticks = kAnchorTicks;
  };

  Slot* find(const base::JoinId& speaker);
  Slot* take(const SpeakerFrame& frame);
  static bool starts_spurt(const Slot& slot, const SpeakerFrame& frame);
  void anchor(Slot& slot, const SpeakerFrame& frame);
  Placement place_at(Slot& slot, const SpeakerFrame& frame, bool marker);

  std::vector<Slot> slots_;
  std::uint64_t first_index_;
};

}  // namespace alcove::relay
