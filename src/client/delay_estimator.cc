#include "client/delay_estimator.h"

#include <algorithm>
#include <cstdlib>

namespace alcove::client {

using base::Duration;
using base::Instant;

namespace {

constexpr std::int64_t kNotSeen = INT64_MAX;
// One packet in 50 may come later than the target: it is concealed.
constexpr double kShareInTime = 0.98;
// The player takes a whole frame at a time, at a phase of its own.
constexpr Duration kPlayoutGrain = base::milliseconds(20);
constexpr std::size_t kEnoughPackets = 25;
constexpr std::size_t kUpdateEvery = 8;
// Beyond this a packet says nothing of the network: another clock, or a hostile timestamp.
constexpr std::int64_t kAbsurd = 2'000'000;

}  // namespace

void DelayEstimator::begin_spurt() { in_spurt_ = false; }

std::int64_t DelayEstimator::transit(Instant when, std::uint32_t timestamp) const {
  const auto ticks = static_cast<std::int32_t>(timestamp - first_timestamp_);
  return (when - first_arrival_).count() - std::int64_t{ticks} * 125 / 6;
}

std::int64_t DelayEstimator::fastest() const { return std::min(least_, least_before_); }

void DelayEstimator::handle_packet(Instant arrival, std::uint32_t timestamp) {
  if (in_spurt_ && std::abs(transit(arrival, timestamp) - fastest()) > kAbsurd) in_spurt_ = false;
  if (!in_spurt_) {
    in_spurt_ = true;
    first_arrival_ = arrival;
    first_timestamp_ = timestamp;
    least_ = 0;
    least_before_ = kNotSeen;
    in_stretch_ = 0;
  }
  const std::int64_t now = transit(arrival, timestamp);
  if (++in_stretch_ > kMinimumWindow) {
    least_before_ = least_;
    least_ = now;
    in_stretch_ = 1;
  }
  least_ = std::min(least_, now);
  waits_[next_] = static_cast<std::uint32_t>(now - fastest());
  next_ = (next_ + 1) % kWindow;
  count_ = std::min(count_ + 1, kWindow);
  if (count_ >= kEnoughPackets && next_ % kUpdateEvery == 0) update_target();
}

void DelayEstimator::update_target() {
  std::array<std::uint32_t, kWindow> sorted = waits_;
  const auto rank = static_cast<std::ptrdiff_t>(static_cast<double>(count_ - 1) * kShareInTime);
  std::nth_element(sorted.begin(), sorted.begin() + rank,
                   sorted.begin() + static_cast<std::ptrdiff_t>(count_));
  target_ =
      std::clamp(Duration{sorted[static_cast<std::size_t>(rank)]} + kPlayoutGrain, kLeast, kMost);
}

std::optional<Duration> DelayEstimator::delay_at(Instant now, std::uint32_t timestamp) const {
  // A sample from before the spurt belongs to one whose clock is forgotten.
  if (!in_spurt_ || static_cast<std::int32_t>(timestamp - first_timestamp_) < 0)
    return std::nullopt;
  return Duration{transit(now, timestamp) - fastest()};
}

}  // namespace alcove::client
