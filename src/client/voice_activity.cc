#include "client/voice_activity.h"

#include <algorithm>
#include <cmath>

namespace alcove::client {

namespace {

constexpr double kSilenceDb = -96;
// The floor falls at once to a quieter frame, and rises slowly, so that speech does not become
// noise.
constexpr double kFallShare = 0.2;
constexpr double kRiseDbPerSecond = 1.5;

}  // namespace

double level_of(std::span<const std::int16_t> samples) {
  if (samples.empty()) return kSilenceDb;
  std::int64_t sum = 0;
  for (const std::int16_t sample : samples) sum += std::int64_t{sample} * sample;
  if (sum == 0) return kSilenceDb;
  const double mean = static_cast<double>(sum) / static_cast<double>(samples.size());
  return std::clamp(10 * std::log10(mean / (32768.0 * 32768.0)), kSilenceDb, 0.0);
}

bool VoiceActivity::handle_frame(std::span<const std::int16_t> samples) {
  const base::Duration duration{static_cast<std::int64_t>(samples.size()) * 1'000'000 /
                                kSampleRate};
  level_db_ = level_of(samples);
  const bool speech = level_db_ > std::max(floor_db_ + options_.margin_db, options_.quietest_db);
  if (level_db_ < floor_db_) {
    floor_db_ += (level_db_ - floor_db_) * kFallShare;
  } else {
    const double rise = kRiseDbPerSecond * std::chrono::duration<double>(duration).count();
    floor_db_ = std::min(floor_db_ + rise, level_db_);
  }
  floor_db_ = std::clamp(floor_db_, kSilenceDb, options_.highest_floor_db);
  if (speech) {
    hangover_left_ = options_.hangover;
    return true;
  }
  const bool sending = hangover_left_ > base::Duration::zero();
  hangover_left_ = std::max(hangover_left_ - duration, base::Duration::zero());
  return sending;
}

}  // namespace alcove::client
