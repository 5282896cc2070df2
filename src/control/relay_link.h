#pragma once
// The control plane's way to a relay. In one process a call into the shards' queues; apart, a TLS
// connection that speaks the same messages (proto/alcove/v1/relay.proto).

#include "alcove/v1/relay.pb.h"

namespace alcove::control {

class RelayLink {
 public:
  virtual ~RelayLink() = default;
  // Never blocks; commands reach the relay in order. Events come back through
  // Server::handle_relay_event on the control thread.
  virtual void send(const v1::RelayCommand& command) = 0;
};

}  // namespace alcove::control
