#include "audit/link_layer.h"

#include <bit>

#include "audit/load.h"

namespace alcove::audit {
namespace {

namespace ethertype {
constexpr std::uint16_t kLongest8023 = 1500;  // up to here the field is a length (IEEE 802.3)
constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint16_t kVlan = 0x8100;
constexpr std::uint16_t kServiceVlan = 0x88a8;
constexpr std::uint16_t kOldServiceVlan = 0x9100;
constexpr std::uint16_t kMpls = 0x8847;
constexpr std::uint16_t kMplsMulticast = 0x8848;
constexpr std::uint16_t kPppoeSession = 0x8864;
}  // namespace ethertype

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kCookedHeader = 16;
constexpr std::size_t kCooked2Header = 20;
constexpr std::size_t kTag = 4;
constexpr std::size_t kPppoeHeader = 8;  // with the protocol of PPP (RFC 2516, 4)
// More tags than any network stacks: a frame that is made of tags is not worth the walk.
constexpr int kMaxTags = 16;

LinkPayload malformed() { return {LinkOutcome::kMalformed, {}}; }

LinkPayload raw_ip(base::Bytes bytes) {
  if (bytes.empty()) return malformed();
  const unsigned version = bytes[0] >> 4;
  if (version != 4 && version != 6) return malformed();
  return {LinkOutcome::kIp, bytes};
}

LinkPayload mpls(base::Bytes bytes) {
  for (int label = 0; label < kMaxTags; ++label) {
    if (bytes.size() < kTag) return malformed();
    const bool last = (bytes[2] & 1) != 0;
    bytes = bytes.subspan(kTag);
    if (!last) continue;
    // Nothing says what is inside; what is neither version is a pseudowire or a control word.
    const LinkPayload inside = raw_ip(bytes);
    return bytes.empty() || inside.outcome == LinkOutcome::kIp
               ? inside
               : LinkPayload{LinkOutcome::kNotIp, {}};
  }
  return malformed();
}

LinkPayload pppoe(base::Bytes bytes) {
  constexpr std::uint16_t kPppIpv4 = 0x0021;
  constexpr std::uint16_t kPppIpv6 = 0x0057;
  if (bytes.size() < kPppoeHeader) return malformed();
  const auto protocol = load_big<std::uint16_t>(bytes.data() + 6);
  if (protocol != kPppIpv4 && protocol != kPppIpv6) return {LinkOutcome::kNotIp, {}};
  return raw_ip(bytes.subspan(kPppoeHeader));
}

// RFC 1042: AA AA 03, three zeros, and then an EtherType.
LinkPayload snap(base::Bytes bytes) {
  constexpr std::size_t kSnapHeader = 8;
  if (bytes.size() < kSnapHeader || bytes[0] != 0xaa || bytes[1] != 0xaa || bytes[2] != 3)
    return {LinkOutcome::kNotIp, {}};
  const auto type = load_big<std::uint16_t>(bytes.data() + 6);
  if (type != ethertype::kIpv4 && type != ethertype::kIpv6) return {LinkOutcome::kNotIp, {}};
  return raw_ip(bytes.subspan(kSnapHeader));
}

LinkPayload by_ethertype(std::uint16_t type, base::Bytes bytes) {
  for (int tags = 0; tags < kMaxTags; ++tags) {
    switch (type) {
      case ethertype::kIpv4:
      case ethertype::kIpv6:
        return raw_ip(bytes);
      case ethertype::kVlan:
      case ethertype::kServiceVlan:
      case ethertype::kOldServiceVlan:
        if (bytes.size() < kTag) return malformed();
        type = load_big<std::uint16_t>(bytes.data() + 2);
        bytes = bytes.subspan(kTag);
        continue;
      case ethertype::kMpls:
      case ethertype::kMplsMulticast:
        return mpls(bytes);
      case ethertype::kPppoeSession:
        return pppoe(bytes);
      default:
        return type <= ethertype::kLongest8023 ? snap(bytes) : LinkPayload{LinkOutcome::kNotIp, {}};
    }
  }
  return malformed();
}

// header bytes, with an EtherType in them.
LinkPayload with_header(base::Bytes frame, std::size_t header, std::size_t type_at) {
  if (frame.size() < header) return malformed();
  return by_ethertype(load_big<std::uint16_t>(frame.data() + type_at), frame.subspan(header));
}

// The numbers of AF_INET6 differ: Linux 10, NetBSD and OpenBSD 24, FreeBSD 28, macOS 30.
bool is_ip_family(std::uint32_t family) {
  return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

LinkPayload loopback(base::Bytes frame) {
  if (frame.size() < 4) return malformed();
  const auto family = load_big<std::uint32_t>(frame.data());
  if (!is_ip_family(family) && !is_ip_family(std::byteswap(family)))
    return {LinkOutcome::kNotIp, {}};
  return raw_ip(frame.subspan(4));
}

}  // namespace

LinkPayload open_link_layer(LinkType type, base::Bytes frame) {
  switch (type) {
    case LinkType::kEthernet:
      return with_header(frame, kEthernetHeader, 12);
    case LinkType::kLinuxCooked:
      return with_header(frame, kCookedHeader, 14);
    case LinkType::kLinuxCooked2:
      return with_header(frame, kCooked2Header, 0);
    case LinkType::kNull:
    case LinkType::kLoop:
      return loopback(frame);
    case LinkType::kRawBsd12:
    case LinkType::kRawBsd14:
    case LinkType::kRaw:
    case LinkType::kIpv4:
    case LinkType::kIpv6:
      return raw_ip(frame);
  }
  return {LinkOutcome::kUnknownType, {}};
}

}  // namespace alcove::audit
