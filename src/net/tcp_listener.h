#pragma once
// Listening TCP sockets, and what is set on accepted ones. One thread.

#include "base/address.h"
#include "base/result.h"
#include "net/file_descriptor.h"

namespace alcove::net {

struct TcpListener {
  FileDescriptor descriptor;  // non-blocking
  base::SocketAddress local;
};

// Binds exclusively: never with SO_REUSEPORT, so that a second program on the same port fails here
// with kAlreadyExists. IPv6 is IPv6 only. Port 0 lets the system choose.
base::Result<TcpListener> listen_tcp(const base::SocketAddress& local);

enum class AcceptResult { kAccepted, kNothing, kOutOfDescriptors };
struct Accepted {
  AcceptResult result = AcceptResult::kNothing;
  FileDescriptor descriptor;  // non-blocking, no Nagle
  base::SocketAddress remote;
};
Accepted accept_tcp(int listener);

}  // namespace alcove::net
