#include "net/udp_endpoint.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <unordered_map>

#include "net/clock.h"
#include "net/event_loop_impl.h"
#include "net/framing.h"
#include "net/socket_address.h"
#include "net/udp_socket.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Descriptor = asio::posix::stream_descriptor;

constexpr int kReceivesInARow = 8;
constexpr std::size_t kMaxVerdicts = 256;

// Waits on a socket that another object owns and closes.
class Watch {
 public:
  Watch(asio::io_context& context, int descriptor) : descriptor_(context, descriptor) {}
  ~Watch() { descriptor_.release(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  Descriptor& get() { return descriptor_; }

 private:
  Descriptor descriptor_;
};

struct OpenSocket {
  OpenSocket(asio::io_context& context, UdpSocket opened)
      : socket(std::move(opened)), watch(context, socket.descriptor()) {}
  UdpSocket socket;
  Watch watch;
  bool closed = false;
};

struct OpenConnection {
  OpenConnection(asio::io_context& context, FileDescriptor opened)
      : descriptor(std::move(opened)), watch(context, descriptor.get()) {}
  FileDescriptor descriptor;
  Watch watch;
  base::Path path;
  FrameReader reader;
  FrameQueue queue;
  bool connected = false;
  bool waits_for_room = false;
  bool closed = false;
};

using SocketPointer = std::shared_ptr<OpenSocket>;
using ConnectionPointer = std::shared_ptr<OpenConnection>;

}  // namespace

class UdpEndpoint::Implementation : public std::enable_shared_from_this<Implementation> {
 public:
  Implementation(EventLoop& loop, DatagramHandler& handler, Options options)
      : context_(loop.implementation().context), handler_(&handler), options_(options) {}

  base::Result<base::SocketAddress> open(const base::IpAddress& local) {
    base::Result<UdpSocket> opened = UdpSocket::open(
        {.local = {local, 0}, .reuse_port = false, .buffer_size = options_.buffer_size});
    if (!opened) return std::unexpected(opened.error());
    auto socket = std::make_shared<OpenSocket>(context_, std::move(*opened));
    const base::SocketAddress address = socket->socket.local();
    sockets_[address] = socket;
    wait(socket);
    return address;
  }

  void close(const base::SocketAddress& local) {
    const auto found = sockets_.find(local);
    if (found == sockets_.end()) return;
    end(*found->second);
    sockets_.erase(found);
  }

  std::uint64_t connect(const base::SocketAddress& remote) {
    const std::uint64_t id = ++last_connection_;
    if (!allows(base::TransportProtocol::kTcp, remote)) {
      ++denied_;
      asio::post(context_, [self = shared_from_this(), id] { self->report_closed(id); });
      return id;
    }
    FileDescriptor descriptor(::socket(remote.ip.is_v4() ? AF_INET : AF_INET6,
                                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const SystemAddress address = to_system(remote);
    const bool begun =
        descriptor.valid() &&
        (::connect(descriptor.get(), address.get(), address.size) == 0 || errno == EINPROGRESS);
    if (!begun) {
      asio::post(context_, [self = shared_from_this(), id] { self->report_closed(id); });
      return id;
    }
    auto connection = std::make_shared<OpenConnection>(context_, std::move(descriptor));
    connection->path = {base::TransportProtocol::kTcp, {}, remote, id};
    connections_[id] = connection;
    wait_for_room(connection);
    return id;
  }

  void close_connection(std::uint64_t id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    end(*found->second);
    connections_.erase(found);
  }

  void send(base::DatagramQueue& queue) {
    const std::span<const base::DatagramQueue::Entry> entries = queue.entries();
    std::size_t begin = 0;
    while (begin < entries.size()) {
      const base::Path& path = entries[begin].path;
      if (!allows(path.protocol, path.remote)) {
        ++denied_;
        ++begin;
        continue;
      }
      OpenSocket* const socket = socket_for(path);
      const auto belongs = [&](const base::Path& other) {
        return other.protocol == path.protocol && other.connection == path.connection &&
               (other.local == path.local || socket_for(other) == socket) &&
               allows(other.protocol, other.remote);
      };
      std::size_t end = begin + 1;
      while (end < entries.size() && belongs(entries[end].path)) ++end;
      send_run(queue, entries.subspan(begin, end - begin), socket);
      begin = end;
    }
    queue.clear();
  }

  void stop() {
    handler_ = nullptr;
    for (auto& [address, socket] : sockets_) end(*socket);
    for (auto& [id, connection] : connections_) end(*connection);
    sockets_.clear();
    connections_.clear();
  }

  std::uint64_t received() const {
    std::uint64_t sum = 0;
    for (const auto& [address, socket] : sockets_) sum += socket->socket.counters().received;
    return sum;
  }

  std::uint64_t dropped() const {
    std::uint64_t sum = dropped_;
    for (const auto& [address, socket] : sockets_)
      sum += socket->socket.counters().send_dropped + socket->socket.counters().receive_dropped;
    return sum;
  }

  std::uint64_t denied() const { return denied_; }

 private:
  // Media goes to few destinations, again and again: their verdicts are kept.
  bool allows(base::TransportProtocol protocol, const base::SocketAddress& remote) {
    if (options_.guard == nullptr) return true;
    if (options_.guard->version() != verdicts_version_) {
      verdicts_version_ = options_.guard->version();
      verdicts_.clear();
    }
    if (verdicts_.size() >= kMaxVerdicts) verdicts_.clear();
    const base::Path key{protocol, {}, remote, 0};
    auto found = verdicts_.find(key);
    if (found == verdicts_.end()) {
      const bool allowed = options_.guard->check({remote, protocol, {}}).has_value();
      found = verdicts_.emplace(key, allowed).first;
    }
    return found->second;
  }

  template <typename T>
  void end(T& open) {
    open.closed = true;
    open.watch.get().cancel();
  }

  void wait(const SocketPointer& socket) {
    socket->watch.get().async_wait(Descriptor::wait_read,
                                   [self = shared_from_this(), socket](const error_code& error) {
                                     if (error || socket->closed) return;
                                     self->receive(*socket);
                                     if (!socket->closed) self->wait(socket);
                                   });
  }

  void receive(OpenSocket& socket) {
    const base::Instant now = monotonic_now();
    bool more = true;
    for (int i = 0; more && i < kReceivesInARow && !socket.closed; ++i) {
      more = socket.socket.receive(batch_);
      for (const ReceiveBatch::Datagram& datagram : batch_.datagrams())
        if (handler_ != nullptr) handler_->handle_datagram(now, datagram.path, datagram.bytes);
      if (handler_ != nullptr) handler_->handle_batch_end(now);
    }
  }

  // The UDP socket that sends by this path; null where there is none, and for TCP.
  OpenSocket* socket_for(const base::Path& path) const {
    if (path.protocol != base::TransportProtocol::kUdp) return nullptr;
    auto found = sockets_.find(path.local);
    const base::IpAddress all = path.local.ip.is_v4() ? base::IpAddress() : base::IpAddress::v6({});
    if (found == sockets_.end()) found = sockets_.find({all, path.local.port});
    return found == sockets_.end() ? nullptr : found->second.get();
  }

  void send_run(const base::DatagramQueue& queue,
                std::span<const base::DatagramQueue::Entry> entries, OpenSocket* socket) {
    const base::Path& path = entries.front().path;
    if (path.protocol == base::TransportProtocol::kUdp) {
      if (socket != nullptr)
        socket->socket.send(queue, entries);
      else
        dropped_ += entries.size();
      return;
    }
    const auto found = connections_.find(path.connection);
    if (found == connections_.end()) {
      dropped_ += entries.size();
      return;
    }
    const ConnectionPointer connection = found->second;
    for (const base::DatagramQueue::Entry& entry : entries)
      dropped_ += connection->queue.push(queue.bytes(entry));
    if (connection->connected && !connection->waits_for_room) write(connection);
  }

  void wait_for_room(const ConnectionPointer& connection) {
    connection->waits_for_room = true;
    connection->watch.get().async_wait(
        Descriptor::wait_write, [self = shared_from_this(), connection](const error_code& error) {
          if (error || connection->closed) return;
          connection->waits_for_room = false;
          if (!connection->connected && !self->finish_connect(connection)) return;
          self->write(connection);
        });
  }

  bool finish_connect(const ConnectionPointer& connection) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->descriptor.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      fail(*connection);
      return false;
    }
    connection->connected = true;
    connection->path.local = local_address_of(connection->descriptor.get());
    const base::Path path = connection->path;
    wait_readable(connection);
    if (handler_ != nullptr) handler_->handle_connected(monotonic_now(), path);
    return !connection->closed;
  }

  void wait_readable(const ConnectionPointer& connection) {
    connection->watch.get().async_wait(
        Descriptor::wait_read, [self = shared_from_this(), connection](const error_code& error) {
          if (error || connection->closed) return;
          if (!self->read(*connection)) return self->fail(*connection);
          if (!connection->closed) self->wait_readable(connection);
        });
  }

  bool read(OpenConnection& connection) {
    const base::Instant now = monotonic_now();
    const base::MutableBytes space = connection.reader.space();
    const ssize_t size = recv(connection.descriptor.get(), space.data(), space.size(), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    const bool readable =
        connection.reader.advance(static_cast<std::size_t>(size), [&](base::Bytes frame) {
          if (handler_ != nullptr && !connection.closed)
            handler_->handle_datagram(now, connection.path, frame);
          return true;
        });
    if (handler_ != nullptr) handler_->handle_batch_end(now);
    return readable;
  }

  void write(const ConnectionPointer& connection) {
    while (!connection->queue.empty()) {
      const base::Bytes unsent = connection->queue.unsent();
      const ssize_t size =
          ::send(connection->descriptor.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL);
      if (size >= 0) {
        connection->queue.consume(static_cast<std::size_t>(size));
      } else if (errno == EAGAIN) {
        return wait_for_room(connection);
      } else if (errno != EINTR) {
        return;  // the read fails, too, and reports it
      }
    }
  }

  void fail(OpenConnection& connection) {
    if (connection.closed) return;
    end(connection);
    const std::uint64_t id = connection.path.connection;
    connections_.erase(id);
    report_closed(id);
  }

  void report_closed(std::uint64_t id) {
    if (handler_ != nullptr) handler_->handle_connection_closed(monotonic_now(), id);
  }

  asio::io_context& context_;
  DatagramHandler* handler_;  // null once it must not be called
  const Options options_;
  ReceiveBatch batch_;
  std::unordered_map<base::SocketAddress, SocketPointer> sockets_;
  std::unordered_map<std::uint64_t, ConnectionPointer> connections_;
  std::uint64_t last_connection_ = 0;
  std::uint64_t dropped_ = 0;
  std::unordered_map<base::Path, bool> verdicts_;
  std::uint64_t verdicts_version_ = 0;
  std::uint64_t denied_ = 0;
};

UdpEndpoint::UdpEndpoint(EventLoop& loop, DatagramHandler& handler)
    : UdpEndpoint(loop, handler, Options()) {}
UdpEndpoint::UdpEndpoint(EventLoop& loop, DatagramHandler& handler, Options options)
    : implementation_(std::make_shared<Implementation>(loop, handler, options)) {}

UdpEndpoint::~UdpEndpoint() { implementation_->stop(); }

base::Result<base::SocketAddress> UdpEndpoint::open(const base::IpAddress& local) {
  return implementation_->open(local);
}

void UdpEndpoint::close(const base::SocketAddress& local) { implementation_->close(local); }

std::uint64_t UdpEndpoint::connect(const base::SocketAddress& remote) {
  return implementation_->connect(remote);
}

void UdpEndpoint::close_connection(std::uint64_t connection) {
  implementation_->close_connection(connection);
}

void UdpEndpoint::send(base::DatagramQueue& datagrams) { implementation_->send(datagrams); }

std::uint64_t UdpEndpoint::received() const { return implementation_->received(); }

std::uint64_t UdpEndpoint::denied() const { return implementation_->denied(); }

std::uint64_t UdpEndpoint::dropped() const { return implementation_->dropped(); }

}  // namespace alcove::net
