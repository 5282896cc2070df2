#include "base/random.h"

#include <cstring>

namespace alcove::base {

std::uint32_t RandomSource::next_u32() {
  std::uint32_t value = 0;
  std::array<std::uint8_t, sizeof value> out = bytes<sizeof value>();
  std::memcpy(&value, out.data(), sizeof value);
  return value;
}

std::uint64_t RandomSource::next_u64() {
  std::uint64_t value = 0;
  std::array<std::uint8_t, sizeof value> out = bytes<sizeof value>();
  std::memcpy(&value, out.data(), sizeof value);
  return value;
}

std::uint32_t RandomSource::below(std::uint32_t bound) {
  CHECK(bound != 0);
  // Values below 2^32 mod bound would favour the small results: draw again.
  const std::uint32_t reject_below = (0U - bound) % bound;
  for (;;) {
    const std::uint32_t value = next_u32();
    if (value >= reject_below) return value % bound;
  }
}

void SeededRandom::fill(MutableBytes out) {
  // splitmix64 (Steele, Lea, Flood 2014), one output a byte: speed does not matter here.
  for (std::uint8_t& byte : out) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    byte = static_cast<std::uint8_t>((z ^ (z >> 31)) >> 56);
  }
}

}  // namespace alcove::base
