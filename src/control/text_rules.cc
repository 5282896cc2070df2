#include "control/text_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace alcove::control {
namespace {

struct Range {
  char32_t first, last;
};

// Control characters, line and paragraph separators, marks and overrides of direction, invisible
// characters without a use in names. The joiners U+200C and U+200D stay: emoji and Persian need
// them.
constexpr std::array kForbidden = {
    Range{0x00, 0x1f},     Range{0x7f, 0x9f},     Range{0xad, 0xad},     Range{0x61c, 0x61c},
    Range{0x180e, 0x180e}, Range{0x200b, 0x200b}, Range{0x200e, 0x200f}, Range{0x2028, 0x202e},
    Range{0x2060, 0x206f}, Range{0xfeff, 0xfeff}, Range{0xfff9, 0xfffb}, Range{0xfffe, 0xffff},
};

// Not visible by themselves: a name needs something else as well.
constexpr std::array kBlank = {
    Range{0x20, 0x20},     Range{0xa0, 0xa0},       Range{0x34f, 0x34f},   Range{0x115f, 0x1160},
    Range{0x1680, 0x1680}, Range{0x2000, 0x200d},   Range{0x202f, 0x202f}, Range{0x205f, 0x205f},
    Range{0x2800, 0x2800}, Range{0x3000, 0x3000},   Range{0x3164, 0x3164}, Range{0xfe00, 0xfe0f},
    Range{0xffa0, 0xffa0}, Range{0xe0000, 0xe0fff},
};

bool in_ranges(char32_t c, std::span<const Range> ranges) {
  return std::ranges::any_of(ranges, [c](Range r) { return c >= r.first && c <= r.last; });
}

// The code point at the start of well-formed UTF-8, which is shortened by it.
char32_t next_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t value = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(length);
  return value;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::expected<std::string, ApiError> check_text(std::string_view text, std::string_view field,
                                                std::size_t max_code_points) {
  if (!base::is_utf8(text))
    return std::unexpected(invalid_argument(fmt::format("{} is not UTF-8.", field)));
  const std::string_view trimmed = trim(text);
  const std::size_t length = base::count_code_points(trimmed);
  bool visible = false;
  bool forbidden = false;
  for (std::string_view rest = trimmed; !rest.empty();) {
    const char32_t c = next_code_point(rest);
    forbidden = forbidden || in_ranges(c, kForbidden);
    visible = visible || !in_ranges(c, kBlank);
  }
  if (!visible || length > max_code_points)
    return std::unexpected(
        invalid_argument(fmt::format("{} must have 1 to {} characters.", field, max_code_points)));
  if (forbidden)
    return std::unexpected(invalid_argument(fmt::format(
        "{} has a control character or one that changes the direction of text.", field)));
  return std::string(trimmed);
}

std::expected<std::string, ApiError> check_username(std::string_view text) {
  std::string username(text);
  for (char& c : username)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto allowed = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  const bool valid = username.size() >= 3 && username.size() <= 30 && letter(username[0]) &&
                     std::ranges::all_of(username, allowed);
  if (!valid)
    return std::unexpected(invalid_argument(
        "username must have 3 to 30 of a-z, 0-9, \"_\" and \".\", and begin with a letter."));
  return username;
}

std::expected<void, ApiError> check_password(std::string_view text) {
  if (!base::is_utf8(text)) return std::unexpected(invalid_argument("password is not UTF-8."));
  const std::size_t length = base::count_code_points(text);
  if (length < 8 || length > 200)
    return std::unexpected(invalid_argument("password must have 8 to 200 characters."));
  return {};
}

}  // namespace alcove::control
