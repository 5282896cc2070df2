#pragma once
// A member's connections as bench/signalling.cc makes them: one HTTP request, one WebSocket, on a
// plain loopback socket; as little as it takes, so that thousands cost this process nothing.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace alcove::bench {

// The body of an answer with a status of 2xx; ends the program with the answer otherwise.
std::string post(std::uint16_t port, const std::string& path, std::string_view body,
                 const std::string& session);

class MemberSocket {
 public:
  // Connects and upgrades.
  explicit MemberSocket(std::uint16_t port);
  ~MemberSocket();
  MemberSocket(MemberSocket&& other) noexcept;
  MemberSocket& operator=(MemberSocket&&) = delete;

  int descriptor() const { return descriptor_; }
  void send(std::string_view message);
  // Reads what is there. Binary messages are appended to messages unless it is null; a WebSocket
  // ping is answered. False when the server has closed.
  bool drain(std::vector<std::string>* messages);
  std::size_t received() const { return received_; }

 private:
  void send_frame(std::uint8_t opcode, std::string_view payload);
  bool take_frame(std::vector<std::string>* messages);

  int descriptor_;
  std::string unread_;        // of a frame that is kept, or its header
  std::size_t to_skip_ = 0;   // of a payload that is not kept
  std::size_t received_ = 0;  // messages
};

}  // namespace alcove::bench
