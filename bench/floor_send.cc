#include "bench/floor_send.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace alcove::bench {
namespace {

sockaddr_in to_system(const base::IpAddress& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  std::memcpy(&address.sin_addr, ip.bytes().data(), 4);
  return address;
}

}  // namespace

Sender::Sender(Network network, SendMode mode, std::size_t listeners, std::size_t batch,
               bool never_fragment)
    : mode_(mode),
      batch_(mode == SendMode::kSendmsg ? 1 : batch),
      buffers_(batch_ * kMaxSegments * kSealed),
      vectors_(batch_),
      controls_(batch_),
      headers_(batch_) {
  descriptor_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in own = to_system(sender_address(network), 0);
  CHECK(bind(descriptor_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  const int size = 4 << 20;  // as the relay's
  setsockopt(descriptor_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (never_fragment) {
    const int probe = IP_PMTUDISC_PROBE;
    setsockopt(descriptor_, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
  }
  for (std::size_t i = 0; i < listeners; ++i)
    addresses_.push_back(to_system(listener_address(network, i), kListenerPort));
  for (std::size_t i = 0; i < batch_; ++i) {
    vectors_[i].iov_base = buffers_.data() + i * kMaxSegments * kSealed;
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_namelen = sizeof(sockaddr_in);
    auto* control = reinterpret_cast<cmsghdr*>(controls_[i].bytes);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(kSealed);
    std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
  }
}

Sender::~Sender() { close(descriptor_); }

base::MutableBytes Sender::next(std::size_t listener, std::size_t packets) {
  CHECK(packets == 1 || (mode_ == SendMode::kGso && packets <= kMaxSegments));
  vectors_[waiting_].iov_len = packets * kSealed;
  msghdr& header = headers_[waiting_].msg_hdr;
  header.msg_name = &addresses_[listener];
  header.msg_control = packets > 1 ? controls_[waiting_].bytes : nullptr;
  header.msg_controllen = packets > 1 ? sizeof(Control) : 0;
  return {static_cast<std::uint8_t*>(vectors_[waiting_].iov_base), packets * kSealed};
}

void Sender::commit() {
  if (++waiting_ == batch_) flush();
}

void Sender::count(std::size_t first, std::size_t messages, std::uint64_t& into) {
  for (std::size_t i = first; i < first + messages; ++i) into += vectors_[i].iov_len / kSealed;
}

void Sender::flush() {
  std::size_t done = 0;
  while (done < waiting_) {
    int sent = 0;
    if (mode_ == SendMode::kSendmsg)
      sent = sendmsg(descriptor_, &headers_[done].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1;
    else
      sent = sendmmsg(descriptor_, &headers_[done], static_cast<unsigned>(waiting_ - done),
                      MSG_DONTWAIT);
    if (sent > 0) {
      count(done, static_cast<std::size_t>(sent), sent_);
      done += static_cast<std::size_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) {
      pollfd room{descriptor_, POLLOUT, 0};
      if (poll(&room, 1, 5) > 0) continue;
    }
    count(done, 1, dropped_);
    ++done;
  }
  waiting_ = 0;
}

}  // namespace alcove::bench
