#pragma once
// Time as protocol code sees it: it is told the time and never asks. Any thread.

#include <chrono>
#include <cstdint>

namespace alcove::base {

using Duration = std::chrono::microseconds;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Not a real clock: it has no now(). src/net reads CLOCK_MONOTONIC into it; tests count it up.
struct MonotonicTime {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Duration;
};

// A point on the monotonic clock, in microseconds.
using Instant = std::chrono::time_point<MonotonicTime, Duration>;
inline constexpr Instant kNever = Instant::max();

// A point on the calendar, in milliseconds since 1970, for what is stored or shown.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace alcove::base
