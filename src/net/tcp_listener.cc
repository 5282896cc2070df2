#include "net/tcp_listener.h"

#include <netinet/tcp.h>

#include <cerrno>

#include "net/socket_address.h"

namespace alcove::net {
namespace {

constexpr int kBacklog = 512;

bool set_option(int descriptor, int level, int name, int value) {
  return setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

}  // namespace

base::Result<TcpListener> listen_tcp(const base::SocketAddress& local) {
  FileDescriptor descriptor(
      socket(local.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.valid())
    return base::fail(base::ErrorCode::kUnavailable, "no TCP socket: " + error_text(errno));
  const int number = descriptor.get();
  // Allows a restart while old connections linger; two listeners on one port still conflict.
  bool ok = set_option(number, SOL_SOCKET, SO_REUSEADDR, 1);
  if (local.ip.is_v6()) ok = ok && set_option(number, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  const SystemAddress address = to_system(local);
  if (!ok || bind(number, address.get(), address.size) != 0 || listen(number, kBacklog) != 0) {
    const int error = errno;
    const auto code =
        error == EADDRINUSE ? base::ErrorCode::kAlreadyExists : base::ErrorCode::kUnavailable;
    return base::fail(code, "cannot listen on TCP " + local.text() + ": " + error_text(error));
  }
  const base::SocketAddress bound = local_address_of(number);
  return TcpListener{std::move(descriptor), bound};
}

Accepted accept_tcp(int listener) {
  Accepted accepted;
  SystemAddress remote;
  remote.size = sizeof remote.storage;
  const int number = accept4(listener, remote.get(), &remote.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (number < 0) {
    const bool out_of = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    accepted.result = out_of ? AcceptResult::kOutOfDescriptors : AcceptResult::kNothing;
    return accepted;
  }
  accepted.result = AcceptResult::kAccepted;
  accepted.descriptor = FileDescriptor(number);
  accepted.remote = from_system(remote.storage);
  set_option(number, IPPROTO_TCP, TCP_NODELAY, 1);
  return accepted;
}

}  // namespace alcove::net
