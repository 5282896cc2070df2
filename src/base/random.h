#pragma once
// Randomness comes in through this interface: crypto::SystemRandom in programs, SeededRandom in
// tests.

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace alcove::base {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(MutableBytes out) = 0;

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  // Uniform in [0, bound); bound is not 0.
  std::uint32_t below(std::uint32_t bound);
  template <std::size_t N>
  std::array<std::uint8_t, N> bytes() {
    std::array<std::uint8_t, N> out;
    fill(out);
    return out;
  }
};

// Reproducible and predictable: tests and simulations only.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override;

 private:
  std::uint64_t state_;
};

}  // namespace alcove::base
