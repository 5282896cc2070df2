#include "e2ee/held_frames.h"

#include <algorithm>
#include <utility>

namespace alcove::e2ee {

void HeldFrames::hold(base::Instant now, HeldFrame frame) {
  if (frame.slot >= slots_) {
    ++dropped_;
    return;
  }
  const auto in_slot = [&](const HeldFrame& held) { return held.slot == frame.slot; };
  if (std::ranges::count_if(frames_, in_slot) >= static_cast<std::ptrdiff_t>(kFramesOfSlot)) {
    frames_.erase(std::ranges::find_if(frames_, in_slot));
    ++dropped_;
  }
  frame.received = now;
  frames_.push_back(std::move(frame));
}

std::vector<HeldFrame> HeldFrames::take_released(
    base::Instant now, const std::function<bool(base::Bytes payload)>& can_open) {
  while (!frames_.empty() && now - frames_.front().received >= kLongest) {
    frames_.pop_front();
    ++dropped_;
  }
  std::vector<HeldFrame> released;
  for (auto frame = frames_.begin(); frame != frames_.end();) {
    if (can_open(frame->payload)) {
      released.push_back(std::move(*frame));
      frame = frames_.erase(frame);
    } else {
      ++frame;
    }
  }
  return released;
}

base::Instant HeldFrames::next_deadline() const {
  return frames_.empty() ? base::kNever : frames_.front().received + kLongest;
}

}  // namespace alcove::e2ee
