#pragma once
// What the listeners of a room lose, gathered from their receiver reports, so that speakers hear of
// it and their encoders add redundancy. Pure. One thread.

#include <cstdint>

#include "base/time.h"
#include "relay/shard_message.h"

namespace alcove::relay {

// A bucket of the histogram for a fraction lost (RFC 3550, in 1/256): each below 16 has its own,
// since encoders switch their redundancy on at one to five percent; above, fifteen share one.
constexpr std::size_t loss_bucket(std::uint8_t fraction) {
  return fraction < 16 ? fraction : 16U + (fraction - 16U) / 15U;
}
// The least fraction in the bucket.
constexpr std::uint8_t loss_of_bucket(std::size_t bucket) {
  return static_cast<std::uint8_t>(bucket < 16 ? bucket : 16 + (bucket - 16) * 15);
}

// The reports of the last five to ten seconds: browsers send one every one to five.
class LossWindow {
 public:
  static constexpr base::Duration kWindow = base::seconds(5);

  void add(base::Instant now, const LossHistogram& reports);
  // The fraction that nine of ten reports do not exceed; 0 without reports.
  std::uint8_t percentile_90() const;

 private:
  base::Instant begun_{};
  LossHistogram current_{};
  LossHistogram previous_{};
};

}  // namespace alcove::relay
