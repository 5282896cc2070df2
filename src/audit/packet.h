#pragma once
// An IP packet out of a frame: link layers, VLAN tags, IPv4 and IPv6 with extension headers,
// fragments put together, transport header. One thread.

#include <cstdint>
#include <memory>

#include "audit/frame.h"
#include "base/address.h"
#include "base/bytes.h"

namespace alcove::audit {

namespace ip_protocol {
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIcmp6 = 58;
}  // namespace ip_protocol

struct Packet {
  std::uint64_t number = 0;        // its frame; of fragments the last
  std::uint64_t first_number = 0;  // of fragments the first, else number
  CaptureTime time;
  // Of this frame's IP packet, headers included, as sent: the sum over all packets, fragments with
  // them, is what was on the wire.
  std::uint32_t wire_length = 0;
  base::SocketAddress source;  // ports 0 where the protocol has none, or they were cut off
  base::SocketAddress destination;
  std::uint8_t protocol = 0;  // after extension headers
  // Of the transport, as captured; valid during the call. Of a protocol that is not TCP or UDP all
  // that follows the IP headers.
  base::Bytes payload;
  std::uint32_t payload_length = 0;  // as sent; more than payload.size() where it was cut
  bool cut = false;                  // the payload was captured in part
  bool fragment = false;             // a fragment that was not put together: no ports, no payload
  // TCP
  std::uint32_t sequence = 0;
  std::uint8_t tcp_flags = 0;  // RFC 9293, 3.1: FIN 1, SYN 2, RST 4, PSH 8, ACK 16
};

class PacketDecoder {
 public:
  // Handles at most one packet a frame. Fragments are kept for 30 s of the capture's time, at most
  // 4 MiB in all, oldest dropped first; overlapping fragments drop the whole (RFC 5722), the same
  // fragment once more does not.
  struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t not_ip = 0;  // ARP and others
    std::uint64_t unknown_link_type = 0;
    std::uint64_t malformed = 0;  // with and without addresses that could be told
    std::uint64_t fragments = 0;
    std::uint64_t fragments_given_up = 0;
    std::uint64_t tunnelled = 0;  // GRE, IP in IP, ESP: packets as any, what is inside is not seen
  };
  PacketDecoder();
  ~PacketDecoder();
  PacketDecoder(const PacketDecoder&) = delete;
  PacketDecoder& operator=(const PacketDecoder&) = delete;

  // Null when there is no packet, or not yet. The packet is valid until the next call. Every
  // fragment that is not yet whole is returned, too, with fragment set: it went somewhere.
  const Packet* decode(const Frame& frame);
  const Counters& counters() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::audit
