#include "audit/pcapng_time.h"

#include <algorithm>

#include "audit/capture_format.h"

namespace alcove::audit {
namespace {

__extension__ using Wide = __int128;

constexpr std::uint8_t kBinary = 0x80;
constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t power_of_ten(unsigned exponent) {
  std::uint64_t value = 1;
  for (; exponent > 0; --exponent) value *= 10;
  return value;
}

}  // namespace

void PcapngClock::set_resolution(std::uint8_t resolution) {
  resolution_ = resolution;
  fast_limit_ = 0;
  if (resolution > 9) return;
  multiplier_ = power_of_ten(9U - resolution);
  fast_limit_ = static_cast<std::uint64_t>(kMaxTime) / multiplier_;
}

CaptureTime PcapngClock::slow_time(std::uint64_t ticks) const {
  Wide since = 0;
  const unsigned exponent = resolution_ & 0x7fU;
  if ((resolution_ & kBinary) != 0) {
    since = Wide{ticks} * kSecond >> exponent;
  } else if (exponent <= 9) {
    since = Wide{ticks} * power_of_ten(9 - exponent);
  } else if (exponent - 9 <= 19) {  // 10^19 is the most that fits; beyond it nothing is left
    since = ticks / power_of_ten(exponent - 9);
  }
  since += Wide{offset_} * kSecond;
  const Wide limit = kMaxTime;
  return CaptureTime(
      std::chrono::nanoseconds(static_cast<std::int64_t>(std::clamp(since, -limit, limit))));
}

}  // namespace alcove::audit
