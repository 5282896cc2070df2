#pragma once
// Identifiers that must not be readable, in every form in which they are sought: as they are, as
// hexadecimal of either case, and as base64 (both alphabets, at each of the three alignments). Any
// thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/pattern_matcher.h"
#include "base/bytes.h"

namespace alcove::audit {

inline constexpr std::size_t kMaxIdentifiers = 10'000;
inline constexpr std::size_t kMinIdentifier = 4;
inline constexpr std::size_t kMaxIdentifier = 256;

enum class Encoding : std::uint8_t { kPlain, kHexadecimal, kBase64 };
std::string_view encoding_name(Encoding encoding);

// The base64 characters that are the same whatever stands around the bytes, when offset (0 to 2)
// bytes of a group of three stand before them.
std::string base64_core(base::Bytes bytes, std::size_t offset, bool url);

// Adds all forms of one identifier; as_value makes the value of a form. base64 of fewer than 8
// certain characters would be found in any long base64 text, so short identifiers have none.
template <typename AsValue>
void add_identifier(PatternMatcher& matcher, std::string_view identifier, AsValue&& as_value);

// Whether a match of length bytes at a place cannot have come about by chance in random bytes. From
// 8 bytes on always: with 80,000 forms, 10^9 random bytes have one with probability 10^9 * 80,000 /
// 2^64 = 4 * 10^-6. Shorter ones need text around them: of the 32 bytes on either side so many have
// to be printable or below 16 as random bytes are in one of 10^6 cases.
bool cannot_be_chance(base::Bytes text, std::size_t at, std::size_t length);

// Whether the match stands for itself and is not a part of a longer number, or of a longer word
// where it is short.
bool stands_alone(base::Bytes text, std::size_t at, std::size_t length);

// Implementation of the template.
std::vector<std::pair<std::string, Encoding>> forms_of(std::string_view identifier);
template <typename AsValue>
void add_identifier(PatternMatcher& matcher, std::string_view identifier, AsValue&& as_value) {
  for (const auto& [form, encoding] : forms_of(identifier))
    matcher.add(base::as_bytes(form), as_value(encoding));
}

}  // namespace alcove::audit
