#include "net/media_port.h"

#include <algorithm>
#include <atomic>

#include "net/media_thread.h"

namespace alcove::net {
namespace {

constexpr int kPortAttempts = 16;  // where the system chooses the port

// A system without IPv6 has no :: to listen on. Only the wildcard may be left out.
bool may_be_missing(const base::IpAddress& address, std::size_t bound) {
  return address.is_v6() && address.is_unspecified() && bound > 0;
}

base::Result<std::vector<TcpListener>> listen_all(const MediaPortOptions& options) {
  std::vector<TcpListener> listeners;
  std::uint16_t port = options.port;
  for (const base::IpAddress& address : options.listen) {
    base::Result<TcpListener> listener = listen_tcp({address, port});
    if (!listener) {
      if (listener.error().code != base::ErrorCode::kAlreadyExists &&
          may_be_missing(address, listeners.size()))
        continue;
      return std::unexpected(listener.error());
    }
    port = listener->local.port;
    listeners.push_back(std::move(*listener));
  }
  if (listeners.empty())
    return base::fail(base::ErrorCode::kInvalidArgument, "no address to listen on for media");
  return listeners;
}

base::Result<std::vector<UdpSocket>> open_sockets(const std::vector<TcpListener>& listeners,
                                                  const MediaPortOptions& options) {
  std::vector<UdpSocket> sockets;
  for (const TcpListener& listener : listeners) {
    base::Result<UdpSocket> socket = UdpSocket::open({.local = listener.local,
                                                      .reuse_port = true,
                                                      .buffer_size = options.socket_buffer,
                                                      .sending = options.sending,
                                                      .receiving = options.receiving});
    if (!socket) return std::unexpected(socket.error());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

}  // namespace

class MediaPort::Implementation {
 public:
  Implementation(const MediaPortOptions& options, std::vector<TcpListener> listeners)
      : limits_(options.max_connections, options.max_connections_for_address),
        listeners_(std::move(listeners)) {}

  base::Result<void> open_threads(const MediaPortOptions& options) {
    const StreamConnections::Options streams{.first_frame_within = options.first_frame_within,
                                             .idle_limit = options.idle_limit};
    for (unsigned i = 0; i < options.threads; ++i) {
      base::Result<std::vector<UdpSocket>> sockets = open_sockets(listeners_, options);
      if (!sockets) return std::unexpected(sockets.error());
      uses_gro_ = uses_gro_ && std::ranges::all_of(*sockets, &UdpSocket::uses_gro);
      threads_.push_back(
          std::make_unique<MediaThread>(i, std::move(*sockets), listeners_, limits_, streams));
    }
    return {};
  }

  bool uses_gro_ = true;
  ConnectionLimits limits_;
  std::vector<TcpListener> listeners_;
  std::vector<std::unique_ptr<MediaThread>> threads_;
  std::atomic<unsigned> next_adopter_ = 0;
};

MediaPort::MediaPort(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

MediaPort::~MediaPort() { stop(); }

base::Result<std::unique_ptr<MediaPort>> MediaPort::open(const MediaPortOptions& options) {
  CHECK(options.threads >= 1 && options.threads <= kMaxMediaThreads);
  base::Error last;
  for (int attempt = 0; attempt < (options.port == 0 ? kPortAttempts : 1); ++attempt) {
    base::Result<std::vector<TcpListener>> listeners = listen_all(options);
    if (!listeners) {
      last = listeners.error();
      continue;
    }
    auto implementation = std::make_unique<Implementation>(options, std::move(*listeners));
    const base::Result<void> opened = implementation->open_threads(options);
    if (opened) return std::unique_ptr<MediaPort>(new MediaPort(std::move(implementation)));
    last = opened.error();
  }
  return std::unexpected(last);
}

std::uint16_t MediaPort::port() const { return implementation_->listeners_.front().local.port; }

std::vector<base::IpAddress> MediaPort::listening() const {
  std::vector<base::IpAddress> result;
  for (const TcpListener& listener : implementation_->listeners_)
    result.push_back(listener.local.ip);
  return result;
}

bool MediaPort::uses_gro() const { return implementation_->uses_gro_; }

void MediaPort::start(const std::vector<MediaHandler*>& handlers) {
  CHECK(handlers.size() == implementation_->threads_.size());
  std::vector<MediaThread*> peers;
  for (const auto& thread : implementation_->threads_) peers.push_back(thread.get());
  for (std::size_t i = 0; i < handlers.size(); ++i) peers[i]->start(*handlers[i], peers);
}

void MediaPort::wake(unsigned thread) {
  CHECK(thread < implementation_->threads_.size());
  implementation_->threads_[thread]->wake();
}

void MediaPort::adopt(int descriptor) {
  const unsigned next = implementation_->next_adopter_.fetch_add(1, std::memory_order_relaxed);
  implementation_->threads_[next % implementation_->threads_.size()]->adopt(
      FileDescriptor(descriptor));
}

void MediaPort::stop() {
  for (const auto& thread : implementation_->threads_) thread->request_stop();
  for (const auto& thread : implementation_->threads_) thread->join();
}

MediaPortCounters MediaPort::counters() const {
  MediaPortCounters sum;
  for (const auto& thread : implementation_->threads_) thread->add_counters(sum);
  sum.connections_open = implementation_->limits_.open();
  return sum;
}

}  // namespace alcove::net
