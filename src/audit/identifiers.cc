#include "audit/identifiers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kCertain = 8;
constexpr std::size_t kContext = 32;
constexpr std::size_t kMinBase64 = 8;
constexpr double kNiceShare = (95.0 + 16.0) / 256.0;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_digit(std::uint8_t byte) { return byte >= '0' && byte <= '9'; }
bool is_alphanumeric(std::uint8_t byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}
bool is_nice(std::uint8_t byte) { return (byte >= 0x20 && byte < 0x7f) || byte < 0x10; }

// Five standard deviations over what random bytes have; short contexts must be nice throughout.
std::size_t needed_of(std::size_t count) {
  const double mean = kNiceShare * static_cast<double>(count);
  const double deviation = std::sqrt(mean * (1 - kNiceShare));
  return std::min(count, static_cast<std::size_t>(std::ceil(mean + 5 * deviation)));
}

}  // namespace

std::string_view encoding_name(Encoding encoding) {
  constexpr std::array<std::string_view, 3> kNames = {"plain", "hexadecimal", "base64"};
  return kNames[static_cast<std::size_t>(encoding)];
}

std::string base64_core(base::Bytes bytes, std::size_t offset, bool url) {
  const std::string_view alphabet = url ? kUrlAlphabet : kAlphabet;
  const std::size_t first_bit = offset * 8;
  const std::size_t end_bit = first_bit + bytes.size() * 8;
  std::string result;
  for (std::size_t bit = (first_bit + 5) / 6 * 6; bit + 6 <= end_bit; bit += 6) {
    const std::size_t at = bit - first_bit;
    const unsigned high = bytes[at / 8];
    const unsigned low = at / 8 + 1 < bytes.size() ? bytes[at / 8 + 1] : 0U;
    result.push_back(alphabet[(high << 8 | low) >> (10 - at % 8) & 63]);
  }
  return result;
}

std::vector<std::pair<std::string, Encoding>> forms_of(std::string_view identifier) {
  std::vector<std::pair<std::string, Encoding>> forms;
  const auto add = [&forms](std::string form, Encoding encoding) {
    for (const auto& [known, unused] : forms)
      if (known == form) return;
    forms.emplace_back(std::move(form), encoding);
  };
  const base::Bytes bytes = base::as_bytes(identifier);
  add(std::string(identifier), Encoding::kPlain);
  std::string hexadecimal = base::to_hex(bytes);
  add(hexadecimal, Encoding::kHexadecimal);
  for (char& c : hexadecimal)
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  add(hexadecimal, Encoding::kHexadecimal);
  for (std::size_t offset = 0; offset < 3; ++offset)
    for (const bool url : {false, true})
      if (std::string core = base64_core(bytes, offset, url); core.size() >= kMinBase64)
        add(std::move(core), Encoding::kBase64);
  return forms;
}

bool cannot_be_chance(base::Bytes text, std::size_t at, std::size_t length) {
  if (length >= kCertain) return true;
  const std::size_t begin = at > kContext ? at - kContext : 0;
  const std::size_t end = std::min(text.size(), at + length + kContext);
  std::size_t nice = 0;
  for (std::size_t i = begin; i < end; ++i)
    if ((i < at || i >= at + length) && is_nice(text[i])) ++nice;
  return nice >= needed_of(end - begin - length);
}

bool stands_alone(base::Bytes text, std::size_t at, std::size_t length) {
  const base::Bytes match = text.subspan(at, length);
  const bool number = std::ranges::all_of(match, is_digit);
  if (!number && length >= kCertain) return true;
  const auto continues = [number](std::uint8_t inside, std::uint8_t outside) {
    if (number) return is_digit(outside);
    return is_alphanumeric(inside) && is_alphanumeric(outside);
  };
  if (at > 0 && continues(match.front(), text[at - 1])) return false;
  const std::size_t end = at + length;
  return end >= text.size() || !continues(match.back(), text[end]);
}

}  // namespace alcove::audit
