#pragma once
// The small grammars inside lines of SDP, for the parser of this folder. Any thread.

#include <charconv>
#include <optional>
#include <string_view>

#include "wire/sdp.h"

namespace alcove::wire {

// Takes the text up to the next separator off the front of rest; all of it when there is none.
std::string_view take_until(std::string_view& rest, char separator);

// A whole decimal number, digits only.
template <typename T>
std::optional<T> parse_decimal(std::string_view text) {
  T value{};
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// RFC 8866, section 9: token. Not empty.
bool is_sdp_token(std::string_view text);
// RFC 8839, section 5.1: ice-char. Of a length between the two.
bool is_ice_text(std::string_view text, std::size_t shortest, std::size_t longest);
bool equals_ignoring_case(std::string_view a, std::string_view b);

SdpMediaKind to_media_kind(std::string_view media);
// The value of a=setup; nullopt for holdconn too.
std::optional<SdpSetup> parse_setup(std::string_view value);

// "sha-256 AB:CD:…" (RFC 8122, section 5); at most 64 bytes, and 32 for sha-256.
std::optional<SdpFingerprint> parse_fingerprint(std::string_view value);

// The value of a=candidate. An outer nullopt is a malformed line, an inner one a candidate that is
// well formed but of no use here: a name instead of an address, an unknown transport or type.
std::optional<std::optional<IceCandidate>> parse_candidate(std::string_view value);
// Writes the value of a=candidate.
std::string write_candidate(const IceCandidate& candidate);

// True for "IN IP4 address" and the like when the address says nothing about the sender.
bool is_placeholder_address(std::string_view connection);

}  // namespace alcove::wire
