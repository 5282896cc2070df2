#pragma once
// What counts as one source from outside: an IPv4 address, or the /64 of an IPv6 address, of which
// one host may have as many as it likes. Any thread.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/address.h"

namespace alcove::relay {

using SourceKey = std::array<std::uint8_t, 8>;

inline SourceKey source_key(const base::IpAddress& address) {
  SourceKey key{};
  // ff00::/16 is multicast (RFC 4291), never a source: no IPv6 one is mistaken for an IPv4 one.
  if (address.is_v4()) key[0] = 0xff;
  const base::Bytes bytes = address.bytes().first(address.is_v4() ? 4 : key.size());
  std::copy(bytes.begin(), bytes.end(), address.is_v4() ? key.begin() + 4 : key.begin());
  return key;
}

struct SourceKeyHash {
  std::size_t operator()(const SourceKey& key) const {
    std::uint64_t value = 0;
    std::memcpy(&value, key.data(), sizeof value);
    return static_cast<std::size_t>(value * 0x9e37'79b9'7f4a'7c15U);
  }
};

}  // namespace alcove::relay
