#include "net/udp_socket.h"

#include <netinet/udp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/socket_address.h"

namespace alcove::net {
namespace {

constexpr int kMaxWaitsForRoom = 2;
constexpr int kWaitForRoomMilliseconds = 1;

bool set_option(int descriptor, int level, int name, int value) {
  return setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

// The forced variants pass the system's limit and need CAP_NET_ADMIN; the plain ones always work.
void set_buffers(int descriptor, int size) {
  if (!set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, size))
    set_option(descriptor, SOL_SOCKET, SO_RCVBUF, size);
  if (!set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, size))
    set_option(descriptor, SOL_SOCKET, SO_SNDBUF, size);
}

// A message of UDP_GRO is at most this; the system puts at most 128 datagrams into one.
constexpr std::size_t kMaxMessage = 65'535;
constexpr std::size_t kGroMessages = 16;
constexpr std::size_t kMaxMerged = 128;

// The size of the datagrams in a message of UDP_GRO; 0 for one alone.
std::size_t segment_size_in(msghdr& header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(control), sizeof size);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  return 0;
}

// The local address in a received datagram's control data; fallback where the system gave none.
base::IpAddress local_address_in(msghdr& header, const base::IpAddress& fallback) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      return from_system(info.ipi_spec_dst);
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      return from_system(info.ipi6_addr);
    }
  }
  return fallback;
}

}  // namespace

ReceiveBatch::ReceiveBatch(ReceiveMethod method)
    : messages_(method == ReceiveMethod::kGro ? kGroMessages : kDatagramBatch),
      // One byte more than allowed, so that an oversized datagram is seen as such.
      message_size_(method == ReceiveMethod::kGro ? kMaxMessage : base::kMaxDatagram + 1),
      memory_(std::make_unique_for_overwrite<std::uint8_t[]>(messages_ * message_size_)) {
  for (std::size_t i = 0; i < messages_; ++i)
    vectors_[i] = {&memory_[i * message_size_], message_size_};
  datagrams_.reserve(kDatagramBatch);
}

void ReceiveBatch::prepare() {
  datagrams_.clear();
  for (std::size_t i = 0; i < messages_; ++i) {
    headers_[i] = {};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &names_[i];
    header.msg_namelen = sizeof names_[i];
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
    header.msg_controllen = controls_[i].bytes.size();
  }
}

UdpSocket::UdpSocket(FileDescriptor descriptor, base::SocketAddress local, SendMethod sending,
                     bool uses_gro)
    : descriptor_(std::move(descriptor)),
      local_(local),
      merges_(sending != SendMethod::kSendmmsg),
      uses_gro_(uses_gro),
      batch_(std::make_unique<SendBatch>()) {}

base::Result<UdpSocket> UdpSocket::open(const Options& options) {
  const bool is_v4 = options.local.ip.is_v4();
  FileDescriptor descriptor(
      socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.valid())
    return base::fail(base::ErrorCode::kUnavailable, "no UDP socket: " + error_text(errno));
  const int number = descriptor.get();
  bool ok = true;
  if (options.reuse_port) ok = ok && set_option(number, SOL_SOCKET, SO_REUSEPORT, 1);
  if (is_v4) {
    ok = ok && set_option(number, IPPROTO_IP, IP_PKTINFO, 1);
    // Never fragmented, as RFC 9000, section 14 wants of QUIC: nothing of ours is longer than what
    // IPv6's least MTU takes. A forged ICMP message about the path changes nothing then, and the
    // system saves the choice of an identification, a tenth of all that sending costs.
    set_option(number, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  } else {
    ok = ok && set_option(number, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    ok = ok && set_option(number, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  set_buffers(number, options.buffer_size);
  const SystemAddress address = to_system(options.local);
  if (!ok || bind(number, address.get(), address.size) != 0)
    return base::fail(base::ErrorCode::kUnavailable,
                      "cannot use UDP " + options.local.text() + ": " + error_text(errno));
  const base::SocketAddress local = local_address_of(number);
  // A kernel before 5.0 has no UDP_GRO; it is read as without.
  const bool uses_gro =
      options.receiving == ReceiveMethod::kGro && set_option(number, SOL_UDP, UDP_GRO, 1);
  return UdpSocket(std::move(descriptor), local, options.sending, uses_gro);
}

bool UdpSocket::receive(ReceiveBatch& batch) {
  CHECK(!uses_gro_ || batch.message_size_ == kMaxMessage);
  batch.prepare();
  const int count = recvmmsg(descriptor_.get(), batch.headers_.data(),
                             static_cast<unsigned>(batch.messages_), MSG_DONTWAIT, nullptr);
  if (count <= 0) return false;  // nothing there, or an ICMP error of an earlier datagram
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) take_message(batch, i);
  return static_cast<std::size_t>(count) == batch.messages_;
}

void UdpSocket::take_message(ReceiveBatch& batch, std::size_t index) {
  mmsghdr& received = batch.headers_[index];
  const std::size_t size = received.msg_len;
  const base::SocketAddress remote = from_system(batch.names_[index]);
  // A link-local peer cannot be answered: a path has no zone.
  const bool usable = remote.port != 0 && !(remote.ip.is_v6() && remote.ip.is_link_local());
  const std::size_t segment = uses_gro_ ? segment_size_in(received.msg_hdr) : 0;
  const std::size_t step = segment == 0 ? size : segment;
  // What came truncated is longer than anything that is allowed.
  const bool whole = (received.msg_hdr.msg_flags & MSG_TRUNC) == 0;
  if (size == 0 || step > base::kMaxDatagram || !usable || !whole || size > step * kMaxMerged) {
    ++counters_.receive_dropped;
    return;
  }
  ReceiveBatch::Datagram datagram;
  datagram.path.protocol = base::TransportProtocol::kUdp;
  datagram.path.local = {local_address_in(received.msg_hdr, local_.ip), local_.port};
  datagram.path.remote = remote;
  const base::Bytes message(&batch.memory_[index * batch.message_size_], size);
  for (std::size_t at = 0; at < size; at += step) {
    datagram.bytes = message.subspan(at, std::min(step, size - at));
    batch.datagrams_.push_back(datagram);
    ++counters_.received;
    if (size > step) ++counters_.received_merged;
  }
}

void UdpSocket::send(const base::DatagramQueue& queue,
                     std::span<const base::DatagramQueue::Entry> entries) {
  int waits = 0;
  while (!entries.empty()) {
    const SendResult result = send_some(queue, entries, merges_);
    std::size_t done = result.sent;
    if (done == 0 && result.error == EINTR) continue;
    if (done == 0 && (result.error == EAGAIN || result.error == ENOBUFS)) {
      if (waits++ < kMaxWaitsForRoom && wait_writable()) continue;
      waits = 0;
      done = batch_->datagrams_in_first(batch_->messages().size());
      counters_.send_dropped += done;
    } else if (done == 0) {
      // The first one was refused: unreachable, filtered, or too long. The others may pass.
      const std::size_t refused = batch_->datagrams_in_first(1);
      if (refused > 1) done = send_some(queue, entries.first(refused), false).sent;
      // It is the merging that the system does not take, or the device.
      if (done > 0) {
        merges_ = false;
      } else {
        done = refused;
        counters_.send_dropped += done;
      }
    }
    entries = entries.subspan(done);
  }
}

UdpSocket::SendResult UdpSocket::send_some(const base::DatagramQueue& queue,
                                           std::span<const base::DatagramQueue::Entry> entries,
                                           bool merge) {
  batch_->fill(queue, entries, merge, local_.ip);
  const std::span<mmsghdr> messages = batch_->messages();
  const int result = sendmmsg(descriptor_.get(), messages.data(),
                              static_cast<unsigned>(messages.size()), MSG_DONTWAIT);
  if (result <= 0) return {0, errno};
  ++counters_.send_calls;
  const auto sent = static_cast<std::size_t>(result);
  const std::size_t datagrams = batch_->datagrams_in_first(sent);
  counters_.sent += datagrams;
  counters_.sent_merged += batch_->merged_in_first(sent);
  return {datagrams, 0};
}

bool UdpSocket::wait_writable() {
  pollfd poll_for{descriptor_.get(), POLLOUT, 0};
  return poll(&poll_for, 1, kWaitForRoomMilliseconds) > 0;
}

}  // namespace alcove::net
