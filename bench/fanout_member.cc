#include "bench/fanout_member.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <utility>
#include <variant>

#include "base/check.h"
#include "bench/ground.h"

namespace alcove::bench {
namespace {

sockaddr_in to_system(const base::SocketAddress& address) {
  sockaddr_in system{};
  system.sin_family = AF_INET;
  system.sin_port = htons(address.port);
  std::memcpy(&system.sin_addr, address.ip.bytes().data(), 4);
  return system;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The kernel's time of arrival is on this clock.
std::int64_t wall_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

// The size, or less than 1 when there is nothing; when it arrived by SO_TIMESTAMPNS.
ssize_t receive(int descriptor, base::MutableBytes bytes, std::int64_t& arrived) {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(timespec))> control;
  iovec vector{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = recvmsg(descriptor, &header, MSG_DONTWAIT);
  arrived = wall_nanoseconds();
  if (size <= 0) return size;
  if (const cmsghdr* part = CMSG_FIRSTHDR(&header);
      part != nullptr && part->cmsg_type == SCM_TIMESTAMPNS) {
    timespec time{};
    std::memcpy(&time, CMSG_DATA(part), sizeof time);
    arrived = nanoseconds(time);
  }
  return size;
}

}  // namespace

LiveMember::LiveMember(const base::IpAddress& ip, std::uint16_t port,
                       const base::SocketAddress& relay)
    : descriptor_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), payload_(kPayload, 0x5a) {
  const int yes = 1;
  // Beside the far end's wildcard; the exact address takes the packets.
  setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(descriptor_, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  sockaddr_in own = to_system({ip, port});
  CHECK(bind(descriptor_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
  socklen_t size = sizeof own;
  getsockname(descriptor_, reinterpret_cast<sockaddr*>(&own), &size);
  const sockaddr_in to = to_system(relay);
  CHECK(connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  path_ = {.local = {ip, ntohs(own.sin_port)}, .remote = relay};
}

LiveMember::LiveMember(LiveMember&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(other.path_),
      peer_(std::move(other.peer_)),
      payload_(std::move(other.payload_)) {}

LiveMember::~LiveMember() {
  if (descriptor_ >= 0) close(descriptor_);
}

void LiveMember::speak(base::Instant now, std::uint32_t timestamp, bool starts) {
  const std::int64_t stamp = wall_nanoseconds();
  std::memcpy(payload_.data(), &stamp, sizeof stamp);
  peer_->send_frame(now, payload_, timestamp, starts);
  send_outgoing();
}

void LiveMember::serve(base::Instant now, std::vector<float>& ages) {
  std::array<std::uint8_t, base::kMaxDatagram> bytes;
  std::int64_t arrived = 0;
  ssize_t size = 0;
  while ((size = receive(descriptor_, bytes, arrived)) > 0) {
    peer_->handle_datagram(now, path_, base::Bytes(bytes).first(static_cast<std::size_t>(size)));
    for (const rtc::PeerEvent& event : peer_->events()) {
      const auto* frame = std::get_if<rtc::RemoteFrame>(&event);
      if (frame == nullptr) continue;
      std::int64_t stamp = 0;
      std::memcpy(&stamp, peer_->payload(*frame).data(), sizeof stamp);
      ages.push_back(static_cast<float>(static_cast<double>(arrived - stamp) / 1e6));
    }
    peer_->clear_events();
  }
  if (peer_->next_deadline() <= now) peer_->handle_timeout(now);
  peer_->clear_events();
  send_outgoing();
}

void LiveMember::send_outgoing() {
  for (const auto& entry : peer_->outgoing().entries()) {
    const base::Bytes bytes = peer_->outgoing().bytes(entry);
    [[maybe_unused]] const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), 0);
  }
  peer_->outgoing().clear();
}

}  // namespace alcove::bench
