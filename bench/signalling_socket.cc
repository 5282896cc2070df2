#include "bench/signalling_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace alcove::bench {
namespace {

constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kBinary = 2;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;

int connect_to(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(descriptor >= 0);
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return descriptor;
}

void send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      fmt::print(stderr, "the server has closed a connection\n");
      std::exit(1);
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Up to and with the empty line; what follows it is left in rest.
std::string read_head(int descriptor, std::string& rest) {
  std::array<char, 4096> chunk{};
  for (;;) {
    if (const std::size_t end = rest.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = rest.substr(0, end + 4);
      rest.erase(0, end + 4);
      return head;
    }
    const ssize_t size = recv(descriptor, chunk.data(), chunk.size(), 0);
    CHECK(size > 0);
    rest.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

std::string post(std::uint16_t port, const std::string& path, std::string_view body,
                 const std::string& session) {
  const int descriptor = connect_to(port);
  std::string request = fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/protobuf\r\n"
      "Accept: application/protobuf\r\nContent-Length: {}\r\nConnection: close\r\n",
      path, body.size());
  if (!session.empty()) request += "Authorization: Bearer " + session + "\r\n";
  request += "\r\n";
  request += body;
  send_all(descriptor, request);
  std::string answer;
  const std::string head = read_head(descriptor, answer);
  std::array<char, 4096> chunk{};
  for (ssize_t size = 0; (size = recv(descriptor, chunk.data(), chunk.size(), 0)) > 0;)
    answer.append(chunk.data(), static_cast<std::size_t>(size));
  close(descriptor);
  if (!head.starts_with("HTTP/1.1 2")) {
    fmt::print(stderr, "{} was refused: {}{}\n", path, head, answer);
    std::exit(1);
  }
  return answer;
}

MemberSocket::MemberSocket(std::uint16_t port) : descriptor_(connect_to(port)) {
  // A browser's request has headers of about this size.
  send_all(
      descriptor_,
      "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/156.0.0.0 Safari/537.36\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
      "Accept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\r\n");
  const std::string head = read_head(descriptor_, unread_);
  CHECK(head.starts_with("HTTP/1.1 101"));
}

MemberSocket::~MemberSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

MemberSocket::MemberSocket(MemberSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      unread_(std::move(other.unread_)),
      to_skip_(other.to_skip_),
      received_(other.received_) {}

void MemberSocket::send(std::string_view message) { send_frame(kBinary, message); }

// RFC 6455, section 5.2. A mask of zeros is a mask.
void MemberSocket::send_frame(std::uint8_t opcode, std::string_view payload) {
  std::string frame;
  frame.push_back(static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else if (payload.size() < 65'536) {
    frame.push_back(static_cast<char>(0x80 | 126));
    for (int shift = 8; shift >= 0; shift -= 8)
      frame.push_back(static_cast<char>(payload.size() >> shift));
  } else {
    frame.push_back(static_cast<char>(0x80 | 127));
    for (int shift = 56; shift >= 0; shift -= 8)
      frame.push_back(static_cast<char>(payload.size() >> shift));
  }
  frame.append(4, '\0');
  frame += payload;
  send_all(descriptor_, frame);
}

bool MemberSocket::drain(std::vector<std::string>* messages) {
  std::array<char, 65'536> chunk;
  for (;;) {
    const ssize_t size = recv(descriptor_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size < 0) return true;
    if (size == 0) return false;
    std::string_view bytes(chunk.data(), static_cast<std::size_t>(size));
    const std::size_t skipped = std::min(to_skip_, bytes.size());
    to_skip_ -= skipped;
    unread_ += bytes.substr(skipped);
    while (take_frame(messages)) {
    }
  }
}

bool MemberSocket::take_frame(std::vector<std::string>* messages) {
  if (unread_.size() < 2) return false;
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(unread_[at]); };
  const std::uint8_t opcode = byte(0) & 0x0f;
  std::size_t length = byte(1) & 0x7f;
  std::size_t header = 2;
  if (length >= 126) {
    const std::size_t extended = length == 126 ? 2 : 8;
    if (unread_.size() < header + extended) return false;
    length = 0;
    for (std::size_t i = 0; i < extended; ++i) length = length << 8 | byte(header + i);
    header += extended;
  }
  const bool keep = opcode == kPing || messages != nullptr;
  if (keep && unread_.size() < header + length) return false;
  if (opcode == kPing) send_frame(kPong, std::string_view(unread_).substr(header, length));
  CHECK(opcode != kText);
  if (opcode == kBinary) {
    ++received_;
    if (messages != nullptr) messages->push_back(unread_.substr(header, length));
  }
  if (opcode == kClose) return false;
  const std::size_t have = std::min(unread_.size(), header + length);
  to_skip_ = header + length - have;
  unread_.erase(0, have);
  if (unread_.empty()) unread_.shrink_to_fit();
  return true;
}

}  // namespace alcove::bench
