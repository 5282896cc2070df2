#include "audit/stun_attributes.h"

#include <algorithm>
#include <array>

namespace alcove::audit {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::array<std::uint8_t, 4> kCookie = {0x21, 0x12, 0xa4, 0x42};
constexpr std::size_t kMaxText = 763;  // RFC 8489, section 14: of REALM and SOFTWARE

enum : std::uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kXorPeerAddress = 0x0012,
  kRealm = 0x0014,
  kXorMappedAddress = 0x0020,
  kSoftware = 0x8022,
};

// Section 14.2; the key is the cookie and the transaction id, or zeros.
std::optional<base::SocketAddress> read_address(base::Bytes value, base::Bytes key) {
  if (value.size() != 8 && value.size() != 20) return std::nullopt;
  const std::uint8_t family = value.size() == 8 ? 1 : 2;
  if (value[1] != family) return std::nullopt;
  base::SocketAddress address;
  address.port = static_cast<std::uint16_t>((value[2] ^ key[0]) << 8 | (value[3] ^ key[1]));
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 4; i < value.size(); ++i)
    bytes[i - 4] = static_cast<std::uint8_t>(value[i] ^ key[i - 4]);
  address.ip = family == 1 ? base::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]})
                           : base::IpAddress::v6(bytes);
  return address;
}

void read_attribute(StunAttributes& result, std::uint16_t type, base::Bytes value,
                    base::Bytes key) {
  constexpr std::array<std::uint8_t, 16> kNoKey{};
  const std::string_view text = base::as_text(value).substr(0, kMaxText);
  switch (type) {
    case kUsername:
      if (!result.username) result.username = text;
      return;
    case kRealm:
      if (!result.realm) result.realm = text;
      return;
    case kSoftware:
      if (!result.software) result.software = text;
      return;
    case kMappedAddress:
      if (!result.mapped_address) result.mapped_address = read_address(value, kNoKey);
      return;
    case kXorMappedAddress:
      if (const auto address = read_address(value, key)) result.mapped_address = address;
      return;
    case kXorPeerAddress:
      if (!result.peer_address) result.peer_address = read_address(value, key);
      return;
    default:
      return;
  }
}

}  // namespace

bool starts_like_stun(base::Bytes datagram) {
  return datagram.size() >= kHeader && datagram[0] <= 3 && (datagram[3] & 3) == 0 &&
         std::equal(kCookie.begin(), kCookie.end(), datagram.begin() + 4);
}

std::optional<StunAttributes> read_stun_attributes(base::Bytes datagram) {
  if (!starts_like_stun(datagram)) return std::nullopt;
  base::ByteReader reader(datagram);
  const std::uint16_t type = *reader.read_u16();
  const std::size_t length = *reader.read_u16();
  StunAttributes result;
  // Section 5: the class is in bits 4 and 8.
  result.request = (type & 0x0100) == 0;
  result.method =
      static_cast<std::uint16_t>((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
  const base::Bytes key = datagram.subspan(4, 16);
  const base::Bytes rest = datagram.subspan(kHeader);
  base::ByteReader attributes(rest.first(std::min(length, rest.size())));
  while (const auto attribute = attributes.read_u16()) {
    const auto size = attributes.read_u16();
    const auto value = size ? attributes.read_bytes(*size) : std::nullopt;
    if (!value) break;
    read_attribute(result, *attribute, *value, key);
    if (!attributes.skip((4 - *size % 4) % 4)) break;
  }
  return result;
}

}  // namespace alcove::audit
