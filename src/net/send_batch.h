#pragma once
// Memory for one sendmmsg, and how datagrams of a queue become its messages. What does not change
// between calls is written once. One thread.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/datagram.h"

namespace alcove::net {

class SendBatch {
 public:
  static constexpr std::size_t kMessages = 64;
  using Entry = base::DatagramQueue::Entry;

  SendBatch();
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  // Makes messages of the first entries, which are neighbours in the queue; valid until the queue
  // changes. merge: neighbours for one peer and of one size share a message (UDP_SEGMENT). bound is
  // the socket's address: only what has another source says so.
  void fill(const base::DatagramQueue& queue, std::span<const Entry> entries, bool merge,
            const base::IpAddress& bound);

  std::span<mmsghdr> messages() { return std::span(headers_).first(count_); }
  // How many datagrams are in the first messages, and how many of these share one with others.
  std::size_t datagrams_in_first(std::size_t messages) const;
  std::size_t merged_in_first(std::size_t messages) const;

 private:
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t))>
        bytes;
  };
  union Name {
    sockaddr_in four;
    sockaddr_in6 six;
  };
  void write_name(std::size_t message, const base::SocketAddress& remote);
  void write_control(std::size_t message, const Entry& entry, const base::IpAddress& bound);

  std::array<mmsghdr, kMessages> headers_{};
  std::array<iovec, kMessages> vectors_{};
  std::array<Name, kMessages> names_{};
  std::array<Control, kMessages> controls_{};
  std::array<std::uint8_t, kMessages> datagrams_{};
  std::size_t count_ = 0;
};

}  // namespace alcove::net
