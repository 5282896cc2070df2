#include "bench/fanout_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace alcove::bench {
namespace {

constexpr std::size_t kHead = 8;  // kind, speaks, IPv4 address, port
constexpr std::size_t kMaxMessage = 64 * 1024;

}  // namespace

Channel::~Channel() { close(descriptor_); }

void Channel::send(const Message& message) {
  base::Buffer bytes{static_cast<std::uint8_t>(message.kind),
                     static_cast<std::uint8_t>(message.speaks ? 1 : 0)};
  const base::Bytes ip = message.address.ip.bytes();
  bytes.insert(bytes.end(), ip.begin(), ip.begin() + 4);
  bytes.push_back(static_cast<std::uint8_t>(message.address.port >> 8));
  bytes.push_back(static_cast<std::uint8_t>(message.address.port));
  bytes.insert(bytes.end(), message.bytes.begin(), message.bytes.end());
  CHECK(bytes.size() <= kMaxMessage);
  // The other side's end shows when reading.
  [[maybe_unused]] const ssize_t sent =
      ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::optional<Message> Channel::receive() {
  std::array<std::uint8_t, kMaxMessage> bytes;
  const ssize_t size = recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (size < static_cast<ssize_t>(kHead)) return std::nullopt;
  Message message;
  message.kind = static_cast<MessageKind>(bytes[0]);
  message.speaks = bytes[1] != 0;
  message.address.ip = base::IpAddress::v4({bytes[2], bytes[3], bytes[4], bytes[5]});
  message.address.port = static_cast<std::uint16_t>(bytes[6] << 8 | bytes[7]);
  message.bytes.assign(bytes.begin() + kHead, bytes.begin() + size);
  return message;
}

base::Buffer pack(const base::DatagramQueue& queue) {
  base::Buffer packed;
  for (const auto& entry : queue.entries()) {
    const base::Bytes bytes = queue.bytes(entry);
    packed.push_back(static_cast<std::uint8_t>(bytes.size() >> 8));
    packed.push_back(static_cast<std::uint8_t>(bytes.size()));
    packed.insert(packed.end(), bytes.begin(), bytes.end());
  }
  return packed;
}

std::vector<base::Bytes> unpack(base::Bytes packed) {
  std::vector<base::Bytes> datagrams;
  while (packed.size() > 2) {
    const std::size_t size = std::size_t{packed[0]} << 8 | packed[1];
    CHECK(size + 2 <= packed.size());
    datagrams.push_back(packed.subspan(2, size));
    packed = packed.subspan(2 + size);
  }
  return datagrams;
}

}  // namespace alcove::bench
