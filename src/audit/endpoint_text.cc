#include "audit/endpoint_text.h"

#include "policy/decide.h"

namespace alcove::audit {

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case ip_protocol::kIcmp:
    case ip_protocol::kIcmp6:
      return "icmp";
    case ip_protocol::kTcp:
      return "tcp";
    case ip_protocol::kUdp:
      return "udp";
    default:
      return std::to_string(protocol);
  }
}

const base::SocketAddress& remote_end(const Flow& flow) {
  const bool server = policy::classify(flow.key.server.ip) == policy::AddressClass::kGlobal;
  const bool client = policy::classify(flow.key.client.ip) == policy::AddressClass::kGlobal;
  return client && !server ? flow.key.client : flow.key.server;
}

std::string endpoint_text(const Flow& flow) { return endpoint_text(flow, remote_end(flow)); }

std::string endpoint_text(const Flow& flow, const base::SocketAddress& remote) {
  const bool has_port = remote.port != 0 && remote == flow.key.server;
  return (has_port ? remote.text() : remote.ip.text()) + "/" + protocol_name(flow.key.protocol);
}

}  // namespace alcove::audit
