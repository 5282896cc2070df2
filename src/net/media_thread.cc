#include "net/media_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "net/clock.h"
#include "net/socket_address.h"

namespace alcove::net {
namespace {

// The data of an epoll event: ids of connections are above 255, these are below.
constexpr std::uint64_t kWakeToken = 0;
constexpr std::uint64_t kFirstSocketToken = 1;
constexpr std::uint64_t kFirstListenerToken = 128;
constexpr std::uint64_t kFirstConnectionToken = 256;

constexpr int kReceivesInARow = 16;  // then timers and other sockets get their turn
constexpr int kAcceptsInARow = 64;
constexpr std::size_t kMaxInboxBytes = 1 << 20;
// A handler that makes thousands of datagrams in a call has them sent in runs of this.
constexpr std::size_t kDatagramsInARun = 2 * kDatagramBatch;
constexpr base::Duration kListenerPause = base::milliseconds(100);
constexpr base::Duration kLongestWait = base::seconds(1);

ReceiveMethod method_for(std::span<const UdpSocket> sockets) {
  return std::ranges::any_of(sockets, &UdpSocket::uses_gro) ? ReceiveMethod::kGro
                                                            : ReceiveMethod::kRecvmmsg;
}

}  // namespace

void MediaThread::Inbox::clear() {
  frames.clear();
  frame_bytes = 0;
  closes.clear();
  ended.clear();
  adopted.clear();
  handler_wake = false;
}

MediaThread::MediaThread(unsigned index, std::vector<UdpSocket> sockets,
                         const std::vector<TcpListener>& listeners, ConnectionLimits& limits,
                         StreamConnections::Options options)
    : index_(index),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      sockets_(std::move(sockets)),
      listeners_(listeners),
      connections_(epoll_.get(), index, limits, options),
      batch_(method_for(sockets_)) {
  CHECK(epoll_.valid() && event_.valid());
  watch(event_.get(), kWakeToken, EPOLLIN);
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    watch(sockets_[i].descriptor(), kFirstSocketToken + i, EPOLLIN);
  resume_listeners();
}

MediaThread::~MediaThread() {
  request_stop();
  join();
}

void MediaThread::watch(int descriptor, std::uint64_t token, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0);
}

void MediaThread::start(MediaHandler& handler, std::vector<MediaThread*> peers) {
  handler_ = &handler;
  peers_ = std::move(peers);
  outboxes_.resize(peers_.size());
  handler.datagrams().set_sink(kDatagramsInARun, [this] { send_datagrams(); });
  thread_ = std::thread([this] { run(); });
}

void MediaThread::request_stop() {
  stopping_.store(true);
  signal();
}

void MediaThread::join() {
  if (thread_.joinable()) thread_.join();
}

void MediaThread::signal() {
  if (signalled_.exchange(true)) return;
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread wakes anyway.
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
}

void MediaThread::wake() {
  {
    const std::scoped_lock lock(inbox_mutex_);
    inbox_.handler_wake = true;
  }
  signal();
}

void MediaThread::adopt(FileDescriptor descriptor) {
  {
    const std::scoped_lock lock(inbox_mutex_);
    inbox_.adopted.push_back(std::move(descriptor));
  }
  signal();
}

void MediaThread::run() {
  std::array<epoll_event, 64> events;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 timeout_milliseconds(monotonic_now()));
    const base::Instant now = monotonic_now();
    for (int i = 0; i < count; ++i)
      dispatch(now, events[static_cast<std::size_t>(i)].data.u64,
               events[static_cast<std::size_t>(i)].events);
    // Media leaves before timers, and the handshakes that wait behind them, take time.
    if (count > 0) finish_batch(now);
    run_timers(now);
    publish_counters();
  }
  const base::Instant now = monotonic_now();
  take_inbox(now);
  finish_batch(now);
  publish_counters();
  handler_->datagrams().set_sink(0, nullptr);
}

void MediaThread::run_timers(base::Instant now) {
  if (handler_->next_deadline() <= now) handler_->handle_timeout(now);
  connections_.expire(now);
  if (listeners_resume_at_ <= now) resume_listeners();
  finish_batch(now);
}

int MediaThread::timeout_milliseconds(base::Instant now) const {
  const base::Instant deadline = std::min({handler_->next_deadline(), connections_.next_deadline(),
                                           listeners_resume_at_, now + kLongestWait});
  if (deadline <= now) return 0;
  return static_cast<int>(std::chrono::ceil<base::milliseconds>(deadline - now).count());
}

void MediaThread::dispatch(base::Instant now, std::uint64_t token, std::uint32_t events) {
  if (token >= kFirstConnectionToken) {
    connections_.handle_events(now, token, events, *handler_);
  } else if (token >= kFirstListenerToken) {
    accept(now, listeners_[token - kFirstListenerToken]);
  } else if (token >= kFirstSocketToken) {
    receive(now, sockets_[token - kFirstSocketToken]);
  } else {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t size = read(event_.get(), &ignored, sizeof ignored);
    // Before the queues are read: what is put there later signals again.
    signalled_.store(false);
    take_inbox(now);
  }
}

void MediaThread::receive(base::Instant now, UdpSocket& socket) {
  bool more = true;
  for (int i = 0; more && i < kReceivesInARow; ++i) {
    more = socket.receive(batch_);
    for (const ReceiveBatch::Datagram& datagram : batch_.datagrams())
      handler_->handle_datagram(now, datagram.path, datagram.bytes);
    finish_batch(now);
  }
}

void MediaThread::accept(base::Instant now, const TcpListener& listener) {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    Accepted accepted = accept_tcp(listener.descriptor.get());
    if (accepted.result == AcceptResult::kOutOfDescriptors) return pause_listeners(now);
    if (accepted.result == AcceptResult::kNothing) return;
    connections_.adopt(now, std::move(accepted.descriptor), accepted.remote);
  }
}

// Without descriptors a waiting connection would wake the thread again and again.
void MediaThread::pause_listeners(base::Instant now) {
  if (listeners_resume_at_ != base::kNever) return;
  for (const TcpListener& listener : listeners_)
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener.descriptor.get(), nullptr);
  listeners_resume_at_ = now + kListenerPause;
}

void MediaThread::resume_listeners() {
  listeners_resume_at_ = base::kNever;
  for (std::size_t i = 0; i < listeners_.size(); ++i)
    watch(listeners_[i].descriptor.get(), kFirstListenerToken + i, EPOLLIN | EPOLLEXCLUSIVE);
}

void MediaThread::take_inbox(base::Instant now) {
  {
    const std::scoped_lock lock(inbox_mutex_);
    std::swap(inbox_, taken_);
  }
  for (FileDescriptor& descriptor : taken_.adopted) {
    SystemAddress remote;
    remote.size = sizeof remote.storage;
    if (getpeername(descriptor.get(), remote.get(), &remote.size) != 0) continue;
    connections_.adopt(now, std::move(descriptor), from_system(remote.storage));
  }
  for (const base::DatagramQueue::Entry& entry : taken_.frames.entries())
    connections_.send(entry.path.connection, taken_.frames.bytes(entry));
  for (const std::uint64_t connection : taken_.closes) connections_.close(connection);
  for (const std::uint64_t connection : taken_.ended)
    handler_->handle_connection_closed(now, connection);
  if (taken_.handler_wake) handler_->handle_wake(now);
  taken_.clear();
}

void MediaThread::finish_batch(base::Instant now) {
  handler_->handle_batch_end(now);
  send_output();
  connections_.flush();
  report_ended(now);
  hand_over();
  const base::Duration worked = thread_time();
  handler_->handle_batch_cost(monotonic_now(), worked - worked_);
  worked_ = worked;
}

// Runs of UDP datagrams for one socket go out together; a frame for a connection ends a run.
void MediaThread::send_datagrams() {
  base::DatagramQueue& queue = handler_->datagrams();
  const std::span<const base::DatagramQueue::Entry> entries = queue.entries();
  std::size_t begin = 0;
  while (begin < entries.size()) {
    const base::Path& path = entries[begin].path;
    std::size_t end = begin + 1;
    if (path.protocol == base::TransportProtocol::kTcp) {
      held_frames_.push(path, queue.bytes(entries[begin]));
    } else {
      while (end < entries.size() && same_way(path, entries[end].path)) ++end;
      if (UdpSocket* socket = socket_for(path))
        socket->send(queue, entries.subspan(begin, end - begin));
      else
        misaddressed_ += end - begin;
    }
    begin = end;
  }
  queue.clear();
}

void MediaThread::send_output() {
  send_datagrams();
  send_held_frames();
  std::vector<std::uint64_t>& closes = handler_->connections_to_close();
  for (const std::uint64_t connection : closes) {
    const unsigned owner = StreamConnections::owner_of(connection);
    if (owner == index_) {
      connections_.flush();
      connections_.close(connection);
    } else if (owner < outboxes_.size()) {
      outboxes_[owner].closes.push_back(connection);
    }
  }
  closes.clear();
}

void MediaThread::send_held_frames() {
  for (const base::DatagramQueue::Entry& entry : held_frames_.entries())
    send_frame(entry.path, held_frames_.bytes(entry));
  held_frames_.clear();
}

void MediaThread::send_frame(const base::Path& path, base::Bytes frame) {
  const unsigned owner = StreamConnections::owner_of(path.connection);
  if (owner == index_) {
    connections_.send(path.connection, frame);
  } else if (owner < outboxes_.size()) {
    outboxes_[owner].frames.push(path, frame);
    outboxes_[owner].frame_bytes += frame.size();
  } else {
    ++misaddressed_;
  }
}

// Whether both leave by one socket, without asking which: mostly all of a run have one source.
bool MediaThread::same_way(const base::Path& a, const base::Path& b) const {
  return a.protocol == b.protocol && a.local.ip == b.local.ip &&
         a.remote.ip.is_v4() == b.remote.ip.is_v4();
}

UdpSocket* MediaThread::socket_for(const base::Path& path) {
  if (path.protocol != base::TransportProtocol::kUdp) return nullptr;
  UdpSocket* wildcard = nullptr;
  for (UdpSocket& socket : sockets_) {
    const base::IpAddress& bound = socket.local().ip;
    if (bound == path.local.ip) return &socket;
    if (bound.is_unspecified() && bound.is_v4() == path.remote.ip.is_v4()) wildcard = &socket;
  }
  return wildcard;
}

void MediaThread::hand_over() {
  for (std::size_t i = 0; i < outboxes_.size(); ++i) {
    Inbox& outbox = outboxes_[i];
    if (outbox.frames.empty() && outbox.closes.empty() && outbox.ended.empty()) continue;
    MediaThread& peer = *peers_[i];
    {
      const std::scoped_lock lock(peer.inbox_mutex_);
      Inbox& inbox = peer.inbox_;
      for (const base::DatagramQueue::Entry& entry : outbox.frames.entries()) {
        if (inbox.frame_bytes + entry.size > kMaxInboxBytes) {
          ++misaddressed_;
          continue;
        }
        inbox.frames.push(entry.path, outbox.frames.bytes(entry));
        inbox.frame_bytes += entry.size;
      }
      inbox.closes.insert(inbox.closes.end(), outbox.closes.begin(), outbox.closes.end());
      inbox.ended.insert(inbox.ended.end(), outbox.ended.begin(), outbox.ended.end());
    }
    outbox.clear();
    peer.signal();
  }
}

// Every thread's handler is told: the endpoint that used the connection may be any thread's.
void MediaThread::report_ended(base::Instant now) {
  std::vector<std::uint64_t>& ended = connections_.ended();
  for (const std::uint64_t connection : ended) {
    handler_->handle_connection_closed(now, connection);
    for (std::size_t i = 0; i < outboxes_.size(); ++i)
      if (i != index_) outboxes_[i].ended.push_back(connection);
  }
  ended.clear();
}

void MediaThread::publish_counters() {
  MediaPortCounters sum;
  for (const UdpSocket& socket : sockets_) {
    const UdpCounters& counters = socket.counters();
    sum.datagrams_received += counters.received;
    sum.datagrams_sent += counters.sent;
    sum.receive_dropped += counters.receive_dropped;
    sum.send_dropped += counters.send_dropped;
    sum.send_calls += counters.send_calls;
    sum.sent_merged += counters.sent_merged;
    sum.received_merged += counters.received_merged;
  }
  const StreamCounters& streams = connections_.counters();
  sum.send_dropped += misaddressed_;
  sum.connections_accepted = streams.accepted;
  sum.connections_refused = streams.refused;
  sum.connections_closed_bad = streams.closed_bad;
  sum.connections_closed_idle = streams.closed_idle;
  sum.frames_received = streams.frames_received;
  sum.frames_dropped = streams.frames_dropped;
  const std::scoped_lock lock(counters_mutex_);
  published_ = sum;
}

void MediaThread::add_counters(MediaPortCounters& sum) const {
  const std::scoped_lock lock(counters_mutex_);
  sum.datagrams_received += published_.datagrams_received;
  sum.datagrams_sent += published_.datagrams_sent;
  sum.receive_dropped += published_.receive_dropped;
  sum.send_dropped += published_.send_dropped;
  sum.send_calls += published_.send_calls;
  sum.sent_merged += published_.sent_merged;
  sum.received_merged += published_.received_merged;
  sum.connections_accepted += published_.connections_accepted;
  sum.connections_refused += published_.connections_refused;
  sum.connections_closed_bad += published_.connections_closed_bad;
  sum.connections_closed_idle += published_.connections_closed_idle;
  sum.frames_received += published_.frames_received;
  sum.frames_dropped += published_.frames_dropped;
}

}  // namespace alcove::net
