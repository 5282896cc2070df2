#pragma once
// Whether somebody is speaking, from the energy of 48 kHz mono frames. It decides when sending
// stops, so it errs towards sending. One thread.

#include <cstdint>
#include <span>

#include "base/time.h"

namespace alcove::client {

inline constexpr std::uint32_t kSampleRate = 48'000;
// 20 ms: what is encoded, mixed and recorded at a time.
inline constexpr std::size_t kFrameSamples = 960;
inline constexpr base::Duration kFrameDuration = base::milliseconds(20);

// Root mean square in decibels of full scale, -96 to 0; -96 for an empty or silent frame.
double level_of(std::span<const std::int16_t> samples);

struct VoiceActivityOptions {
  // Sending goes on this long after the last speech: pauses between words are not cut.
  base::Duration hangover = base::milliseconds(1200);
  double margin_db = 9;           // over the noise floor
  double quietest_db = -55;       // below it nothing is speech
  double highest_floor_db = -45;  // so that a steady loud sound is always sent
};

class VoiceActivity {
 public:
  explicit VoiceActivity(VoiceActivityOptions options = {}) : options_(options) {}

  // One frame of any length; true while it should be sent.
  bool handle_frame(std::span<const std::int16_t> samples);
  // Of the last frame.
  double level_db() const { return level_db_; }
  double noise_floor_db() const { return floor_db_; }
  // Forgets that somebody spoke, not the noise.
  void stop() { hangover_left_ = base::Duration::zero(); }

 private:
  VoiceActivityOptions options_;
  double level_db_ = -96;
  double floor_db_ = -60;
  base::Duration hangover_left_{};
};

}  // namespace alcove::client
