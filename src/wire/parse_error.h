#pragma once
// Why bytes from the network were not accepted: small, so that drops can be counted by reason. Any
// thread.

#include <cstdint>
#include <expected>

namespace alcove::wire {

enum class ParseError : std::uint8_t {
  kTruncated,       // ends before what its own fields promise
  kTooLong,         // longer than any message that is accepted
  kBadMagic,        // not this protocol: version bits, magic cookie, reserved bits
  kBadLength,       // a length field that contradicts the size or its own rules
  kBadAttribute,    // a field whose value is outside its type
  kBadPadding,      // RTP or RTCP padding longer than what it pads
  kBadFingerprint,  // STUN FINGERPRINT does not match
  kTooMany,         // more items than the bound of the view
};
inline constexpr std::size_t kParseErrorCount = 8;

template <typename T>
using Parsed = std::expected<T, ParseError>;

}  // namespace alcove::wire
