#pragma once
// Does a signal sound like speech? For what a recogniser decoded. Any thread.

#include <cstdint>
#include <span>

namespace alcove::audit {

struct SpeechMeasures {
  double seconds = 0;
  double active = 0;        // share of 20 ms frames that are not silence
  double voiced = 0;        // of the active frames: a pitch of 60 to 400 Hz
  double level_spread = 0;  // standard deviation of the level of active frames, dB
  double modulation = 0;    // share of the envelope's movement (1 to 25 Hz) at 2 to 8 Hz: syllables
  double correlation = 0;   // between neighbouring samples of active frames: the spectrum falls
  bool speech = false;
};

// 8,000 samples a second. Too short (below 0.6 s) or silent: not speech.
SpeechMeasures measure_speech(std::span<const std::int16_t> samples);

}  // namespace alcove::audit
