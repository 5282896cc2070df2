#pragma once
// The floor's sending: one system call a packet, one for many, or several packets to one listener
// as one message that the kernel divides (UDP_SEGMENT).

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "bench/ground.h"

namespace alcove::bench {

enum class SendMode : std::uint8_t { kSendmsg, kSendmmsg, kGso };

class Sender {
 public:
  // batch: messages in one sendmmsg. never_fragment: sets DF, so the kernel needs no IP
  // identification for each packet, which is a hash and a random number.
  Sender(Network network, SendMode mode, std::size_t listeners, std::size_t batch,
         bool never_fragment);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Space for the next message, of `packets` packets of kSealed bytes; to be filled before the next
  // call. A message of more than one packet needs kGso.
  base::MutableBytes next(std::size_t listener, std::size_t packets);
  // The message is complete: goes out now or with its batch.
  void commit();
  void flush();

  std::uint64_t packets_sent() const { return sent_; }
  std::uint64_t packets_dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kMaxSegments = 8;
  struct alignas(cmsghdr) Control {
    std::uint8_t bytes[CMSG_SPACE(sizeof(std::uint16_t))];
  };
  void count(std::size_t first, std::size_t messages, std::uint64_t& into);

  SendMode mode_;
  std::size_t batch_;
  int descriptor_ = -1;
  std::vector<sockaddr_in> addresses_;
  std::vector<std::uint8_t> buffers_;
  std::vector<iovec> vectors_;
  std::vector<Control> controls_;
  std::vector<mmsghdr> headers_;
  std::size_t waiting_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace alcove::bench
