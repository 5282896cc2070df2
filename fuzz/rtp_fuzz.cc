// RTP packets from anybody, before and after decryption.

#include <cstdlib>

#include "wire/demux.h"
#include "wire/rtp.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const base::Bytes bytes(data, size);
  const auto header = wire::parse_rtp_header(bytes);
  const auto packet = wire::parse_rtp(bytes);
  if (!header) {
    require(!packet);
    return 0;
  }
  require(header->size >= wire::kRtpHeaderSize && header->size <= size);
  require(wire::classify_packet(bytes) != wire::PacketKind::kUnknown);
  std::array<std::uint8_t, wire::kRtpHeaderSize> written{};
  wire::write_rtp_header(written, header->fields);
  const auto again = wire::parse_rtp_header(written);
  require(again && again->fields == header->fields);
  if (packet) require(header->size + packet->payload.size() + packet->padding_size == size);
  return 0;
}
