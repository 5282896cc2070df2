#pragma once
// Captures for tests: packets with right lengths and checksums, as frames or as a pcap file. The
// addresses are those of tests/support/geo.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/frame.h"
#include "base/address.h"
#include "base/bytes.h"

namespace alcove::test {

inline base::SocketAddress at(std::string_view ip, std::uint16_t port) {
  return {*base::IpAddress::parse(ip), port};
}

// The bytes of one IP packet.
base::Buffer ip_packet(const base::IpAddress& source, const base::IpAddress& destination,
                       std::uint8_t protocol, base::Bytes transport);
base::Buffer udp_packet(const base::SocketAddress& source, const base::SocketAddress& destination,
                        base::Bytes payload);
base::Buffer tcp_packet(const base::SocketAddress& source, const base::SocketAddress& destination,
                        std::uint32_t sequence, std::uint32_t acknowledged, std::uint8_t flags,
                        base::Bytes payload);

// Frames in the order they are added, 1 ms apart unless told.
class CaptureBuilder {
 public:
  explicit CaptureBuilder(audit::LinkType link_type = audit::LinkType::kEthernet)
      : link_type_(link_type) {}

  // Each returns the number of the frame.
  std::uint64_t ip(base::Bytes packet);
  std::uint64_t udp(const base::SocketAddress& source, const base::SocketAddress& destination,
                    base::Bytes payload) {
    return ip(udp_packet(source, destination, payload));
  }
  std::uint64_t udp(const base::SocketAddress& source, const base::SocketAddress& destination,
                    std::string_view payload) {
    return udp(source, destination, base::as_bytes(payload));
  }
  std::uint64_t raw(base::Bytes frame);

  // A TCP connection: SYN, SYN+ACK, ACK; then data of either side; then FIN both ways.
  class Tcp {
   public:
    Tcp(CaptureBuilder& builder, const base::SocketAddress& client,
        const base::SocketAddress& server);
    // One segment; at most 1,400 bytes each are sent, so more than that is several. Returns the
    // first one's number.
    std::uint64_t send(base::Bytes bytes);     // client to server
    std::uint64_t receive(base::Bytes bytes);  // server to client
    std::uint64_t send(std::string_view text) { return send(base::as_bytes(text)); }
    std::uint64_t receive(std::string_view text) { return receive(base::as_bytes(text)); }
    void close();

   private:
    std::uint64_t segments(bool forward, base::Bytes bytes);
    CaptureBuilder& builder_;
    base::SocketAddress client_, server_;
    std::uint32_t client_next_ = 1000, server_next_ = 5000;
  };

  void wait(std::chrono::nanoseconds time) { time_ += time; }
  void set_step(std::chrono::nanoseconds step) { step_ = step; }
  audit::CaptureTime now() const { return time_; }

  std::size_t size() const { return frames_.size(); }
  // Valid as long as this and until the next addition.
  std::vector<audit::Frame> frames() const;
  // A pcap file, nanoseconds, little-endian.
  base::Buffer pcap() const;

 private:
  struct Stored {
    audit::CaptureTime time;
    base::Buffer bytes;
  };
  audit::LinkType link_type_;
  audit::CaptureTime time_{std::chrono::seconds(1790000000)};
  std::chrono::nanoseconds step_ = std::chrono::milliseconds(1);
  std::vector<Stored> frames_;
};

}  // namespace alcove::test
