#pragma once
// The blocks of addresses that mean something by themselves (decide.h has classify). Any thread.

#include <array>
#include <cstddef>

#include "base/address.h"

namespace alcove::policy {

// The IPv4 addresses that packets to an IPv6 address end at or pass through.
struct EmbeddedAddresses {
  std::array<base::IpAddress, 2> list;
  std::size_t count = 0;
  auto begin() const { return list.begin(); }
  auto end() const { return list.begin() + static_cast<std::ptrdiff_t>(count); }
};

// 6to4 (RFC 3056), NAT64's well-known prefix (RFC 6052), Teredo's server and client (RFC 4380).
EmbeddedAddresses embedded_addresses(const base::IpAddress& address);

}  // namespace alcove::policy
