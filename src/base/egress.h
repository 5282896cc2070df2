#pragma once
// Who decides where a client's packets may go. src/net asks before the first byte to a destination,
// at the only places where its sockets connect and send. Called on the loop's thread.

#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace alcove::base {

struct EgressDestination {
  SocketAddress address;
  TransportProtocol protocol = TransportProtocol::kUdp;
  // The name or literal of the URL that it belongs to; empty: media.
  std::string_view host;
};

class EgressGuard {
 public:
  virtual ~EgressGuard() = default;
  // Before a name is looked up or an address of a URL is connected to: a question about a name is a
  // packet, too. kPermissionDenied, with a message that says which host and why.
  virtual Result<void> check_host(std::string_view host, std::uint16_t port) = 0;
  // Before anything goes to the address. kPermissionDenied, with a message that says which and why.
  virtual Result<void> check(const EgressDestination& destination) = 0;
  // Changes whenever an answer of check() may: what was remembered is to be asked again.
  virtual std::uint64_t version() const = 0;
};

}  // namespace alcove::base
