#pragma once
// What a capture file or a live interface gives: link-layer frames. Any thread.

#include <chrono>
#include <cstdint>

#include "base/bytes.h"

namespace alcove::audit {

using CaptureTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// The numbers of tcpdump.org's list of link-layer types; others are counted and skipped.
enum class LinkType : std::uint16_t {
  kNull = 0,  // BSD loopback, family in the capturing machine's byte order
  kEthernet = 1,
  kRawBsd12 = 12,  // raw IP, as some files number it
  kRawBsd14 = 14,
  kRaw = 101,
  kLoop = 108,  // OpenBSD loopback, family in network byte order
  kLinuxCooked = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kLinuxCooked2 = 276,
};

struct Frame {
  std::uint64_t number = 0;  // from 1, as Wireshark counts
  CaptureTime time;
  LinkType link_type = LinkType::kEthernet;
  std::uint32_t interface = 0;
  base::Bytes bytes;              // as captured; valid during the call
  std::uint32_t wire_length = 0;  // as sent; more than bytes.size() where it was cut
};

}  // namespace alcove::audit
