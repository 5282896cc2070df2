#include "audit/rtcp_check.h"

#include <algorithm>
#include <array>

namespace alcove::audit {
namespace {

constexpr std::uint8_t kSenderReport = 200;
constexpr std::uint8_t kReceiverReport = 201;
constexpr std::uint8_t kSourceDescription = 202;
constexpr std::uint8_t kLastKnownType = 208;  // 203 BYE, 204 APP, 205/206 feedback, 207 XR
constexpr std::size_t kMaxNames = 31;

// Section 6.5: chunks of SSRC and items, each chunk padded to four bytes. False when it is not.
bool read_names(base::Bytes body, std::size_t chunks, std::vector<RtcpName>& names) {
  base::ByteReader reader(body);
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    if (!reader.skip(4)) return false;
    while (true) {
      const auto item = reader.read_u8();
      if (!item) return false;
      if (*item == 0) break;
      const auto length = reader.read_u8();
      const auto text = length ? reader.read_bytes(*length) : std::nullopt;
      if (!text || *item > 8) return false;
      const bool printable = std::ranges::all_of(
          *text, [](std::uint8_t byte) { return byte >= 0x20 && byte != 0x7f; });
      if (!printable) return false;
      if (!text->empty() && *item < 8 && names.size() < kMaxNames)
        names.push_back({*item, std::string(base::as_text(*text))});
    }
    while (reader.position() % 4 != 0)
      if (reader.read_u8() != 0) return false;
  }
  return reader.empty();
}

bool report_fits(std::uint8_t type, std::size_t count, std::size_t size) {
  if (type == kSenderReport) return size >= 24 + 24 * count;
  if (type == kReceiverReport) return size >= 4 + 24 * count;
  return true;
}

}  // namespace

std::string_view rtcp_item_name(std::uint8_t item) {
  static constexpr std::array<std::string_view, 8> kNames = {"",      "CNAME", "NAME", "EMAIL",
                                                             "PHONE", "LOC",   "TOOL", "NOTE"};
  return item < kNames.size() ? kNames[item] : kNames[0];
}

RtcpCheck check_rtcp(base::Bytes datagram) {
  RtcpCheck result;
  base::ByteReader reader(datagram);
  while (!reader.empty()) {
    const auto first = reader.read_u8();
    const auto type = reader.read_u8();
    const auto words = reader.read_u16();
    const auto body = words ? reader.read_bytes(std::size_t{*words} * 4) : std::nullopt;
    if (!body || *first >> 6 != 2 || *type < kSenderReport || *type > kLastKnownType) return {};
    const std::size_t count = *first & 31U;
    if (!report_fits(*type, count, body->size())) return {};
    if (*type == kSourceDescription && !read_names(*body, count, result.names)) return {};
    ++result.packets;
  }
  result.clear = result.packets != 0;
  return result;
}

}  // namespace alcove::audit
