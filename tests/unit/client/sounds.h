#pragma once
// Sounds for tests, made from numbers.

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "base/random.h"
#include "client/voice_activity.h"

namespace alcove::client::test {

inline std::vector<std::int16_t> tone(std::size_t samples, double hertz, double amplitude,
                                      std::size_t start = 0) {
  std::vector<std::int16_t> out(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const double phase =
        2 * std::numbers::pi * hertz * static_cast<double>(start + i) / kSampleRate;
    out[i] = static_cast<std::int16_t>(amplitude * std::sin(phase));
  }
  return out;
}

inline std::vector<std::int16_t> noise(std::size_t samples, double amplitude,
                                       base::RandomSource& random) {
  std::vector<std::int16_t> out(samples);
  for (std::int16_t& sample : out)
    sample =
        static_cast<std::int16_t>((static_cast<double>(random.below(2001)) / 1000 - 1) * amplitude);
  return out;
}

// How alike two signals are at the best lag up to max_lag: -1 to 1.
inline double best_correlation(std::span<const std::int16_t> a, std::span<const std::int16_t> b,
                               std::size_t max_lag) {
  double best = -1;
  for (std::size_t lag = 0; lag <= max_lag && lag < b.size(); ++lag) {
    double product = 0;
    double a_energy = 1;
    double b_energy = 1;
    for (std::size_t i = 0; i < a.size() && i + lag < b.size(); ++i) {
      product += double{1} * a[i] * b[i + lag];
      a_energy += double{1} * a[i] * a[i];
      b_energy += double{1} * b[i + lag] * b[i + lag];
    }
    best = std::max(best, product / std::sqrt(a_energy * b_energy));
  }
  return best;
}

}  // namespace alcove::client::test
