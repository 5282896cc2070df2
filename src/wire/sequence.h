#pragma once
// Arithmetic on numbers that wrap: RTP sequence numbers (RFC 3550, appendix A.1) and the packet
// index of SRTP (RFC 3711, section 3.3.1), which is the same thing at 48 bits. Any thread.

#include <cstdint>
#include <optional>

namespace alcove::wire {

// a comes after b, modulo 2^16; of two numbers half the circle apart neither does.
constexpr bool is_newer_sequence(std::uint16_t a, std::uint16_t b) {
  const auto ahead = static_cast<std::uint16_t>(a - b);
  return ahead != 0 && ahead < 0x8000;
}

// The extended sequence number nearest to reference whose low 16 bits are sequence. Never below 0:
// near the start an "older" number is taken to be ahead (errata 3712 of RFC 3711 asks for the
// same).
constexpr std::uint64_t unwrap_sequence(std::uint64_t reference, std::uint16_t sequence) {
  const auto ahead = static_cast<std::uint16_t>(sequence - static_cast<std::uint16_t>(reference));
  if (ahead < 0x8000) return reference + ahead;
  const std::uint64_t behind = 0x10000U - ahead;
  return reference >= behind ? reference - behind : reference + ahead;
}

// Follows one stream: the reference is the highest number seen, and the first number starts round
// 0.
class SequenceUnwrapper {
 public:
  // The extended number; the reference moves only forward. For packets not yet authenticated use
  // peek(), so that a forged one cannot move it.
  constexpr std::uint64_t unwrap(std::uint16_t sequence) {
    const std::uint64_t extended = peek(sequence);
    if (!highest_ || extended > *highest_) highest_ = extended;
    return extended;
  }
  constexpr std::uint64_t peek(std::uint16_t sequence) const {
    return highest_ ? unwrap_sequence(*highest_, sequence) : sequence;
  }
  constexpr std::optional<std::uint64_t> highest() const { return highest_; }

 private:
  std::optional<std::uint64_t> highest_;
};

}  // namespace alcove::wire
