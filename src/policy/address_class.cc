#include "policy/address_class.h"

#include <algorithm>

#include "policy/decide.h"

namespace alcove::policy {
namespace {

struct Block {
  std::array<std::uint8_t, 16> bytes;
  unsigned prefix;
  AddressClass address_class;
};

bool matches(const Block& block, base::Bytes address) {
  for (unsigned bit = 0; bit < block.prefix; bit += 8) {
    const unsigned unused = block.prefix - bit < 8 ? 8 - (block.prefix - bit) : 0;
    if ((block.bytes[bit / 8] ^ address[bit / 8]) >> unused != 0) return false;
  }
  return true;
}

using enum AddressClass;

// The first that matches counts.
constexpr Block kIpv4[] = {
    {{0}, 8, kReserved},           // RFC 1122, "this network"
    {{10}, 8, kPrivate},           // RFC 1918
    {{100, 64}, 10, kPrivate},     // RFC 6598, carriers
    {{127}, 8, kLoopback},         // RFC 1122
    {{169, 254}, 16, kLinkLocal},  // RFC 3927
    {{172, 16}, 12, kPrivate},     // RFC 1918
    {{192, 0, 0}, 24, kReserved},  // RFC 6890, protocol assignments
    {{192, 168}, 16, kPrivate},    // RFC 1918
    {{198, 18}, 15, kReserved},    // RFC 2544, benchmarking
    {{224}, 4, kMulticast},        // RFC 5771
    {{240}, 4, kReserved},         // RFC 1112, future use and broadcast
};

constexpr Block kIpv6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, kLoopback},
    {{0, 0x64, 0xff, 0x9b}, 96, kGlobal},       // RFC 6052: judged by the IPv4 address inside
    {{0xfc}, 7, kPrivate},                      // RFC 4193
    {{0xfe, 0x80}, 10, kLinkLocal},             // RFC 4291
    {{0xff}, 8, kMulticast},                    // RFC 4291
    {{0x20, 0x01, 0, 2, 0, 0}, 48, kReserved},  // RFC 5180, benchmarking
    {{0x20, 0x01, 0, 0x10}, 28, kReserved},     // RFC 4843, ORCHID
    {{0x20, 0x01, 0, 0x20}, 28, kReserved},     // RFC 7343, ORCHIDv2
    {{0x3f, 0xff}, 20, kGlobal},                // RFC 9637, documentation
    {{0x3f, 0xfe}, 16, kReserved},              // RFC 3701, the returned 6bone
    {{0x20}, 3, kGlobal},                       // all that has been given out
};

base::IpAddress ipv4_at(base::Bytes bytes, std::size_t offset, std::uint8_t mask) {
  std::array<std::uint8_t, 4> four{};
  for (std::size_t i = 0; i < 4; ++i) four[i] = bytes[offset + i] ^ mask;
  return base::IpAddress::v4(four);
}

constexpr Block k6to4 = {{0x20, 0x02}, 16, kGlobal};
constexpr Block kNat64 = {{0, 0x64, 0xff, 0x9b}, 96, kGlobal};
constexpr Block kTeredo = {{0x20, 0x01, 0, 0}, 32, kGlobal};

}  // namespace

AddressClass classify(const base::IpAddress& address) {
  const base::Bytes bytes = address.bytes();
  const auto find = [&](std::span<const Block> blocks, AddressClass otherwise) {
    const auto block =
        std::ranges::find_if(blocks, [&](const Block& one) { return matches(one, bytes); });
    return block == blocks.end() ? otherwise : block->address_class;
  };
  return address.is_v4() ? find(kIpv4, kGlobal) : find(kIpv6, kReserved);
}

EmbeddedAddresses embedded_addresses(const base::IpAddress& address) {
  if (address.is_v4()) return {};
  const base::Bytes bytes = address.bytes();
  if (matches(k6to4, bytes)) return {.list = {ipv4_at(bytes, 2, 0)}, .count = 1};
  if (matches(kNat64, bytes)) return {.list = {ipv4_at(bytes, 12, 0)}, .count = 1};
  if (matches(kTeredo, bytes))
    return {.list = {ipv4_at(bytes, 12, 0xff), ipv4_at(bytes, 4, 0)}, .count = 2};
  return {};
}

}  // namespace alcove::policy
