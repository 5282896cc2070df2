#pragma once
// What the relay's process and the peers' process of bench_fanout say to each other while the
// listeners connect: whole messages on a SOCK_SEQPACKET pair. Datagrams go in turns, so that one
// message carries all that one side has to send.

#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/datagram.h"

namespace alcove::bench {

enum class MessageKind : std::uint8_t {
  kHello,      // relay: its media port
  kOpen,       // peers: a member; address, then the offer
  kAnswer,     // relay
  kDatagrams,  // either: from and to the member at the address, in turns
  kOpened,     // peers: that member is connected
  kReady,      // peers: all are
  kGo,         // relay: speak now; again: it is enough
  kCheck,      // peers: a check of the listener at the address, to renew its consent
  kAges,       // peers: of frames at sampled listeners, in milliseconds, as floats
};

struct Message {
  MessageKind kind = MessageKind::kReady;
  base::SocketAddress address;  // the member's
  bool speaks = false;
  base::Buffer bytes;
};

class Channel {
 public:
  explicit Channel(int descriptor) : descriptor_(descriptor) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int descriptor() const { return descriptor_; }
  void send(const Message& message);
  // nullopt: the other side is gone.
  std::optional<Message> receive();

 private:
  int descriptor_;
};

// Datagrams in one message: each with two bytes of length before it.
base::Buffer pack(const base::DatagramQueue& queue);
std::vector<base::Bytes> unpack(base::Bytes packed);

}  // namespace alcove::bench
