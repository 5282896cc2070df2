#include "alcove/candidates.h"

#include <algorithm>
#include <iterator>

namespace alcove::app {
namespace {

// More would make each answer long and the browsers' checks slow.
constexpr std::size_t kMaxAddresses = 12;

// A wildcard stands for all addresses of its family.
std::vector<base::IpAddress> expand(const base::IpAddress& bound,
                                    const std::vector<base::IpAddress>& all) {
  if (!bound.is_unspecified()) return {bound};
  std::vector<base::IpAddress> result;
  std::ranges::copy_if(all, std::back_inserter(result), [&](const base::IpAddress& address) {
    return address.is_v4() == bound.is_v4();
  });
  return result;
}

void add(std::vector<relay::Candidate>& candidates, base::TransportProtocol protocol,
         const base::SocketAddress& address) {
  const auto same = [&](const relay::Candidate& candidate) {
    return candidate.protocol == protocol && candidate.address == address;
  };
  if (std::ranges::none_of(candidates, same)) candidates.push_back({protocol, address});
}

}  // namespace

std::vector<relay::Candidate> make_candidates(const Config& config,
                                              const std::vector<base::IpAddress>& interfaces,
                                              const std::vector<base::IpAddress>& media,
                                              std::uint16_t media_port,
                                              const std::vector<base::SocketAddress>& http) {
  const bool is_public = !config.media.public_addresses.empty();
  const std::vector<base::IpAddress>& known =
      is_public ? config.media.public_addresses : interfaces;
  std::vector<base::IpAddress> addresses;
  if (is_public) {
    addresses = known;
  } else {
    for (const base::IpAddress& bound : media)
      for (const base::IpAddress& address : expand(bound, known))
        if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  // Loopback last. By hand: libstdc++ 12's stable_partition calls what C++23 has deprecated.
  std::vector<base::IpAddress> loopback;
  std::ranges::copy_if(addresses, std::back_inserter(loopback), &base::IpAddress::is_loopback);
  std::erase_if(addresses, &base::IpAddress::is_loopback);
  addresses.insert(addresses.end(), loopback.begin(), loopback.end());
  if (addresses.size() > kMaxAddresses) addresses.resize(kMaxAddresses);

  std::vector<relay::Candidate> candidates;
  for (const base::IpAddress& address : addresses)
    add(candidates, base::TransportProtocol::kUdp, {address, media_port});
  for (const base::IpAddress& address : addresses)
    add(candidates, base::TransportProtocol::kTcp, {address, media_port});
  // Port 0 is the system's choice, which is not known yet.
  for (const base::SocketAddress& bound : http)
    if (bound.port != 0)
      for (const base::IpAddress& address : expand(bound.ip, addresses))
        add(candidates, base::TransportProtocol::kTcp, {address, bound.port});
  return candidates;
}

}  // namespace alcove::app
