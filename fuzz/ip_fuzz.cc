// IP packets, one after the other, fragments among them: two bytes of length, two of what is added
// to the length on the wire, then the packet. What is decoded goes into flows.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "audit/flow_table.h"
#include "audit/packet.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  audit::PacketDecoder decoder;
  audit::FlowTable table({});
  base::ByteReader reader({data, size});
  audit::Frame frame;
  frame.link_type = audit::LinkType::kRaw;
  while (const auto length = reader.read_u16()) {
    const std::uint32_t more = reader.read_u16().value_or(0);
    const base::Buffer bytes =
        base::to_buffer(*reader.read_bytes(std::min<std::size_t>(*length, reader.remaining())));
    ++frame.number;
    frame.time += std::chrono::milliseconds(more);
    frame.bytes = bytes;
    frame.wire_length = static_cast<std::uint32_t>(bytes.size()) + more;
    const audit::Packet* packet = decoder.decode(frame);
    if (packet == nullptr) continue;
    table.handle_packet(*packet);
    require(packet->number == frame.number && packet->first_number <= packet->number);
    require(packet->payload.size() <= packet->payload_length);
    require(packet->cut == (packet->payload.size() < packet->payload_length) || packet->fragment);
    require(!packet->fragment || (packet->payload.empty() && packet->source.port == 0));
    require(packet->payload_length <= (1U << 20));
  }
  table.finish();
  const auto& counters = decoder.counters();
  require(counters.packets <= frame.number && counters.fragments <= counters.packets);
  require(counters.fragments_given_up <= counters.fragments);
  return 0;
}
