#pragma once
// The clock of an interface in pcapng: if_tsresol and if_tsoffset
// (draft-ietf-opsawg-pcapng, 4.2). A value. Any thread.

#include <cstdint>

#include "audit/frame.h"

namespace alcove::audit {

class PcapngClock {
 public:
  PcapngClock() { set_resolution(6); }
  // The high bit: a negative power of two, else of ten.
  void set_resolution(std::uint8_t resolution);
  void set_offset(std::int64_t seconds) { offset_ = seconds; }
  // What does not fit is cut to kMaxTime (capture_format.h).
  CaptureTime time(std::uint64_t ticks) const {
    if (ticks <= fast_limit_ && offset_ == 0)
      return CaptureTime(std::chrono::nanoseconds(static_cast<std::int64_t>(ticks * multiplier_)));
    return slow_time(ticks);
  }

 private:
  CaptureTime slow_time(std::uint64_t ticks) const;

  std::uint8_t resolution_ = 6;
  std::int64_t offset_ = 0;
  std::uint64_t multiplier_ = 1000;  // nanoseconds a tick
  std::uint64_t fast_limit_ = 0;     // for as many ticks multiplication is all there is to do
};

}  // namespace alcove::audit
