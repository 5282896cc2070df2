// TLS streams of a hostile capture whose session the key log knows: the first byte says which side
// sends next, pieces are of the length after it. The session's client random is 32 times 0x11.

#include <algorithm>

#include "audit/flow_table.h"
#include "audit/tls_decrypt.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  audit::Findings findings;
  audit::KeyLog keys;
  const std::string random = " " + std::string(64, '1') + " ";
  keys.add("CLIENT_RANDOM" + random + std::string(96, '2') + "\nCLIENT_TRAFFIC_SECRET_0" + random +
           std::string(64, '3') + "\nSERVER_HANDSHAKE_TRAFFIC_SECRET" + random +
           std::string(96, '4') + "\n");
  audit::TlsDecrypt decrypt(findings, keys);
  audit::FlowTable table({&decrypt});
  decrypt.set_flow_table(&table);
  audit::Packet packet;
  packet.source = {*base::IpAddress::parse("198.51.100.1"), 40'000};
  packet.destination = {*base::IpAddress::parse("203.0.113.1"), 443};
  packet.protocol = audit::ip_protocol::kTcp;
  std::array<std::uint32_t, 2> sequence{};
  std::size_t side = 0;
  base::ByteReader reader({data, size});
  while (const auto head = reader.read_u8()) {
    const auto length = reader.read_u16();
    if (!length) break;
    if ((*head & 1U) != side) {
      side ^= 1U;
      std::swap(packet.source, packet.destination);
    }
    packet.payload = *reader.read_bytes(std::min<std::size_t>(*length, reader.remaining()));
    packet.payload_length = static_cast<std::uint32_t>(packet.payload.size());
    if ((*head & 2U) != 0) sequence[side] += 100;  // a hole
    ++packet.number;
    packet.tcp_flags = 16;
    packet.sequence = sequence[side];
    sequence[side] += static_cast<std::uint32_t>(packet.payload.size());
    table.handle_packet(packet);
  }
  table.finish();
  return 0;
}
