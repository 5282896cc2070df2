#include "audit/codec_recognizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "audit/g711.h"
#include "audit/g722.h"
#include "audit/opus_recognizer.h"

namespace alcove::audit {
namespace {

constexpr double kPlausibleShare = 0.9;
constexpr double kSmooth = 0.35;
constexpr std::size_t kLeastBytes = 1600;  // 0.2 s of G.711

std::vector<std::int16_t> decode_bytes(const PayloadSample& sample, Codec codec) {
  std::vector<std::int16_t> samples;
  samples.reserve(sample.bytes().size());
  G722LowerBand band;
  for (const std::uint8_t byte : sample.bytes()) {
    switch (codec) {
      case Codec::kPcmu:
        samples.push_back(decode_mu_law(byte));
        break;
      case Codec::kPcma:
        samples.push_back(decode_a_law(byte));
        break;
      default:
        samples.push_back(static_cast<std::int16_t>(band.decode(byte & 63) * 2));
    }
  }
  return samples;
}

// How much of the signal's movement the sample before foretells: near 1 for sound, 0 for what is
// not the codec that it was decoded as.
double smoothness(const std::vector<std::int16_t>& samples) {
  double energy = 1, steps = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const double step = static_cast<double>(samples[i]) - samples[i - 1];
    energy += static_cast<double>(samples[i]) * samples[i];
    steps += step * step;
  }
  return 1 - steps / (2 * energy);
}

// G.711 and G.722 count 8,000 bytes a second in the RTP clock (RFC 3551, 4.5.2: G.722, too).
bool clock_counts_bytes(const PayloadSample& sample) {
  std::size_t fitting = 0, steps = 0;
  for (std::size_t i = 0; i + 1 < sample.size(); ++i) {
    if (static_cast<std::uint16_t>(sample[i + 1].sequence - sample[i].sequence) != 1) continue;
    ++steps;
    if (sample[i + 1].timestamp - sample[i].timestamp == sample[i].size) ++fitting;
  }
  return steps != 0 && static_cast<double>(fitting) > kPlausibleShare * static_cast<double>(steps);
}

std::optional<Codec> static_codec(std::uint8_t payload_type) {  // RFC 3551, table 4
  switch (payload_type) {
    case 0:
      return Codec::kPcmu;
    case 8:
      return Codec::kPcma;
    case 9:
      return Codec::kG722;
    default:
      return std::nullopt;
  }
}

// An encoder of G.722 never sends the lower band's codes 0 to 3 (its table 5); G.711 has such
// bytes.
bool has_codes_unlike_g722(const PayloadSample& sample) {
  const auto count =
      std::ranges::count_if(sample.bytes(), [](auto byte) { return (byte & 63) < 4; });
  return static_cast<double>(count) > 0.001 * static_cast<double>(sample.bytes().size());
}

// Of bytes that have structure, where the payload type is dynamic.
Codec guess_codec(const PayloadSample& sample) {
  const double mu_law = smoothness(decode_bytes(sample, Codec::kPcmu));
  const double a_law = smoothness(decode_bytes(sample, Codec::kPcma));
  if (std::max(mu_law, a_law) > kSmooth) return mu_law > a_law ? Codec::kPcmu : Codec::kPcma;
  if (has_codes_unlike_g722(sample)) return Codec::kNone;
  return smoothness(decode_bytes(sample, Codec::kG722)) > kSmooth ? Codec::kG722 : Codec::kNone;
}

void recognize_bytes(const PayloadSample& sample, std::uint8_t payload_type, Recognition& out) {
  if (!clock_counts_bytes(sample) || sample.bytes().size() < kLeastBytes) return;
  const std::optional<Codec> named = static_codec(payload_type);
  if (out.structure.constant) {
    // Digital silence; its byte tells the codec.
    const std::uint8_t byte = sample.bytes()[sample.bytes().size() / 2];
    if (byte == 0xff || byte == 0x7f)
      out.codec = Codec::kPcmu;
    else if (byte == 0xd5 || byte == 0x55)
      out.codec = Codec::kPcma;
    else if (named)
      out.codec = *named;
    return;
  }
  if (out.structure.body < kStructuredScore) return;
  out.codec = named ? *named : guess_codec(sample);
  if (out.codec != Codec::kNone) out.speech = measure_speech(decode_bytes(sample, out.codec));
}

void recognize_opus(const PayloadSample& sample, Recognition& out) {
  const OpusEvidence evidence = examine_opus(sample);
  if (evidence.plausible < kPlausibleShare) return;
  out.opus_head = evidence.head;
  if (out.structure.constant) {
    out.codec = Codec::kOpus;  // digital silence
    return;
  }
  // The decoded signal is no evidence: random bits are what an entropy decoder takes for typical
  // sound, and half of them "speak" by every measure of speech_test.h.
  if (std::max(evidence.head, out.structure.body) < kStructuredScore) return;
  out.codec = Codec::kOpus;
  out.speech = measure_speech(decode_opus(sample));
}

}  // namespace

ClockStep usual_clock_step(const PayloadSample& sample) {
  std::vector<std::uint32_t> steps;
  for (std::size_t i = 0; i + 1 < sample.size(); ++i)
    if (static_cast<std::uint16_t>(sample[i + 1].sequence - sample[i].sequence) == 1)
      steps.push_back(sample[i + 1].timestamp - sample[i].timestamp);
  ClockStep usual;
  std::ranges::sort(steps);
  for (std::size_t i = 0, run = 0; i < steps.size(); ++i) {
    run = i != 0 && steps[i] == steps[i - 1] ? run + 1 : 1;
    const double share = static_cast<double>(run) / static_cast<double>(steps.size());
    if (share > usual.share) usual = {.units = steps[i], .share = share};
  }
  return usual;
}

Recognition recognize_codec(const PayloadSample& sample, std::uint8_t payload_type) {
  Recognition result;
  if (sample.size() < kLeastPackets) return result;
  result.structure = measure_structure(sample);
  recognize_bytes(sample, payload_type, result);
  if (result.codec == Codec::kNone) recognize_opus(sample, result);
  result.enough = true;
  result.random = result.codec == Codec::kNone && result.structure.head < kStructuredScore &&
                  result.structure.body < kStructuredScore && !result.structure.constant;
  return result;
}

}  // namespace alcove::audit
