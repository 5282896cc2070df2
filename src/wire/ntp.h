#pragma once
// The timestamps of RTCP (RFC 3550, section 4). Any thread.

#include <cstdint>

#include "base/time.h"

namespace alcove::wire {

// Seconds since 1900 in the upper 32 bits, fraction in the lower; wraps in 2036 as the RFC says.
constexpr std::uint64_t to_ntp(base::WallTime time) {
  constexpr std::int64_t kSecondsFrom1900To1970 = 2'208'988'800;
  const std::int64_t milliseconds = time.time_since_epoch().count();
  std::int64_t whole = milliseconds / 1000;
  std::int64_t rest = milliseconds % 1000;
  if (rest < 0) {
    rest += 1000;
    --whole;
  }
  const auto second = static_cast<std::uint32_t>(whole + kSecondsFrom1900To1970);
  const std::uint64_t fraction = (static_cast<std::uint64_t>(rest) << 32) / 1000;
  return static_cast<std::uint64_t>(second) << 32 | fraction;
}

// The middle 32 bits: what a report block says in last_sender_report.
constexpr std::uint32_t ntp_middle(std::uint64_t ntp) {
  return static_cast<std::uint32_t>(ntp >> 16);
}

// Durations in units of 1/65536 second; capped at 0 and at the largest value (18.2 hours).
constexpr std::uint32_t to_ntp_duration(base::Duration duration) {
  constexpr std::int64_t kLongest = 65'535'999'984;  // microseconds in 2^32 - 1 units
  const std::int64_t microseconds = duration.count();
  if (microseconds <= 0) return 0;
  if (microseconds >= kLongest) return 0xffffffff;
  return static_cast<std::uint32_t>((microseconds << 16) / 1'000'000);
}
constexpr base::Duration from_ntp_duration(std::uint32_t units) {
  return base::Duration((static_cast<std::int64_t>(units) * 1'000'000) >> 16);
}

}  // namespace alcove::wire
