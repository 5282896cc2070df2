#pragma once
// Is a stream of payloads random, as encrypted ones are, or is there structure in it? Numbers with
// known distributions, so that a threshold is a probability. Any thread.
//
// What is not random in an encrypted stream is its headers and trailers: constant bytes, bytes that
// change seldom, counters. Positions of that kind are left out. What is left of ciphertext is
// uniform; what is left of a codec is not, because a codec's bits follow the sound:
// Opus begins with flags (voice activity, kind of frame, gain, pitch filter) that its range coder
// gives about even odds and a voice does not.

#include <array>
#include <cstdint>
#include <span>

#include "audit/payload_sample.h"

namespace alcove::audit {

struct PayloadStructure {
  // Of all payload bytes, bits a byte, corrected for the number of bytes (Miller-Madow).
  double byte_entropy = 0;
  // Standard deviations from what random bytes would give; 0 where there was too little to say.
  double head = 0;  // the first bits after the header
  double body = 0;  // frequencies of byte values, 20 bytes in front and 16 at the end left out
  std::size_t header_size = 0;  // of the commonest kind of packet
  // Nearly all bytes are one of two values, or nearly all payloads are alike: digital silence.
  bool constant = false;
};

// A random stream passes by a chance of about 10^-9; where there are few packets 10^-7.
inline constexpr double kStructuredScore = 6;

// Pieces of a stream that have their fields at the same places.
struct SequencedBytes {
  std::uint16_t sequence = 0;
  base::Bytes bytes;
};
// How many bytes in front mostly stay, or count by one or with the sequence numbers; at most 32.
std::size_t header_size_of(std::span<const SequencedBytes> pieces);

PayloadStructure measure_structure(const PayloadSample& sample);

// Whether the first bits of frames, which are cut out already, without any header, are random. A
// range coder's first symbols are where its interval lies, so four things are counted: the values
// of the first four bits, how far apart those of neighbours are, and for the four bits after them
// how often each is set and changes. Frames of different kinds go into different testers.
class HeadTester {
 public:
  void add(base::Bytes frame);  // not empty
  struct ChiSquare {
    double sum = 0;
    double degrees = 0;
  };
  // Nothing for less than 12 frames.
  ChiSquare result() const;

 private:
  static constexpr std::uint32_t kLeast = 12;
  std::array<std::uint32_t, 16> values_{};
  std::array<std::uint32_t, 8> distances_{};  // of equal probability
  std::array<std::uint32_t, 4> ones_{};
  std::array<std::uint32_t, 4> changes_{};
  std::uint32_t frames_ = 0;
  double before_ = 0;
  std::uint8_t before_bits_ = 0;
};
// The standard normal deviate that is as rare (Wilson and Hilferty).
double deviations_of(double chi_square, double degrees);

// Bits a symbol of a table of counts.
double entropy_of(std::span<const std::uint32_t> counts);

}  // namespace alcove::audit
