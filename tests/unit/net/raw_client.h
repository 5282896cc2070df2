#pragma once
// A TCP client that says exactly what a test wants, and waits with a limit.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>

#include "net/file_descriptor.h"
#include "net/socket_address.h"

namespace alcove::net {

class RawClient {
 public:
  explicit RawClient(const base::SocketAddress& server, int receive_buffer = 0) {
    const SystemAddress address = to_system(server);
    descriptor_ =
        FileDescriptor(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer != 0)
      setsockopt(descriptor_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    connected_ = ::connect(descriptor_.get(), address.get(), address.size) == 0;
  }
  bool connected() const { return connected_; }
  int descriptor() const { return descriptor_.get(); }

  // False when the server has closed.
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t size = ::send(descriptor_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  // What comes next: "" at the end of the connection, nothing within ten seconds is a failure.
  std::string receive() const {
    constexpr int kPatienceMilliseconds = 10'000;
    pollfd wait{descriptor_.get(), POLLIN, 0};
    if (poll(&wait, 1, kPatienceMilliseconds) <= 0) return "(nothing within ten seconds)";
    std::array<char, 65536> buffer;
    const ssize_t size = recv(descriptor_.get(), buffer.data(), buffer.size(), 0);
    return size <= 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }
  // Everything until the server closes.
  std::string receive_all() const {
    std::string all;
    for (std::string part = receive(); !part.empty(); part = receive()) all += part;
    return all;
  }
  // One answer with Content-Length.
  std::string receive_answer() const {
    constexpr std::string_view kLength = "Content-Length: ";
    std::string all;
    for (;;) {
      const std::size_t head = all.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = all.find(kLength);
        const std::size_t length =
            at < head ? std::stoul(all.substr(at + kLength.size())) : std::size_t{0};
        if (all.size() >= head + 4 + length) return all;
      }
      const std::string part = receive();
      if (part.empty()) return all;
      all += part;
    }
  }

 private:
  FileDescriptor descriptor_;
  bool connected_ = false;
};

}  // namespace alcove::net
