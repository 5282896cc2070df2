#pragma once
// How findings name an endpoint. Any thread.

#include <string>

#include "audit/flow.h"

namespace alcove::audit {

// "tcp", "udp", "icmp"; the number for others.
std::string protocol_name(std::uint8_t protocol);

// The end of a flow that packets went to or came from: the one with a global address, else the
// server.
const base::SocketAddress& remote_end(const Flow& flow);

// "198.51.100.7:4000/udp"; without a port where there is none, or where the remote end is the one
// that called.
std::string endpoint_text(const Flow& flow);
// The same where the caller knows better which end is the remote one.
std::string endpoint_text(const Flow& flow, const base::SocketAddress& remote);

}  // namespace alcove::audit
