#pragma once
// The replay list of RFC 3711, section 3.3.2, as a window of bits; frames under room keys have the
// same. One thread.

#include <array>
#include <cstdint>

namespace alcove::crypto {

// Remembers which of the last 128 indices were received. Empty until the first accept().
class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 128;

  bool empty() const { return !used_; }
  std::uint64_t highest() const { return highest_; }

  // True when index was neither accepted before nor fell out of the window.
  bool is_new(std::uint64_t index) const {
    if (!used_ || index > highest_) return true;
    const std::uint64_t age = highest_ - index;
    return age < kSize && (bits_[age / 64] >> (age % 64) & 1) == 0;
  }

  // Only for an index that is_new().
  void accept(std::uint64_t index) {
    if (!used_ || index > highest_) {
      shift(used_ ? index - highest_ : kSize);
      highest_ = index;
      used_ = true;
    }
    const std::uint64_t age = highest_ - index;
    bits_[age / 64] |= std::uint64_t{1} << (age % 64);
  }

 private:
  void shift(std::uint64_t count) {
    if (count >= kSize) {
      bits_ = {};
    } else if (count >= 64) {
      bits_[1] = bits_[0] << (count - 64);
      bits_[0] = 0;
    } else {
      bits_[1] = bits_[1] << count | bits_[0] >> (64 - count);
      bits_[0] <<= count;
    }
  }

  bool used_ = false;
  std::uint64_t highest_ = 0;
  std::array<std::uint64_t, 2> bits_{};  // bit n of the pair: highest_ - n was accepted
};

}  // namespace alcove::crypto
