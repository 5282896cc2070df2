#pragma once
// A UDP socket that knows by which local address a datagram came and sends the reply from it
// (IP_PKTINFO; IPV6_RECVPKTINFO, RFC 3542, section 6), in batches. One thread.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/datagram.h"
#include "base/result.h"
#include "net/datagram_methods.h"
#include "net/file_descriptor.h"
#include "net/send_batch.h"

namespace alcove::net {

inline constexpr std::size_t kDatagramBatch = 64;

struct UdpCounters {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t receive_dropped =
      0;                           // longer than base::kMaxDatagram, empty, or of no usable address
  std::uint64_t send_dropped = 0;  // the system's buffer was full, or it refused
  std::uint64_t send_calls = 0;    // that sent something
  std::uint64_t sent_merged = 0;   // of those sent, in a message with others
  std::uint64_t received_merged = 0;  // of those received, in a message with others
};

// Memory for one recvmmsg. Large: one for each thread, not one for each socket.
class ReceiveBatch {
 public:
  // kGro suits all sockets, anything else only those that do not use it.
  explicit ReceiveBatch(ReceiveMethod method = ReceiveMethod::kAuto);
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  struct Datagram {
    base::Path path;
    base::Bytes bytes;
  };
  // What the last receive() got; valid until the next one.
  std::span<const Datagram> datagrams() const { return datagrams_; }

 private:
  friend class UdpSocket;
  static constexpr std::size_t kControlSize = 64 + CMSG_SPACE(sizeof(int));
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlSize> bytes;
  };
  void prepare();

  const std::size_t messages_;
  const std::size_t message_size_;
  std::unique_ptr<std::uint8_t[]> memory_;  // NOLINT(modernize-avoid-c-arrays): not to be zeroed
  std::array<Control, kDatagramBatch> controls_;
  std::array<sockaddr_storage, kDatagramBatch> names_;
  std::array<iovec, kDatagramBatch> vectors_;
  std::array<mmsghdr, kDatagramBatch> headers_;
  std::vector<Datagram> datagrams_;
};

class UdpSocket {
 public:
  struct Options {
    base::SocketAddress local;
    bool reuse_port = false;
    int buffer_size = 4 << 20;
    SendMethod sending = SendMethod::kAuto;
    ReceiveMethod receiving = ReceiveMethod::kAuto;
  };
  static base::Result<UdpSocket> open(const Options& options);

  int descriptor() const { return descriptor_.get(); }
  const base::SocketAddress& local() const { return local_; }
  const UdpCounters& counters() const { return counters_; }
  // Whether neighbours for one peer leave in one message: not once the system has refused it.
  bool merges() const { return merges_; }
  // Whether the batch for receive() must be one for kGro.
  bool uses_gro() const { return uses_gro_; }

  // What kDatagramBatch messages hold at most, without waiting. True when there may be more.
  bool receive(ReceiveBatch& batch);
  // Sends entries, neighbours of the queue, in order and in as few system calls as possible. May
  // wait a few milliseconds for room in the system's buffer, then drops the rest.
  void send(const base::DatagramQueue& queue, std::span<const base::DatagramQueue::Entry> entries);

 private:
  UdpSocket(FileDescriptor descriptor, base::SocketAddress local, SendMethod sending,
            bool uses_gro);
  void take_message(ReceiveBatch& batch, std::size_t index);
  struct SendResult {
    std::size_t sent = 0;  // datagrams
    int error = 0;         // of the first message, when nothing was sent
  };
  SendResult send_some(const base::DatagramQueue& queue,
                       std::span<const base::DatagramQueue::Entry> entries, bool merge);
  bool wait_writable();

  FileDescriptor descriptor_;
  base::SocketAddress local_;
  UdpCounters counters_;
  bool merges_ = false;
  bool uses_gro_ = false;
  std::unique_ptr<SendBatch> batch_;  // used again by each send()
};

}  // namespace alcove::net
