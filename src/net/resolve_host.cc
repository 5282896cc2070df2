#include "net/resolve_host.h"

#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "net/socket_address.h"

namespace alcove::net {
namespace {

constexpr std::size_t kMaxAddresses = 64;

}  // namespace

base::Result<std::vector<base::IpAddress>> resolve_host(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  if (error != 0)
    return base::fail(
        error == EAI_NONAME ? base::ErrorCode::kNotFound : base::ErrorCode::kUnavailable,
        gai_strerror(error));
  std::vector<base::IpAddress> addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr,
                std::min<std::size_t>(entry->ai_addrlen, sizeof(storage)));
    const base::IpAddress address = from_system(storage).ip;
    if (std::ranges::find(addresses, address) == addresses.end() &&
        addresses.size() < kMaxAddresses)
      addresses.push_back(address);
  }
  if (addresses.empty()) return base::fail(base::ErrorCode::kNotFound, "it has no address");
  return addresses;
}

std::string host_name() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0) return {};
  std::string name(buffer.data());
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name;
}

}  // namespace alcove::net
