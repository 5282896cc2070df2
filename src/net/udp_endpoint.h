#pragma once
// The media sockets of one client: UDP sockets, and outgoing TCP connections with the framing of
// RFC 4571, for a full ICE agent (RFC 8445, RFC 6544) that lives on an event loop.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/datagram.h"
#include "base/egress.h"
#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"

namespace alcove::net {

// The addresses of interfaces that are up, loopback included; IPv6 link-local ones are left out.
std::vector<base::IpAddress> interface_addresses();

// Called on the loop's thread, never from inside a call to the endpoint.
class DatagramHandler {
 public:
  virtual ~DatagramHandler() = default;
  // bytes is valid during the call and has 1 to base::kMaxDatagram bytes.
  virtual void handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) = 0;
  // After all that arrived together: the place to send and to read the next deadline.
  virtual void handle_batch_end(base::Instant now) = 0;
  // path.connection is what connect() returned; path.local is known now.
  virtual void handle_connected(base::Instant now, const base::Path& path) = 0;
  // It never connected, or it broke. Not called after close_connection().
  virtual void handle_connection_closed(base::Instant now, std::uint64_t connection) = 0;
};

class UdpEndpoint {
 public:
  struct Options {
    int buffer_size = 1 << 20;  // of each UDP socket in the system, each way; what it allows
    // Is asked about every destination, and outlives this. Null allows all.
    base::EgressGuard* guard = nullptr;
  };
  UdpEndpoint(EventLoop& loop, DatagramHandler& handler);
  UdpEndpoint(EventLoop& loop, DatagramHandler& handler, Options options);
  // Closes everything; the handler is not called any more.
  ~UdpEndpoint();
  UdpEndpoint(const UdpEndpoint&) = delete;
  UdpEndpoint& operator=(const UdpEndpoint&) = delete;

  // Opens a UDP socket on a local address with a port chosen by the system, which is in the answer.
  base::Result<base::SocketAddress> open(const base::IpAddress& local);
  // Closes the socket on this local address, such as when the network has changed.
  void close(const base::SocketAddress& local);

  // Begins a TCP connection, unless the guard denies it: then it is closed soon, as one that never
  // connected. The id, which is never 0, goes into the path of datagrams to it.
  std::uint64_t connect(const base::SocketAddress& remote);
  void close_connection(std::uint64_t connection);

  // Sends all and clears the queue. UDP leaves from the socket at path.local; one that is bound to
  // 0.0.0.0 or :: sends for all addresses of its port, in one system call for neighbours in the
  // queue, so that many members can share it and differ by their local address. What does not fit
  // the system's buffer, or 8 KiB of unsent bytes of a TCP connection (older frames go first), is
  // dropped and counted, as is what names a socket or a connection that is not open. What the guard
  // denies is not sent and counted as denied.
  void send(base::DatagramQueue& datagrams);

  std::uint64_t dropped() const;
  // Datagrams and TCP connections that the guard did not allow.
  std::uint64_t denied() const;
  // Datagrams that came in over UDP.
  std::uint64_t received() const;

 private:
  class Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
