// Datagrams and pieces of streams into the inspector of media: [length u8, kind u8, bytes] each,
// repeated, so that a few bytes become a stream of packets.

#include <algorithm>
#include <cstdlib>

#include "audit/flow_table.h"
#include "audit/media_inspector.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  audit::Findings findings;
  audit::KeyLog keys;
  keys.add("CLIENT_RANDOM " + std::string(64, '1') + " " + std::string(96, '2'));
  audit::MediaInspector inspector(findings, keys);
  audit::FlowTable table({&inspector});
  const auto address = [](const char* ip, std::uint16_t port) {
    return base::SocketAddress{*base::IpAddress::parse(ip), port};
  };
  audit::Packet packet;
  packet.source = address("198.51.100.1", 4000);
  packet.destination = address("203.0.113.1", 4001);
  std::uint32_t tcp_sequence = 0;
  base::ByteReader reader({data, size});
  while (const auto length = reader.read_u8()) {
    const auto kind = reader.read_u8();
    if (!kind) break;
    base::Buffer bytes =
        base::to_buffer(*reader.read_bytes(std::min<std::size_t>(*length, reader.remaining())));
    const bool tcp = (*kind & 1) != 0;
    packet.protocol = tcp ? audit::ip_protocol::kTcp : audit::ip_protocol::kUdp;
    packet.tcp_flags = 16;
    if ((*kind & 2) != 0) std::swap(packet.source, packet.destination);
    for (int i = 0; i <= (*kind & 0x7c); ++i) {
      ++packet.number;
      packet.time += std::chrono::milliseconds(20);
      packet.payload = bytes;
      packet.payload_length = static_cast<std::uint32_t>(packet.payload.size());
      packet.wire_length = static_cast<std::uint32_t>(bytes.size()) + 28;
      packet.sequence = tcp_sequence;
      if (tcp) tcp_sequence += static_cast<std::uint32_t>(bytes.size());
      table.handle_packet(packet);
      // The next packet of the same source.
      if (bytes.size() >= 12) {
        if (++bytes[3] == 0) ++bytes[2];
        bytes[6] = static_cast<std::uint8_t>(bytes[6] + 4);
        bytes.back() = static_cast<std::uint8_t>(bytes.back() * 5 + 1);
      }
    }
    if (packet.number > 20'000) break;
  }
  table.finish();
  if (inspector.summaries().size() > audit::MediaInspector::kMaxSummaries) std::abort();
  return 0;
}
