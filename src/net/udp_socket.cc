#include "net/udp_socket.h"

#include <poll.h>

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

// A device that computes no checksums, a kernel before 4.18, a path with IPsec.
bool is_refusal_to_merge(int error) {
  return error == EIO || error == EINVAL || error == ENOPROTOOPT || error == EOPNOTSUPP ||
         error == EMSGSIZE;
}

}  // namespace

ReceiveBatch::ReceiveBatch() {
  for (std::size_t i = 0; i < kDatagramBatch; ++i)
    vectors_[i] = {buffers_[i].data(), buffers_[i].size()};
}

void ReceiveBatch::prepare() {
  count_ = 0;
  for (std::size_t i = 0; i < kDatagramBatch; ++i) {
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

UdpSocket::UdpSocket(FileDescriptor descriptor, base::SocketAddress local, SendMethod sending)
    : descriptor_(std::move(descriptor)),
      local_(local),
      merges_(sending != SendMethod::kSendmmsg),
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
  return UdpSocket(std::move(descriptor), local, options.sending);
}

bool UdpSocket::receive(ReceiveBatch& batch) {
  batch.prepare();
  const int count =
      recvmmsg(descriptor_.get(), batch.headers_.data(), kDatagramBatch, MSG_DONTWAIT, nullptr);
  if (count <= 0) return false;  // nothing there, or an ICMP error of an earlier datagram
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    mmsghdr& received = batch.headers_[i];
    const std::size_t size = received.msg_len;
    const base::SocketAddress remote = from_system(batch.names_[i]);
    // A link-local peer cannot be answered: a path has no zone.
    const bool usable = remote.port != 0 && !(remote.ip.is_v6() && remote.ip.is_link_local());
    if (size == 0 || size > base::kMaxDatagram || !usable) {
      ++counters_.receive_dropped;
      continue;
    }
    ReceiveBatch::Datagram& datagram = batch.datagrams_[batch.count_++];
    datagram.path.protocol = base::TransportProtocol::kUdp;
    datagram.path.local = {local_address_in(received.msg_hdr, local_.ip), local_.port};
    datagram.path.remote = remote;
    datagram.path.connection = 0;
    datagram.bytes = base::Bytes(batch.buffers_[i]).first(size);
    ++counters_.received;
  }
  return static_cast<std::size_t>(count) == kDatagramBatch;
}

void UdpSocket::send(const base::DatagramQueue& queue,
                     std::span<const base::DatagramQueue::Entry> entries) {
  int waits = 0;
  while (!entries.empty()) {
    batch_->fill(queue, entries, merges_, local_.ip);
    const std::span<mmsghdr> messages = batch_->messages();
    const int result = sendmmsg(descriptor_.get(), messages.data(),
                                static_cast<unsigned>(messages.size()), MSG_DONTWAIT);
    const int error = errno;
    ++counters_.send_calls;
    if (result > 0) {
      const auto sent = static_cast<std::size_t>(result);
      const std::size_t datagrams = batch_->datagrams_in_first(sent);
      counters_.sent += datagrams;
      if (datagrams != sent) counters_.sent_merged += batch_->merged_in_first(sent);
      entries = entries.subspan(datagrams);
      continue;
    }
    if (error == EINTR) continue;
    if (error == EAGAIN || error == ENOBUFS) {
      if (waits++ < kMaxWaitsForRoom && wait_writable()) continue;
      const std::size_t rest = batch_->datagrams_in_first(messages.size());
      counters_.send_dropped += rest;
      entries = entries.subspan(rest);
      waits = 0;
      continue;
    }
    const std::size_t refused = batch_->datagrams_in_first(1);
    if (refused > 1 && is_refusal_to_merge(error)) {
      merges_ = false;
      continue;
    }
    // The first one was refused: unreachable, filtered, or too long. The others may pass.
    counters_.send_dropped += refused;
    entries = entries.subspan(refused);
  }
}

bool UdpSocket::wait_writable() {
  pollfd poll_for{descriptor_.get(), POLLOUT, 0};
  return poll(&poll_for, 1, kWaitForRoomMilliseconds) > 0;
}

}  // namespace alcove::net
