#pragma once
// Frames whose epoch or seat the log has not told yet, kept for a moment
// (docs/protocol/room-keys.md, "Epochs", Use): at most 5 and 100 ms in each slot. Told the time;
// one thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace alcove::e2ee {

struct HeldFrame {
  std::size_t slot = 0;
  // Of the RTP header, for whoever plays the frame later.
  std::uint64_t sequence = 0;  // extended
  std::uint32_t timestamp = 0;
  bool marker = false;
  base::Buffer payload;
  base::Instant received;  // set by hold()
};

class HeldFrames {
 public:
  static constexpr std::size_t kFramesOfSlot = 5;
  static constexpr base::Duration kLongest = base::milliseconds(100);

  explicit HeldFrames(std::size_t slots) : slots_(slots) {}

  // The oldest of the slot gives way to a sixth. A slot that there is not is dropped.
  void hold(base::Instant now, HeldFrame frame);
  // What can be opened now, taken out, in the order of arrival; what is too old is dropped.
  std::vector<HeldFrame> take_released(base::Instant now,
                                       const std::function<bool(base::Bytes payload)>& can_open);
  // When the oldest is dropped; kNever when nothing is held.
  base::Instant next_deadline() const;
  // Frames that were dropped unopened.
  std::uint64_t dropped() const { return dropped_; }

 private:
  std::size_t slots_;
  std::deque<HeldFrame> frames_;  // in the order of arrival
  std::uint64_t dropped_ = 0;
};

}  // namespace alcove::e2ee
