#include "net/stream_connections.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/socket_address.h"

namespace alcove::net {
namespace {

constexpr base::Duration kSweepEvery = base::seconds(1);
constexpr int kReadsInARow = 16;  // then others get their turn

}  // namespace

struct StreamConnections::Connection {
  FileDescriptor descriptor;
  ConnectionPlace place;
  base::Path path;
  FrameReader reader;
  FrameQueue queue;
  base::Instant last_received;
  bool stun_seen = false;
  bool flush_pending = false;
  bool waits_for_room = false;
};

StreamConnections::StreamConnections(int epoll, unsigned thread, ConnectionLimits& limits,
                                     Options options)
    : epoll_(epoll), thread_(thread), limits_(limits), options_(options) {}

StreamConnections::~StreamConnections() = default;

void StreamConnections::adopt(base::Instant now, FileDescriptor descriptor,
                              const base::SocketAddress& remote) {
  ConnectionPlace place(limits_, remote.ip);
  if (!place.granted()) {
    ++counters_.refused;
    return;
  }
  const std::uint64_t id = ++sequence_ << 8 | thread_;
  auto connection = std::make_unique<Connection>();
  connection->path = {base::TransportProtocol::kTcp, local_address_of(descriptor.get()), remote,
                      id};
  connection->last_received = now;
  connection->place = std::move(place);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = id;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor.get(), &event) != 0) return;
  connection->descriptor = std::move(descriptor);
  if (connections_.empty()) next_sweep_ = now + kSweepEvery;
  connections_.emplace(id, std::move(connection));
  ++counters_.accepted;
}

void StreamConnections::handle_events(base::Instant now, std::uint64_t id, std::uint32_t events,
                                      MediaHandler& handler) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  bool ok = true;
  if ((events & EPOLLOUT) != 0) ok = write(id, connection);
  if (ok && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    ok = read(now, connection, handler);
  if (!ok) end(id);
}

bool StreamConnections::read(base::Instant now, Connection& connection, MediaHandler& handler) {
  for (int i = 0; i < kReadsInARow; ++i) {
    const base::MutableBytes space = connection.reader.space();
    const ssize_t size = recv(connection.descriptor.get(), space.data(), space.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (size <= 0) return false;
    const bool readable =
        connection.reader.advance(static_cast<std::size_t>(size), [&](base::Bytes frame) {
          if (!connection.stun_seen && !looks_like_stun(frame)) return false;
          connection.stun_seen = true;
          connection.last_received = now;
          ++counters_.frames_received;
          handler.handle_datagram(now, connection.path, frame);
          return true;
        });
    if (!readable) {
      ++counters_.closed_bad;
      return false;
    }
    if (static_cast<std::size_t>(size) < space.size()) return true;
  }
  return true;
}

void StreamConnections::send(std::uint64_t id, base::Bytes frame) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    ++counters_.frames_dropped;
    return;
  }
  Connection& connection = *found->second;
  counters_.frames_dropped += connection.queue.push(frame);
  if (connection.flush_pending || connection.waits_for_room) return;
  connection.flush_pending = true;
  to_flush_.push_back(id);
}

void StreamConnections::flush() {
  for (const std::uint64_t id : to_flush_) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    found->second->flush_pending = false;
    if (!write(id, *found->second)) end(id);
  }
  to_flush_.clear();
}

bool StreamConnections::write(std::uint64_t id, Connection& connection) {
  bool room = true;
  while (room && !connection.queue.empty()) {
    const base::Bytes unsent = connection.queue.unsent();
    const ssize_t size =
        ::send(connection.descriptor.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      connection.queue.consume(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      room = false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  if (room != connection.waits_for_room) return true;
  connection.waits_for_room = !room;
  epoll_event event{};
  event.events = room ? EPOLLIN | EPOLLRDHUP : EPOLLIN | EPOLLRDHUP | EPOLLOUT;
  event.data.u64 = id;
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.descriptor.get(), &event) == 0;
}

void StreamConnections::close(std::uint64_t connection) { connections_.erase(connection); }

void StreamConnections::end(std::uint64_t connection) {
  if (connections_.erase(connection) != 0) ended_.push_back(connection);
}

void StreamConnections::expire(base::Instant now) {
  if (connections_.empty() || now < next_sweep_) return;
  next_sweep_ = now + kSweepEvery;
  std::vector<std::uint64_t> idle;
  for (const auto& [id, connection] : connections_) {
    const base::Duration limit =
        connection->stun_seen ? options_.idle_limit : options_.first_frame_within;
    if (now - connection->last_received > limit) idle.push_back(id);
  }
  for (const std::uint64_t id : idle) end(id);
  counters_.closed_idle += idle.size();
}

base::Instant StreamConnections::next_deadline() const {
  return connections_.empty() ? base::kNever : next_sweep_;
}

}  // namespace alcove::net
