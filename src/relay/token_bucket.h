#pragma once
// A budget that refills with time. Pure. One thread.

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace alcove::relay {

class TokenBucket {
 public:
  // Starts full.
  constexpr TokenBucket(std::int64_t per_second, std::int64_t burst)
      : per_second_(per_second), burst_(burst * kScale), tokens_(burst * kScale) {}

  // Takes amount, or nothing when there is less.
  bool take(base::Instant now, std::int64_t amount) {
    if (!has(now, amount)) return false;
    tokens_ -= amount * kScale;
    return true;
  }
  bool has(base::Instant now, std::int64_t amount) {
    if (now > refilled_) {
      // A second fills at most per_second tokens; a longer pause than the burst lasts changes
      // nothing.
      const std::int64_t elapsed = std::min<std::int64_t>((now - refilled_).count(), kMaxElapsed);
      tokens_ = std::min(burst_, tokens_ + elapsed * per_second_);
      refilled_ = now;
    }
    return tokens_ >= amount * kScale;
  }

 private:
  static constexpr std::int64_t kScale = 1'000'000;  // microseconds in a second
  static constexpr std::int64_t kMaxElapsed = 60 * kScale;

  std::int64_t per_second_;
  std::int64_t burst_;
  std::int64_t tokens_;
  base::Instant refilled_{};
};

}  // namespace alcove::relay
