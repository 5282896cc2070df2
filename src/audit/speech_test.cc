#include "audit/speech_test.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace alcove::audit {
namespace {

constexpr std::size_t kFrame = 160;       // 20 ms
constexpr std::size_t kShortestLag = 20;  // 400 Hz
constexpr std::size_t kLongestLag = 133;  // 60 Hz
constexpr double kLeastLevel = 60;        // root mean square of 32,768: -55 dB
constexpr double kDynamicRange = 40;      // dB below the loudest frame: silence
constexpr double kVoicedCorrelation = 0.5;
constexpr double kFramesASecond = 50;

struct FrameMeasures {
  double level = 0;  // root mean square
  double pitch_correlation = 0;
  double neighbour_correlation = 0;
};

double dot(std::span<const std::int16_t> a, std::span<const std::int16_t> b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<std::int64_t>(a[i]) * b[i];
  return static_cast<double>(sum);
}

// The frame's correlation with what was a pitch period before, and with the sample before.
void measure_correlation(std::span<const std::int16_t> samples, std::size_t at,
                         FrameMeasures& out) {
  const auto frame = samples.subspan(at, kFrame);
  const double energy = dot(frame, frame) + 1;
  double delayed_energy = 0;
  for (std::size_t lag = 1; lag <= kLongestLag; ++lag) {
    if (lag != 1 && lag < kShortestLag) continue;
    const auto delayed = samples.subspan(at - lag, kFrame);
    delayed_energy = dot(delayed, delayed) + 1;
    const double correlation = dot(frame, delayed) / std::sqrt(energy * delayed_energy);
    if (lag == 1)
      out.neighbour_correlation = correlation;
    else
      out.pitch_correlation = std::max(out.pitch_correlation, correlation);
  }
}

// The share of the envelope's movement at the rate of syllables.
double syllable_share(const std::vector<FrameMeasures>& frames) {
  const double count = static_cast<double>(frames.size());
  double mean = 0;
  for (const FrameMeasures& frame : frames) mean += frame.level / count;
  double syllables = 0, all = 0;
  for (double hertz = 1; hertz <= 25; hertz += 0.5) {
    double real = 0, imaginary = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const double phase = 2 * std::numbers::pi * hertz * static_cast<double>(i) / kFramesASecond;
      real += (frames[i].level - mean) * std::cos(phase);
      imaginary += (frames[i].level - mean) * std::sin(phase);
    }
    const double power = real * real + imaginary * imaginary;
    all += power;
    if (hertz >= 2 && hertz <= 8) syllables += power;
  }
  return all <= 0 ? 0 : syllables / all;
}

void measure_active(const std::vector<FrameMeasures>& frames, double threshold,
                    SpeechMeasures& out) {
  double active = 0, voiced = 0, correlation = 0, sum = 0, squares = 0;
  for (const FrameMeasures& frame : frames) {
    if (frame.level < threshold) continue;
    const double decibels = 20 * std::log10(frame.level);
    active += 1;
    sum += decibels;
    squares += decibels * decibels;
    correlation += frame.neighbour_correlation;
    if (frame.pitch_correlation > kVoicedCorrelation) voiced += 1;
  }
  if (active == 0) return;
  out.active = active / static_cast<double>(frames.size());
  out.voiced = voiced / active;
  out.correlation = correlation / active;
  out.level_spread = std::sqrt(std::max(0.0, squares / active - sum * sum / (active * active)));
}

}  // namespace

SpeechMeasures measure_speech(std::span<const std::int16_t> samples) {
  SpeechMeasures result;
  result.seconds = static_cast<double>(samples.size()) / 8000;
  std::vector<FrameMeasures> frames;
  double loudest = 0;
  for (std::size_t at = kFrame; at + kFrame <= samples.size(); at += kFrame) {
    const auto frame = samples.subspan(at, kFrame);
    FrameMeasures& measures = frames.emplace_back();
    measures.level = std::sqrt(dot(frame, frame) / kFrame);
    loudest = std::max(loudest, measures.level);
    if (measures.level >= kLeastLevel) measure_correlation(samples, at, measures);
  }
  if (result.seconds < 0.6 || loudest < kLeastLevel) return result;
  measure_active(frames, std::max(kLeastLevel, loudest * std::pow(10, -kDynamicRange / 20)),
                 result);
  result.modulation = syllable_share(frames);
  // A voice: pitch in part of it (a tone has it in all, noise in none), a level that moves by
  // syllables, more low than high.
  result.speech = result.active > 0.1 && result.voiced > 0.2 && result.level_spread > 4 &&
                  result.modulation > 0.18 && result.correlation > 0.3;
  return result;
}

}  // namespace alcove::audit
