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

template <typename Info>
std::size_t write_control(msghdr& header, int level, int type, const Info& info) {
  header.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(control), &info, sizeof info);
  return header.msg_controllen;
}

// Makes the datagram leave from the given local address.
void set_source(msghdr& header, void* memory, const base::IpAddress& local) {
  if (local.is_unspecified()) return;
  header.msg_control = memory;
  if (local.is_v4()) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, local.bytes().data(), sizeof info.ipi_spec_dst);
    header.msg_controllen = CMSG_SPACE(sizeof info);
    write_control(header, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, local.bytes().data(), sizeof info.ipi6_addr);
    header.msg_controllen = CMSG_SPACE(sizeof info);
    write_control(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
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
  return UdpSocket(std::move(descriptor), local);
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
  constexpr std::size_t kSpace = CMSG_SPACE(sizeof(in6_pktinfo));
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kSpace> bytes;
  };
  std::array<mmsghdr, kDatagramBatch> headers;
  std::array<iovec, kDatagramBatch> vectors;
  std::array<SystemAddress, kDatagramBatch> names;
  std::array<Control, kDatagramBatch> controls;
  while (!entries.empty()) {
    const std::size_t count = std::min(entries.size(), kDatagramBatch);
    for (std::size_t i = 0; i < count; ++i) {
      const base::Bytes bytes = queue.bytes(entries[i]);
      // sendmmsg does not write to it; the struct's field is not const.
      vectors[i] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
      names[i] = to_system(entries[i].path.remote);
      headers[i] = {};
      msghdr& header = headers[i].msg_hdr;
      header.msg_name = &names[i].storage;
      header.msg_namelen = names[i].size;
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      set_source(header, controls[i].bytes.data(), entries[i].path.local.ip);
    }
    send_headers(std::span(headers).first(count));
    entries = entries.subspan(count);
  }
}

void UdpSocket::send_headers(std::span<mmsghdr> headers) {
  int waits = 0;
  while (!headers.empty()) {
    const int sent = sendmmsg(descriptor_.get(), headers.data(),
                              static_cast<unsigned>(headers.size()), MSG_DONTWAIT);
    if (sent > 0) {
      counters_.sent += static_cast<std::uint64_t>(sent);
      headers = headers.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) {
      if (waits++ < kMaxWaitsForRoom && wait_writable()) continue;
      counters_.send_dropped += headers.size();
      return;
    }
    // The first one was refused: unreachable, filtered, or too long. The others may pass.
    ++counters_.send_dropped;
    headers = headers.subspan(1);
  }
}

bool UdpSocket::wait_writable() {
  pollfd poll_for{descriptor_.get(), POLLOUT, 0};
  return poll(&poll_for, 1, kWaitForRoomMilliseconds) > 0;
}

}  // namespace alcove::net
