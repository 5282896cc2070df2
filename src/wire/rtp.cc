#include "wire/rtp.h"

namespace alcove::wire {
namespace {

constexpr std::uint8_t kVersion = 2;

}  // namespace

Parsed<RtpHeader> parse_rtp_header(base::Bytes packet) {
  if (packet.size() < kRtpHeaderSize) return std::unexpected(ParseError::kTruncated);
  if (packet[0] >> 6 != kVersion) return std::unexpected(ParseError::kBadMagic);
  base::ByteReader reader(packet);
  const std::uint8_t first = *reader.read_u8();
  const std::uint8_t second = *reader.read_u8();
  RtpHeader header;
  header.has_padding = (first & 0x20) != 0;
  header.has_extension = (first & 0x10) != 0;
  header.csrc_count = first & 0x0f;
  header.fields.marker = (second & 0x80) != 0;
  header.fields.payload_type = second & 0x7f;
  header.fields.sequence = *reader.read_u16();
  header.fields.timestamp = *reader.read_u32();
  header.fields.ssrc = *reader.read_u32();
  if (!reader.skip(std::size_t{4} * header.csrc_count))
    return std::unexpected(ParseError::kTruncated);
  if (header.has_extension) {
    const auto profile = reader.read_u16();
    const auto words = reader.read_u16();
    if (!words) return std::unexpected(ParseError::kTruncated);
    const auto extension = reader.read_bytes(std::size_t{4} * *words);
    if (!extension) return std::unexpected(ParseError::kTruncated);
    header.extension_profile = *profile;
    header.extension = *extension;
  }
  header.size = reader.position();
  return header;
}

Parsed<RtpPacket> parse_rtp(base::Bytes packet) {
  const Parsed<RtpHeader> header = parse_rtp_header(packet);
  if (!header) return std::unexpected(header.error());
  RtpPacket result{.header = *header, .payload = packet.subspan(header->size), .padding_size = 0};
  if (!header->has_padding) return result;
  // The last byte counts the padding, itself included.
  const std::size_t padding = result.payload.empty() ? 0 : result.payload.back();
  if (padding == 0 || padding > result.payload.size())
    return std::unexpected(ParseError::kBadPadding);
  result.padding_size = padding;
  result.payload = result.payload.first(result.payload.size() - padding);
  return result;
}

void write_rtp_header(std::span<std::uint8_t, kRtpHeaderSize> out, const RtpFields& fields) {
  base::ByteWriter writer(out);
  writer.write_u8(kVersion << 6);
  writer.write_u8(
      static_cast<std::uint8_t>((fields.marker ? 0x80 : 0) | (fields.payload_type & 0x7f)));
  writer.write_u16(fields.sequence);
  writer.write_u32(fields.timestamp);
  writer.write_u32(fields.ssrc);
}

}  // namespace alcove::wire
