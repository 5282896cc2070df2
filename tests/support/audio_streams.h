#pragma once
// Speech and other sound as payloads, for tests of what recognises codecs: real recordings
// (alsa-utils), synthetic speech (espeak-ng), encoders of every codec that the audit knows, and
// what must not be recognised. Deterministic for a seed.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "audit/payload_sample.h"
#include "base/bytes.h"

namespace alcove::test {

using Pcm = std::vector<std::int16_t>;

// A stream of payloads with the RTP clock's step of each.
struct Payloads {
  std::vector<base::Buffer> payloads;
  std::vector<std::uint32_t> steps;  // timestamp units to the next packet
  std::uint8_t payload_type = 111;
};

// 48 kHz mono. The recordings of alsa-utils, one after another, beginning with `first`; without
// Noise.wav. Empty where they are not installed.
Pcm recordings(std::size_t first = 0);
// 48 kHz mono of espeak-ng, at most four seconds; empty where it is not installed.
Pcm synthetic_speech(const std::string& voice, int words_a_minute, int pitch,
                     const std::string& text);
// Windowed sinc, for rates whose ratio is moderate.
Pcm resample(const Pcm& pcm, int from, int to);
Pcm tone(double frequency, double seconds, int rate, double amplitude = 8000);
Pcm white_noise(double seconds, int rate, double amplitude, std::uint32_t seed);
Pcm scaled(const Pcm& pcm, double factor);

struct OpusSettings {
  bool voip = true;
  int bits_per_second = 24'000;
  int frame_milliseconds = 20;
  bool vbr = true;
  bool dtx = false;
  bool fec = false;
  int channels = 1;
};
// pcm: 48 kHz mono.
Payloads opus_payloads(const Pcm& pcm, const OpusSettings& settings);
// pcm: 8 kHz mono; samples a packet.
Payloads mu_law_payloads(const Pcm& pcm, std::size_t samples = 160);
Payloads a_law_payloads(const Pcm& pcm, std::size_t samples = 160);
// pcm: 16 kHz mono; bytes a packet, two samples each.
Payloads g722_payloads(const Pcm& pcm, std::size_t bytes = 160);

std::uint8_t encode_mu_law(std::int16_t sample);
std::uint8_t encode_a_law(std::int16_t sample);
base::Buffer random_bytes(std::mt19937_64& random, std::size_t count);

// A frame with a header of RFC 9605, section 4.3, and body as its ciphertext.
base::Buffer sframe_like(std::uint64_t key_id, std::uint64_t counter, base::Bytes body);

// The same payloads as a sample, as if they came in time over 48 kHz or what `steps` says.
audit::PayloadSample sample_of(const Payloads& stream, std::size_t from = 0,
                               std::uint16_t first_sequence = 100);

}  // namespace alcove::test
