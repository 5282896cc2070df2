#pragma once
// What in readable bytes looks like a token, a field that names somebody, or a device. Pure; any
// thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace alcove::audit {

inline constexpr std::size_t kMinToken = 16;
inline constexpr std::size_t kMaxToken = 2048;

struct Span {  // a part of a text
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// Letters, digits, '-' and '_'.
inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"))
    table[static_cast<std::uint8_t>(c)] = true;
  return table;
}();
inline bool is_token_character(std::uint8_t byte) { return kTokenCharacters[byte]; }

// Calls visit(Span) for every run of at least kMinToken token characters that begins in [begin,
// end). Looks at every 16th byte first: no such run can hide between them; then at one eight bytes
// before or behind, as one of them is in the run, too.
template <typename Visitor>
void for_each_token(base::Bytes text, std::size_t begin, std::size_t end, Visitor&& visit) {
  std::size_t at = begin + kMinToken - 1;
  while (at < text.size() && at < end + kMinToken - 1) {
    constexpr std::size_t kHalf = kMinToken / 2;
    const bool may_be = is_token_character(text[at]) &&
                        ((at >= kHalf && is_token_character(text[at - kHalf])) ||
                         (at + kHalf < text.size() && is_token_character(text[at + kHalf])));
    if (!may_be) {
      at += kMinToken;
      continue;
    }
    Span run{at, at + 1};
    while (run.begin > 0 && is_token_character(text[run.begin - 1])) --run.begin;
    while (run.end < text.size() && is_token_character(text[run.end])) ++run.end;
    if (run.size() >= kMinToken && run.begin >= begin && run.begin < end) visit(run);
    at = run.end + kMinToken;
  }
}

enum class TokenKind : std::uint8_t { kNone, kAgora, kJwt, kApiKey };
std::string_view token_kind_name(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::kNone;
  Span span;
};
// Whether a run is, or begins, a token of a known kind. Agora's: "006", 32 hexadecimal digits and
// base64. A JWT (RFC 7519): three parts with dots, the first two JSON. API keys by the beginnings
// that their makers gave them.
Token recognize_token(base::Bytes text, Span run);

// Whether a run looks as if it were random and not words: a UUID, hexadecimal, or letters of both
// cases and digits in quick turns.
bool looks_random(std::string_view run);

// A field such as CH-UserID: 42, "room_id":"x7", uid=42, around a place within its name.
struct Field {
  Span name;
  Span value;
  bool secret = false;  // token, session: its value opens something
};
std::optional<Field> find_field(base::Bytes text, std::size_t at);

// "iPhone/iPhone9,3/iOS/14.2" around a place where iPhone, iPad or Android begins; not the words of
// an ordinary User-Agent.
std::optional<Span> find_device(base::Bytes text, std::size_t at);

// The value of an Authorization, Bearer or Cookie header that ends (its name) at this place.
std::optional<Span> header_value(base::Bytes text, std::size_t after_name);

// An IP address as text that begins at this place and stands alone.
std::optional<Span> find_address(base::Bytes text, std::size_t at);

}  // namespace alcove::audit
