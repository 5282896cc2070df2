#include "audit/ip.h"

#include <algorithm>

#include "audit/load.h"
#include "audit/packet.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
// More than any that leaves its length to the network card: what the file says may be anything.
constexpr std::uint32_t kMaxPacket = 1U << 20;
// A packet has a handful; RFC 8200 names six that are sent once.
constexpr int kMaxExtensionHeaders = 32;

namespace extension {
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestination = 60;
constexpr std::uint8_t kMobility = 135;
constexpr std::uint8_t kHostIdentity = 139;
constexpr std::uint8_t kShim6 = 140;
}  // namespace extension

base::IpAddress v4_at(const std::uint8_t* at) {
  return base::IpAddress::v4({at[0], at[1], at[2], at[3]});
}
base::IpAddress v6_at(const std::uint8_t* at) {
  std::array<std::uint8_t, 16> bytes;
  std::copy_n(at, bytes.size(), bytes.begin());
  return base::IpAddress::v6(bytes);
}

void set_malformed(IpHeaders& headers) {
  headers.malformed = true;
  headers.payload = {};
}

// The payload behind headers of header bytes, without padding and as far as it was captured.
void set_payload(IpHeaders& headers, base::Bytes bytes, std::size_t header) {
  headers.payload_length = headers.length - static_cast<std::uint32_t>(header);
  const std::size_t captured = std::min<std::size_t>(bytes.size(), headers.length);
  if (captured > header) headers.payload = bytes.subspan(header, captured - header);
}

std::optional<IpHeaders> parse_v4(base::Bytes bytes, std::uint32_t sent) {
  if (bytes.size() < kIpv4Header) return std::nullopt;
  std::optional<IpHeaders> result(std::in_place);
  IpHeaders& headers = *result;
  headers.source = v4_at(bytes.data() + 12);
  headers.destination = v4_at(bytes.data() + 16);
  headers.protocol = bytes[9];
  headers.length = load_big<std::uint16_t>(bytes.data() + 2);
  // Captured where the network card cuts packets to size: up to 64 KiB and more, length unset.
  if (headers.length == 0) headers.length = sent;
  const std::size_t header = std::size_t{bytes[0] & 0xfU} * 4;
  if (header < kIpv4Header || headers.length < header) {
    set_malformed(headers);
    return result;
  }
  set_payload(headers, bytes, header);
  const unsigned field = load_big<std::uint16_t>(bytes.data() + 6);
  headers.more_fragments = (field & 0x2000) != 0;
  headers.fragment_offset = (field & 0x1fff) * 8;
  headers.fragment = headers.more_fragments || headers.fragment_offset != 0;
  if (headers.fragment) {
    headers.fragment_id = load_big<std::uint16_t>(bytes.data() + 4);
  } else if (headers.protocol == extension::kAuthentication) {
    skip_extension_headers(headers);
  }
  return result;
}

std::optional<IpHeaders> parse_v6(base::Bytes bytes, std::uint32_t sent) {
  if (bytes.size() < kIpv6Header) return std::nullopt;
  std::optional<IpHeaders> result(std::in_place);
  IpHeaders& headers = *result;
  headers.source = v6_at(bytes.data() + 8);
  headers.destination = v6_at(bytes.data() + 24);
  headers.protocol = bytes[6];
  headers.length = kIpv6Header + load_big<std::uint16_t>(bytes.data() + 4);
  // As with IPv4; an empty packet of another protocol is one (or a jumbogram, which is not read).
  const bool tcp_or_udp =
      headers.protocol == ip_protocol::kTcp || headers.protocol == ip_protocol::kUdp;
  if (headers.length == kIpv6Header && tcp_or_udp && sent > kIpv6Header) headers.length = sent;
  set_payload(headers, bytes, kIpv6Header);
  skip_extension_headers(headers);
  return result;
}

// Takes count bytes off the front. False: they were not captured, or cannot be there.
bool drop_front(IpHeaders& headers, std::size_t count) {
  if (count > headers.payload_length) {
    set_malformed(headers);
    return false;
  }
  headers.payload_length -= static_cast<std::uint32_t>(count);
  if (count > headers.payload.size()) {
    headers.payload = {};
    return false;
  }
  headers.payload = headers.payload.subspan(count);
  return true;
}

// RFC 8200, 4.5. True: there are no more headers to read, as what follows is a part.
bool read_fragment_header(IpHeaders& headers) {
  const unsigned field = load_big<std::uint16_t>(headers.payload.data() + 2);
  headers.more_fragments = (field & 1) != 0;
  headers.fragment_offset = field & 0xfff8;
  headers.fragment = headers.more_fragments || headers.fragment_offset != 0;
  headers.fragment_id = load_big<std::uint32_t>(headers.payload.data() + 4);
  return headers.fragment;
}

// 0: protocol is none.
std::size_t extension_length(std::uint8_t protocol, unsigned length_field) {
  switch (protocol) {
    case extension::kHopByHop:
    case extension::kRouting:
    case extension::kDestination:
    case extension::kMobility:
    case extension::kHostIdentity:
    case extension::kShim6:
      return (std::size_t{length_field} + 1) * 8;
    case extension::kFragment:
      return 8;
    case extension::kAuthentication:
      return (std::size_t{length_field} + 2) * 4;
    default:
      return 0;
  }
}

}  // namespace

void skip_extension_headers(IpHeaders& headers) {
  for (int count = 0; count < kMaxExtensionHeaders; ++count) {
    if (extension_length(headers.protocol, 0) == 0) return;
    if (headers.payload.size() < 8) {
      // Whatever it leads to was not captured, or never came.
      if (headers.payload_length < 8) set_malformed(headers);
      headers.payload = {};
      return;
    }
    const std::size_t length = extension_length(headers.protocol, headers.payload[1]);
    const bool last = headers.protocol == extension::kFragment && read_fragment_header(headers);
    headers.protocol = headers.payload[0];
    if (!drop_front(headers, length) || last) return;
  }
  set_malformed(headers);
}

std::optional<IpHeaders> parse_ip(base::Bytes bytes, std::uint32_t sent) {
  if (bytes.empty()) return std::nullopt;
  sent = std::max(std::min(sent, kMaxPacket), static_cast<std::uint32_t>(bytes.size()));
  switch (bytes[0] >> 4) {
    case 4:
      return parse_v4(bytes, sent);
    case 6:
      return parse_v6(bytes, sent);
    default:
      return std::nullopt;
  }
}

}  // namespace alcove::audit
