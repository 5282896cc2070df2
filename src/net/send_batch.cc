#include "net/send_batch.h"

#include <netinet/udp.h>

#include <cstring>
#include <numeric>

namespace alcove::net {
namespace {

constexpr std::size_t kMaxSegments = 16;
// Below what the least path MTU that Linux believes in (552 bytes) leaves: or else a forged ICMP
// message about one peer would make merging fail for all.
constexpr std::size_t kMaxSegmentSize = 512;

// How many of the entries, the first one included, can leave in one message: all are for its peer
// and of its size; the last one may be shorter.
std::size_t mergeable(std::span<const SendBatch::Entry> entries) {
  const SendBatch::Entry& first = entries.front();
  if (first.size > kMaxSegmentSize) return 1;
  std::size_t count = 1;
  while (count < entries.size() && count < kMaxSegments) {
    const SendBatch::Entry& next = entries[count];
    if (next.size > first.size || next.size == 0 || next.path.remote != first.path.remote ||
        next.path.local.ip != first.path.local.ip)
      break;
    ++count;
    if (next.size < first.size) break;
  }
  return count;
}

// Appends one item of control data.
template <typename Value>
void append_control(msghdr& header, std::uint8_t* memory, int level, int type, const Value& value) {
  // By hand: CMSG_NXTHDR reads the length of the item that is not written yet.
  std::uint8_t* const at = memory + header.msg_controllen;
  cmsghdr head{};
  head.cmsg_level = level;
  head.cmsg_type = type;
  head.cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(at, &head, sizeof head);
  std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
}

}  // namespace

SendBatch::SendBatch() {
  for (std::size_t i = 0; i < kMessages; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &names_[i];
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
  }
}

void SendBatch::fill(const base::DatagramQueue& queue, std::span<const Entry> entries, bool merge,
                     const base::IpAddress& bound) {
  count_ = 0;
  while (!entries.empty() && count_ < kMessages) {
    const Entry& first = entries.front();
    const std::size_t datagrams = merge ? mergeable(entries) : 1;
    const Entry& last = entries[datagrams - 1];
    datagrams_[count_] = static_cast<std::uint8_t>(datagrams);
    // sendmmsg does not write to it; the struct's field is not const.
    vectors_[count_].iov_base = const_cast<std::uint8_t*>(queue.bytes(first).data());
    vectors_[count_].iov_len = last.offset + last.size - first.offset;
    write_name(count_, first.path.remote);
    write_control(count_, first, bound);
    ++count_;
    entries = entries.subspan(datagrams);
  }
}

void SendBatch::write_name(std::size_t message, const base::SocketAddress& remote) {
  Name& name = names_[message];
  if (remote.ip.is_v4()) {
    name.four.sin_family = AF_INET;
    name.four.sin_port = htons(remote.port);
    std::memcpy(&name.four.sin_addr, remote.ip.bytes().data(), sizeof name.four.sin_addr);
    headers_[message].msg_hdr.msg_namelen = sizeof name.four;
  } else {
    name.six = {};
    name.six.sin6_family = AF_INET6;
    name.six.sin6_port = htons(remote.port);
    std::memcpy(&name.six.sin6_addr, remote.ip.bytes().data(), sizeof name.six.sin6_addr);
    headers_[message].msg_hdr.msg_namelen = sizeof name.six;
  }
}

void SendBatch::write_control(std::size_t message, const Entry& entry,
                              const base::IpAddress& bound) {
  msghdr& header = headers_[message].msg_hdr;
  std::uint8_t* const memory = controls_[message].bytes.data();
  header.msg_controllen = 0;
  const base::IpAddress& local = entry.path.local.ip;
  if (!local.is_unspecified() && local != bound) {
    if (local.is_v4()) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, local.bytes().data(), sizeof info.ipi_spec_dst);
      append_control(header, memory, IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      std::memcpy(&info.ipi6_addr, local.bytes().data(), sizeof info.ipi6_addr);
      append_control(header, memory, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }
  if (datagrams_[message] > 1)
    append_control(header, memory, SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(entry.size));
}

std::size_t SendBatch::datagrams_in_first(std::size_t messages) const {
  return std::accumulate(datagrams_.begin(),
                         datagrams_.begin() + static_cast<std::ptrdiff_t>(messages),
                         std::size_t{0});
}

std::size_t SendBatch::merged_in_first(std::size_t messages) const {
  std::size_t merged = 0;
  for (std::size_t i = 0; i < messages; ++i)
    if (datagrams_[i] > 1) merged += datagrams_[i];
  return merged;
}

}  // namespace alcove::net
