#include "audit/g711.h"

namespace alcove::audit {

// Table 2a of G.711: the byte is sent inverted; sign, three bits of segment, four of step. The
// decision values are shifted by 33 (of 14 bits) so that every segment begins at a power of two.
std::int16_t decode_mu_law(std::uint8_t code) {
  const unsigned value = static_cast<std::uint8_t>(~code);
  const unsigned segment = value >> 4 & 7;
  const int magnitude = static_cast<int>((((value & 15) * 2 + 33) << segment) - 33) * 4;
  return static_cast<std::int16_t>((value & 0x80) != 0 ? -magnitude : magnitude);
}

// Table 1a: the even bits are sent inverted. The first two segments have the same step.
std::int16_t decode_a_law(std::uint8_t code) {
  const unsigned value = code ^ 0x55U;
  const unsigned segment = value >> 4 & 7;
  const unsigned step = (value & 15) * 2 + 1;
  const unsigned linear = segment == 0 ? step : (step + 32) << (segment - 1);
  const int magnitude = static_cast<int>(linear) * 8;
  return static_cast<std::int16_t>((value & 0x80) != 0 ? magnitude : -magnitude);
}

}  // namespace alcove::audit
