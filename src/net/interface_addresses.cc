#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "net/socket_address.h"
#include "net/udp_endpoint.h"

namespace alcove::net {

std::vector<base::IpAddress> interface_addresses() {
  std::vector<base::IpAddress> result;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return result;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const base::IpAddress address = from_system(storage).ip;
    if (address.is_v6() && address.is_link_local()) continue;
    if (std::ranges::find(result, address) == result.end()) result.push_back(address);
  }
  freeifaddrs(list);
  return result;
}

}  // namespace alcove::net
