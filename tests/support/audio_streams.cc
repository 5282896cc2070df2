#include "support/audio_streams.h"

#include <opus.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <numbers>

#include "audit/g722.h"
#include "base/check.h"

namespace alcove::test {
namespace {

struct Wav {
  int rate = 0;
  Pcm pcm;
};

// Mono, 16 bits. espeak-ng writes a length that it does not know yet, so the rest of the file is
// taken.
Wav parse_wav(const std::string& bytes) {
  Wav wav;
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value |= std::uint32_t{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
    return value;
  };
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t length = std::min<std::size_t>(number(at + 4, 4), bytes.size() - at - 8);
    if (bytes.compare(at, 4, "fmt ") == 0) wav.rate = static_cast<int>(number(at + 12, 4));
    if (bytes.compare(at, 4, "data") == 0) {
      wav.pcm.resize(length / 2);
      std::memcpy(wav.pcm.data(), bytes.data() + at + 8, wav.pcm.size() * 2);
      break;
    }
    at += 8 + length + (length & 1);
  }
  return wav;
}

std::int16_t to_sample(double value) {
  return static_cast<std::int16_t>(std::clamp(std::lround(value), -32768L, 32767L));
}

}  // namespace

Pcm recordings(std::size_t first) {
  static constexpr std::array kNames = {"Front_Center", "Front_Left", "Front_Right", "Rear_Center",
                                        "Rear_Left",    "Rear_Right", "Side_Left",   "Side_Right"};
  Pcm all;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::ifstream file(
        "/usr/share/sounds/alsa/" + std::string(kNames[(first + i) % kNames.size()]) + ".wav",
        std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const Wav wav = parse_wav(bytes);
    if (wav.rate == 48'000) all.insert(all.end(), wav.pcm.begin(), wav.pcm.end());
  }
  return all;
}

Pcm synthetic_speech(const std::string& voice, int words_a_minute, int pitch,
                     const std::string& text) {
  const std::string command = "espeak-ng --stdout -v " + voice + " -s " +
                              std::to_string(words_a_minute) + " -p " + std::to_string(pitch) +
                              " '" + text + "' 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (pipe == nullptr) return {};
  std::string bytes;
  std::array<char, 65536> buffer;
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe.get()))
    bytes.append(buffer.data(), got);
  Wav wav = parse_wav(bytes);
  wav.pcm.resize(std::min(wav.pcm.size(), static_cast<std::size_t>(wav.rate) * 4));
  return wav.rate == 0 ? Pcm{} : resample(wav.pcm, wav.rate, 48'000);
}

Pcm resample(const Pcm& pcm, int from, int to) {
  constexpr int kHalfWidth = 16;
  const double ratio = static_cast<double>(from) / to;
  const double cutoff = std::min(1.0, 1.0 / ratio);
  const double reach = kHalfWidth / cutoff;
  Pcm out(static_cast<std::size_t>(static_cast<double>(pcm.size()) / ratio));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double center = static_cast<double>(i) * ratio;
    double sum = 0;
    const long begin = std::max(0L, std::lround(std::ceil(center - reach)));
    const long end =
        std::min(static_cast<long>(pcm.size()) - 1, std::lround(std::floor(center + reach)));
    for (long k = begin; k <= end; ++k) {
      const double x = (static_cast<double>(k) - center) * cutoff;
      const double sinc = x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
      const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * x / kHalfWidth);
      sum += pcm[static_cast<std::size_t>(k)] * sinc * window * cutoff;
    }
    out[i] = to_sample(sum);
  }
  return out;
}

Pcm tone(double frequency, double seconds, int rate, double amplitude) {
  Pcm out(static_cast<std::size_t>(seconds * rate));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = to_sample(amplitude *
                       std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / rate));
  return out;
}

Pcm white_noise(double seconds, int rate, double amplitude, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, amplitude);
  Pcm out(static_cast<std::size_t>(seconds * rate));
  for (std::int16_t& sample : out) sample = to_sample(normal(random));
  return out;
}

Pcm scaled(const Pcm& pcm, double factor) {
  Pcm out(pcm);
  for (std::int16_t& sample : out) sample = to_sample(sample * factor);
  return out;
}

Payloads opus_payloads(const Pcm& pcm, const OpusSettings& settings) {
  int error = 0;
  const std::unique_ptr<OpusEncoder, void (*)(OpusEncoder*)> encoder(
      opus_encoder_create(48'000, settings.channels,
                          settings.voip ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO, &error),
      opus_encoder_destroy);
  CHECK(error == OPUS_OK);
  opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(5));  // as phones do; half the time
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(settings.bits_per_second));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(settings.vbr ? 1 : 0));
  opus_encoder_ctl(encoder.get(), OPUS_SET_DTX(settings.dtx ? 1 : 0));
  opus_encoder_ctl(encoder.get(), OPUS_SET_INBAND_FEC(settings.fec ? 1 : 0));
  opus_encoder_ctl(encoder.get(), OPUS_SET_PACKET_LOSS_PERC(settings.fec ? 10 : 0));
  const std::size_t frame = static_cast<std::size_t>(settings.frame_milliseconds) * 48;
  Payloads stream;
  base::Buffer out(4000);
  std::vector<std::int16_t> interleaved;
  for (std::size_t at = 0; at + frame <= pcm.size(); at += frame) {
    interleaved.clear();
    for (std::size_t i = 0; i < frame; ++i)
      for (int c = 0; c < settings.channels; ++c) interleaved.push_back(pcm[at + i]);
    const int size = opus_encode(encoder.get(), interleaved.data(), static_cast<int>(frame),
                                 out.data(), static_cast<int>(out.size()));
    CHECK(size > 0);
    // With DTX a packet of up to two bytes is not sent; the clock goes on.
    if (settings.dtx && size <= 2 && !stream.steps.empty()) {
      stream.steps.back() += static_cast<std::uint32_t>(frame);
      continue;
    }
    stream.payloads.emplace_back(out.begin(), out.begin() + size);
    stream.steps.push_back(static_cast<std::uint32_t>(frame));
  }
  return stream;
}

std::uint8_t encode_mu_law(std::int16_t sample) {
  const int sign = sample < 0 ? 0x80 : 0;
  const int magnitude = std::min(std::abs(static_cast<int>(sample)), 32635) + 132;
  int segment = 7;
  while (segment > 0 && (magnitude & (0x80 << segment)) == 0) --segment;
  return static_cast<std::uint8_t>(~(sign | segment << 4 | (magnitude >> (segment + 3) & 15)));
}

std::uint8_t encode_a_law(std::int16_t sample) {
  const int sign = sample < 0 ? 0 : 0x80;
  const int magnitude = std::min(sample < 0 ? -static_cast<int>(sample) - 1 : sample, 32767);
  int segment = 7;
  while (segment > 0 && (magnitude & (0x80 << segment)) == 0) --segment;
  const int step = magnitude >> (segment == 0 ? 4 : segment + 3) & 15;
  return static_cast<std::uint8_t>((sign | segment << 4 | step) ^ 0x55);
}

namespace {

template <typename Encode>
Payloads encode_each(const Pcm& pcm, std::size_t samples, std::uint8_t payload_type,
                     Encode encode) {
  Payloads stream;
  stream.payload_type = payload_type;
  for (std::size_t at = 0; at + samples <= pcm.size(); at += samples) {
    base::Buffer& payload = stream.payloads.emplace_back();
    for (std::size_t i = 0; i < samples; ++i) payload.push_back(encode(pcm[at + i]));
    stream.steps.push_back(static_cast<std::uint32_t>(samples));
  }
  return stream;
}

// G.722, table 11: the transmit quadrature mirror filter; the other half mirrors it.
constexpr std::array<int, 12> kMirrorFilter = {3,    -11,  12,  32,   -210, 951,
                                               3876, -805, 362, -156, 53,   -11};

}  // namespace

Payloads mu_law_payloads(const Pcm& pcm, std::size_t samples) {
  return encode_each(pcm, samples, 0, encode_mu_law);
}

Payloads a_law_payloads(const Pcm& pcm, std::size_t samples) {
  return encode_each(pcm, samples, 8, encode_a_law);
}

Payloads g722_payloads(const Pcm& pcm, std::size_t bytes) {
  Payloads stream;
  stream.payload_type = 9;
  audit::G722LowerBand lower;
  audit::G722HigherBand higher;
  std::array<int, 24> line{};
  const auto nearest = [](auto& band, int wanted, unsigned first, unsigned count) {
    unsigned best = first;
    for (unsigned code = first; code < count; ++code)
      if (std::abs(band.reconstruct(code) - wanted) < std::abs(band.reconstruct(best) - wanted))
        best = code;
    band.decode(best);
    return best;
  };
  for (std::size_t at = 0; at + 2 * bytes <= pcm.size(); at += 2 * bytes) {
    base::Buffer& payload = stream.payloads.emplace_back();
    for (std::size_t i = 0; i < bytes; ++i) {
      std::shift_left(line.begin(), line.end(), 2);
      line[22] = pcm[at + 2 * i];
      line[23] = pcm[at + 2 * i + 1];
      int even = 0, odd = 0;
      for (std::size_t k = 0; k < 12; ++k) {
        odd += line[2 * k] * kMirrorFilter[k];
        even += line[2 * k + 1] * kMirrorFilter[11 - k];
      }
      const unsigned low = nearest(lower, (even + odd) >> 14, 4, 64);
      const unsigned high = nearest(higher, (even - odd) >> 14, 0, 4);
      payload.push_back(static_cast<std::uint8_t>(high << 6 | low));
    }
    stream.steps.push_back(static_cast<std::uint32_t>(bytes));
  }
  return stream;
}

base::Buffer random_bytes(std::mt19937_64& random, std::size_t count) {
  base::Buffer out(count);
  for (std::size_t i = 0; i < count; i += 8) {
    const std::uint64_t value = random();
    std::memcpy(out.data() + i, &value, std::min<std::size_t>(8, count - i));
  }
  return out;
}

base::Buffer sframe_like(std::uint64_t key_id, std::uint64_t counter, base::Bytes body) {
  base::Buffer frame(1);
  const auto add = [&](std::uint64_t value) {
    if (value < 8) return static_cast<unsigned>(value);
    unsigned size = 1;
    while (size < 8 && value >> (8 * size) != 0) ++size;
    for (unsigned i = size; i-- > 0;) frame.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return 8 | (size - 1);
  };
  const unsigned key_bits = add(key_id);
  frame[0] = static_cast<std::uint8_t>(key_bits << 4);
  frame[0] = static_cast<std::uint8_t>(frame[0] | add(counter));
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

audit::PayloadSample sample_of(const Payloads& stream, std::size_t from,
                               std::uint16_t first_sequence) {
  audit::PayloadSample sample;
  std::uint32_t timestamp = 1000;
  for (std::size_t i = from; i < stream.payloads.size(); ++i) {
    if (!sample.add({.number = i + 1,
                     .timestamp = timestamp,
                     .sequence = static_cast<std::uint16_t>(first_sequence + i - from)},
                    stream.payloads[i]))
      break;
    timestamp += stream.steps[i];
  }
  return sample;
}

}  // namespace alcove::test
