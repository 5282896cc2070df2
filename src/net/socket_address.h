#pragma once
// base::SocketAddress to and from the system's sockaddr. Any thread.

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "base/address.h"

namespace alcove::net {

struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SystemAddress to_system(const base::SocketAddress& address);
// 0.0.0.0:0 for a family that is neither IPv4 nor IPv6.
base::SocketAddress from_system(const sockaddr_storage& storage);

base::IpAddress from_system(const in_addr& address);
base::IpAddress from_system(const in6_addr& address);

// getsockname; 0.0.0.0:0 when it fails.
base::SocketAddress local_address_of(int descriptor);

// "Address already in use (EADDRINUSE)": the text for an errno.
std::string error_text(int error);

}  // namespace alcove::net
