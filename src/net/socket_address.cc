#include "net/socket_address.h"

#include <cstring>
#include <system_error>

namespace alcove::net {

SystemAddress to_system(const base::SocketAddress& address) {
  SystemAddress out;
  if (address.ip.is_v4()) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    std::memcpy(&four.sin_addr, address.ip.bytes().data(), sizeof four.sin_addr);
    std::memcpy(&out.storage, &four, sizeof four);
    out.size = sizeof four;
  } else {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(address.port);
    std::memcpy(&six.sin6_addr, address.ip.bytes().data(), sizeof six.sin6_addr);
    std::memcpy(&out.storage, &six, sizeof six);
    out.size = sizeof six;
  }
  return out;
}

base::IpAddress from_system(const in_addr& address) {
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  return base::IpAddress::v4(bytes);
}

base::IpAddress from_system(const in6_addr& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  return base::IpAddress::v6(bytes);
}

base::SocketAddress from_system(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &storage, sizeof four);
    return {from_system(four.sin_addr), ntohs(four.sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &storage, sizeof six);
    return {from_system(six.sin6_addr), ntohs(six.sin6_port)};
  }
  return {};
}

base::SocketAddress local_address_of(int descriptor) {
  SystemAddress address;
  address.size = sizeof address.storage;
  if (getsockname(descriptor, address.get(), &address.size) != 0) return {};
  return from_system(address.storage);
}

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace alcove::net
