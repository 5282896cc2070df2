#pragma once
// Which addresses members are told to reach the relay at. Pure.

#include <vector>

#include "alcove/config.h"
#include "relay/shard.h"

namespace alcove::app {

// interfaces are this machine's addresses, media what the media port listens on, http the addresses
// of the HTTP server, which takes media over TCP, too. UDP first, then TCP on the same port, then
// TCP on the HTTP port; other machines' way before loopback.
std::vector<relay::Candidate> make_candidates(const Config& config,
                                              const std::vector<base::IpAddress>& interfaces,
                                              const std::vector<base::IpAddress>& media,
                                              std::uint16_t media_port,
                                              const std::vector<base::SocketAddress>& http);

}  // namespace alcove::app
