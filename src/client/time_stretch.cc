#include "client/time_stretch.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace alcove::client {

namespace {

constexpr std::size_t kShortestPeriod = 120;
constexpr std::size_t kLongestPeriod = 480;
// The search looks at every fourth sample: 12 kHz is enough for a pitch.
constexpr std::size_t kStep = 4;
constexpr std::size_t kWindow = 480;
constexpr double kSimilarEnough = 0.8;
// Mean square of a frame so quiet (about -50 dBFS) that a cut in it is not heard.
constexpr double kQuiet = 10'000;

struct Period {
  std::size_t samples = 0;
  bool inaudible = false;
};

Period find_period(std::span<const std::int16_t> samples) {
  double energy = 0;
  for (std::size_t i = 0; i < kWindow; i += kStep) energy += double{1} * samples[i] * samples[i];
  Period best{kLongestPeriod, false};
  if (energy / (double{kWindow} / kStep) < kQuiet) return {kLongestPeriod, true};
  double best_similarity = -1;
  for (std::size_t lag = kShortestPeriod; lag <= kLongestPeriod; lag += kStep) {
    double product = 0;
    double lagged = 0;
    for (std::size_t i = 0; i < kWindow; i += kStep) {
      product += double{1} * samples[i] * samples[i + lag];
      lagged += double{1} * samples[i + lag] * samples[i + lag];
    }
    const double similarity = product / std::sqrt(energy * lagged + 1);
    if (similarity <= best_similarity) continue;
    best_similarity = similarity;
    best.samples = lag;
  }
  best.inaudible = best_similarity >= kSimilarEnough;
  return best;
}

std::int16_t blend(std::int16_t from, std::int16_t to, std::size_t position, std::size_t length) {
  const auto weight = static_cast<std::int64_t>(position);
  const auto whole = static_cast<std::int64_t>(length);
  return static_cast<std::int16_t>((from * (whole - weight) + to * weight) / whole);
}

}  // namespace

std::size_t shorten(std::span<std::int16_t> samples, bool force) {
  if (samples.size() < kShortestStretch) return 0;
  const Period period = find_period(samples);
  if (!period.inaudible && !force) return 0;
  const std::size_t length = period.samples;
  for (std::size_t i = 0; i < length; ++i)
    samples[i] = blend(samples[i], samples[i + length], i, length);
  std::memmove(samples.data() + length, samples.data() + 2 * length,
               (samples.size() - 2 * length) * sizeof(std::int16_t));
  return length;
}

std::size_t lengthen(std::span<std::int16_t> samples, std::size_t size, bool force) {
  if (size < kShortestStretch || samples.size() - size < kLongestPeriod) return 0;
  const Period period = find_period(samples.first(size));
  if (!period.inaudible && !force) return 0;
  const std::size_t length = period.samples;
  std::memmove(samples.data() + 2 * length, samples.data() + length,
               (size - length) * sizeof(std::int16_t));
  // From the second period back into the first, which then runs on into the second again.
  for (std::size_t i = 0; i < length; ++i)
    samples[length + i] = blend(samples[2 * length + i], samples[i], i, length);
  return length;
}

}  // namespace alcove::client
