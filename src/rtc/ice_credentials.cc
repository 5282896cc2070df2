#include "rtc/ice_credentials.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace alcove::rtc {
namespace {

// ice-char (RFC 8839, section 5.4): 64 of them, so six random bits make one.
constexpr std::string_view kIceChars =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kUfragSize = 8;
constexpr std::size_t kPasswordSize = 24;
constexpr std::size_t kMaxPrefix = 8;

template <std::size_t N>
std::string random_ice_chars(base::RandomSource& random) {
  std::string text;
  for (const std::uint8_t byte : random.bytes<N>()) text.push_back(kIceChars[byte & 63]);
  return text;
}

bool is_ice_chars(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kIceChars.contains(c); });
}

}  // namespace

wire::IceCredentials make_ice_credentials(base::RandomSource& random,
                                          std::string_view ufrag_prefix) {
  CHECK(ufrag_prefix.size() <= kMaxPrefix && is_ice_chars(ufrag_prefix));
  return {.ufrag = std::string(ufrag_prefix) + random_ice_chars<kUfragSize>(random),
          .pwd = random_ice_chars<kPasswordSize>(random)};
}

bool is_valid(const wire::IceCredentials& credentials) {
  const std::string& ufrag = credentials.ufrag;
  const std::string& pwd = credentials.pwd;
  return ufrag.size() >= 4 && ufrag.size() <= 256 && pwd.size() >= 22 && pwd.size() <= 256 &&
         is_ice_chars(ufrag) && is_ice_chars(pwd);
}

}  // namespace alcove::rtc
