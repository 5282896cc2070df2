#include "audit/vendor_protocols.h"

#include <algorithm>
#include <array>

namespace alcove::audit {
namespace {

constexpr std::array<std::uint8_t, 6> kListStart = {0x77, 0x01, 0x00, 0x00, 0x0f, 0x00};
constexpr std::size_t kVersionBytes = 2;  // of the start: the rest may be another version's
constexpr std::size_t kItemHeader = 4;
constexpr std::size_t kMaxKey = 255;
constexpr auto kNames =
    std::to_array<std::string_view>({"agora.io", "agoraio.cn", "agoralab.co", "sd-rtn.com"});

bool is_printable(std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; }
std::size_t little16(base::Bytes bytes, std::size_t at) {
  return static_cast<std::size_t>(bytes[at + 1]) << 8 | bytes[at];
}

}  // namespace

bool is_vendor_list(base::Bytes payload) {
  if (payload.size() < kListStart.size() + 2 * kItemHeader ||
      !std::equal(kListStart.begin(), kListStart.begin() + kVersionBytes, payload.begin()))
    return false;
  std::size_t at = kListStart.size();
  std::size_t previous = 0;
  std::size_t items = 0;
  std::size_t characters = 0;
  while (at + kItemHeader <= payload.size()) {
    const std::size_t key = little16(payload, at);
    const std::size_t length = little16(payload, at + 2);
    if (key <= previous || key > kMaxKey || length == 0 ||
        length > payload.size() - at - kItemHeader)
      break;
    if (!std::ranges::all_of(payload.subspan(at + kItemHeader, length), is_printable)) break;
    previous = key;
    at += kItemHeader + length;
    characters += length;
    ++items;
  }
  const bool zeros = std::ranges::all_of(payload.subspan(at), [](auto b) { return b == 0; });
  // Later items may be binary: three readable ones are enough then.
  return characters >= 8 && (zeros ? items >= 2 : items >= 3);
}

bool is_vendor_name(std::string_view name) {
  return std::ranges::any_of(kNames, [name](std::string_view known) {
    if (!name.ends_with(known)) return false;
    return name.size() == known.size() || name[name.size() - known.size() - 1] == '.';
  });
}

std::optional<std::string_view> vendor_message(base::Bytes text, std::size_t at) {
  constexpr std::size_t kMost = 64;
  const std::string_view rest = base::as_text(text).substr(at);
  if (!rest.starts_with(kVendorMessageStart)) return std::nullopt;
  const std::string_view name = rest.substr(2, kMost);
  const std::size_t end = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.");
  if (end == std::string_view::npos || end < 7 || name[end] != '"') return std::nullopt;
  return name.substr(0, end);
}

}  // namespace alcove::audit
