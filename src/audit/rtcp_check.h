#pragma once
// RTCP that is not SRTCP (RFC 3550, section 6), and the names in it (section 6.5). Any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace alcove::audit {

struct RtcpName {
  std::uint8_t item = 0;  // 1 CNAME, 2 NAME, 3 EMAIL, 4 PHONE, 5 LOC, 6 TOOL, 7 NOTE
  std::string text;       // printable
};
std::string_view rtcp_item_name(std::uint8_t item);

struct RtcpCheck {
  bool clear = false;  // a whole compound packet of known types that ends where the datagram does
  std::size_t packets = 0;
  std::vector<RtcpName> names;  // at most 31
};
// SRTCP never passes: only its first eight bytes are clear, and a tag and an index follow.
RtcpCheck check_rtcp(base::Bytes datagram);

}  // namespace alcove::audit
