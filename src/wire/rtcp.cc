#include "wire/rtcp.h"

#include <algorithm>

namespace alcove::wire {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kNackFormat = 1;

enum RtcpType : std::uint8_t {
  kSenderReport = 200,
  kReceiverReport = 201,
  kSourceDescription = 202,
  kGoodbye = 203,
  kTransportFeedback = 205,
};

constexpr std::uint8_t kSdesEnd = 0;
constexpr std::uint8_t kSdesCname = 1;

struct Part {
  std::uint8_t count = 0;  // or format
  std::uint8_t type = 0;
  base::Bytes body;  // behind the header, without padding
};

// Takes one packet off the compound.
Parsed<Part> next_part(base::ByteReader& reader) {
  const auto first = reader.read_u8();
  const auto type = reader.read_u8();
  const auto words = reader.read_u16();
  if (!words) return std::unexpected(ParseError::kTruncated);
  if (*first >> 6 != kVersion) return std::unexpected(ParseError::kBadMagic);
  auto body = reader.read_bytes(std::size_t{4} * *words);
  if (!body) return std::unexpected(ParseError::kTruncated);
  if ((*first & 0x20) != 0) {
    // Only the last packet of a compound is padded (RFC 3550, section 6.4.1), by a multiple of
    // four.
    const std::size_t padding = body->empty() ? 0 : body->back();
    if (padding == 0 || padding % 4 != 0 || padding > body->size() || !reader.empty())
      return std::unexpected(ParseError::kBadPadding);
    body = body->first(body->size() - padding);
  }
  return Part{static_cast<std::uint8_t>(*first & 0x1f), *type, *body};
}

Parsed<ReportBlocks> read_blocks(base::ByteReader& reader, std::size_t count) {
  // Profile-specific extensions may follow the blocks.
  const auto bytes = reader.read_bytes(count * ReportBlocks::kBlockSize);
  if (!bytes) return std::unexpected(ParseError::kBadLength);
  return ReportBlocks(*bytes);
}

Parsed<RtcpPacket> parse_sender_report(const Part& part) {
  base::ByteReader reader(part.body);
  SenderReport report;
  const auto ssrc = reader.read_u32();
  const auto ntp = reader.read_u64();
  const auto rtp_timestamp = reader.read_u32();
  const auto packets = reader.read_u32();
  const auto octets = reader.read_u32();
  if (!octets) return std::unexpected(ParseError::kBadLength);
  report.sender = {*ssrc, *ntp, *rtp_timestamp, *packets, *octets};
  const auto blocks = read_blocks(reader, part.count);
  if (!blocks) return std::unexpected(blocks.error());
  report.blocks = *blocks;
  return report;
}

Parsed<RtcpPacket> parse_receiver_report(const Part& part) {
  base::ByteReader reader(part.body);
  const auto ssrc = reader.read_u32();
  if (!ssrc) return std::unexpected(ParseError::kBadLength);
  const auto blocks = read_blocks(reader, part.count);
  if (!blocks) return std::unexpected(blocks.error());
  return ReceiverReport{*ssrc, *blocks};
}

Parsed<RtcpPacket> parse_goodbye(const Part& part) {
  base::ByteReader reader(part.body);
  const auto ssrcs = reader.read_bytes(std::size_t{4} * part.count);
  if (!ssrcs) return std::unexpected(ParseError::kBadLength);
  return Goodbye{*ssrcs};
}

Parsed<RtcpPacket> parse_nack(const Part& part) {
  base::ByteReader reader(part.body);
  const auto sender = reader.read_u32();
  const auto media = reader.read_u32();
  // At least one entry must be there (RFC 4585, section 6.2.1).
  if (!media || reader.remaining() < 4) return std::unexpected(ParseError::kBadLength);
  return Nack{*sender, *media, reader.rest()};
}

// One chunk: an SSRC, then items up to a zero, then zeros up to a multiple of four bytes.
Parsed<SourceName> read_chunk(base::ByteReader& reader) {
  const auto ssrc = reader.read_u32();
  if (!ssrc) return std::unexpected(ParseError::kBadLength);
  SourceName name{.ssrc = *ssrc, .cname = {}};
  for (;;) {
    const auto type = reader.read_u8();
    if (!type) return std::unexpected(ParseError::kBadLength);
    if (*type == kSdesEnd) break;
    const auto length = reader.read_u8();
    if (!length) return std::unexpected(ParseError::kBadLength);
    const auto value = reader.read_bytes(*length);
    if (!value) return std::unexpected(ParseError::kBadLength);
    if (*type == kSdesCname) name.cname = base::as_text(*value);
  }
  if (!reader.skip((4 - reader.position() % 4) % 4)) return std::unexpected(ParseError::kBadLength);
  return name;
}

std::expected<void, ParseError> parse_names(const Part& part, RtcpCompound& compound) {
  base::ByteReader reader(part.body);
  for (std::size_t i = 0; i < part.count; ++i) {
    const Parsed<SourceName> name = read_chunk(reader);
    if (!name) return std::unexpected(name.error());
    if (name->cname.empty()) continue;
    if (compound.size() == kMaxRtcpPackets) return std::unexpected(ParseError::kTooMany);
    compound.emplace_back(*name);
  }
  return {};
}

std::optional<Parsed<RtcpPacket>> parse_part(const Part& part) {
  switch (part.type) {
    case kSenderReport:
      return parse_sender_report(part);
    case kReceiverReport:
      return parse_receiver_report(part);
    case kGoodbye:
      return parse_goodbye(part);
    case kTransportFeedback:
      if (part.count == kNackFormat) return parse_nack(part);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

ReportBlock ReportBlocks::operator[](std::size_t index) const {
  CHECK(index < size());
  base::ByteReader reader(bytes_.subspan(index * kBlockSize, kBlockSize));
  ReportBlock block;
  block.ssrc = *reader.read_u32();
  block.fraction_lost = *reader.read_u8();
  const auto lost = static_cast<std::int32_t>(*reader.read_u24());
  block.cumulative_lost = lost >= 0x800000 ? lost - 0x1000000 : lost;
  block.highest_sequence = *reader.read_u32();
  block.jitter = *reader.read_u32();
  block.last_sender_report = *reader.read_u32();
  block.delay_since_sender_report = *reader.read_u32();
  return block;
}

std::optional<ReportBlock> ReportBlocks::find(std::uint32_t ssrc) const {
  for (std::size_t i = 0; i < size(); ++i) {
    const ReportBlock block = (*this)[i];
    if (block.ssrc == ssrc) return block;
  }
  return std::nullopt;
}

std::uint32_t Goodbye::operator[](std::size_t index) const {
  CHECK(index < size());
  return *base::ByteReader(ssrcs.subspan(index * 4, 4)).read_u32();
}

Parsed<RtcpCompound> parse_rtcp(base::Bytes bytes) {
  base::ByteReader reader(bytes);
  RtcpCompound compound;
  do {
    const Parsed<Part> part = next_part(reader);
    if (!part) return std::unexpected(part.error());
    if (part->type == kSourceDescription) {
      const auto names = parse_names(*part, compound);
      if (!names) return std::unexpected(names.error());
      continue;
    }
    const auto packet = parse_part(*part);
    if (!packet) continue;
    if (!*packet) return std::unexpected(packet->error());
    if (compound.size() == kMaxRtcpPackets) return std::unexpected(ParseError::kTooMany);
    compound.push_back(**packet);
  } while (!reader.empty());
  return compound;
}

std::optional<std::uint32_t> rtcp_sender_ssrc(base::Bytes bytes) {
  base::ByteReader reader(bytes);
  if (!reader.skip(kRtcpHeaderSize)) return std::nullopt;
  return reader.read_u32();
}

void RtcpWriter::add_header(std::size_t count, std::uint8_t type, std::size_t size) {
  CHECK(count <= kMaxReportBlocks && size % 4 == 0);
  writer_.write_u8(static_cast<std::uint8_t>(kVersion << 6 | count));
  writer_.write_u8(type);
  writer_.write_u16(static_cast<std::uint16_t>(size / 4 - 1));
}

void RtcpWriter::add_blocks(std::span<const ReportBlock> blocks) {
  constexpr std::int32_t kMostLost = 0x7fffff;
  for (const ReportBlock& block : blocks) {
    const std::int32_t lost = std::clamp(block.cumulative_lost, -kMostLost - 1, kMostLost);
    writer_.write_u32(block.ssrc);
    writer_.write_u8(block.fraction_lost);
    writer_.write_u24(static_cast<std::uint32_t>(lost) & 0xffffff);
    writer_.write_u32(block.highest_sequence);
    writer_.write_u32(block.jitter);
    writer_.write_u32(block.last_sender_report);
    writer_.write_u32(block.delay_since_sender_report);
  }
}

void RtcpWriter::add_sender_report(const SenderInfo& sender, std::span<const ReportBlock> blocks) {
  constexpr std::size_t kSenderReportSize = 28;
  add_header(blocks.size(), kSenderReport,
             kSenderReportSize + blocks.size() * ReportBlocks::kBlockSize);
  writer_.write_u32(sender.ssrc);
  writer_.write_u64(sender.ntp);
  writer_.write_u32(sender.rtp_timestamp);
  writer_.write_u32(sender.packet_count);
  writer_.write_u32(sender.octet_count);
  add_blocks(blocks);
}

void RtcpWriter::add_receiver_report(std::uint32_t ssrc, std::span<const ReportBlock> blocks) {
  constexpr std::size_t kReceiverReportSize = 8;
  add_header(blocks.size(), kReceiverReport,
             kReceiverReportSize + blocks.size() * ReportBlocks::kBlockSize);
  writer_.write_u32(ssrc);
  add_blocks(blocks);
}

void RtcpWriter::add_source_names(std::span<const SourceName> names) {
  // SSRC, type, length, name, and at least one zero up to a multiple of four.
  const auto chunk_size = [](const SourceName& name) {
    return (4 + 2 + name.cname.size()) / 4 * 4 + 4;
  };
  std::size_t size = kRtcpHeaderSize;
  for (const SourceName& name : names) size += chunk_size(name);
  add_header(names.size(), kSourceDescription, size);
  for (const SourceName& name : names) {
    CHECK(name.cname.size() <= 255);
    writer_.write_u32(name.ssrc);
    writer_.write_u8(kSdesCname);
    writer_.write_u8(static_cast<std::uint8_t>(name.cname.size()));
    writer_.write_bytes(base::as_bytes(name.cname));
    writer_.write_zeros(chunk_size(name) - 6 - name.cname.size());
  }
}

void RtcpWriter::add_nack(std::uint32_t sender_ssrc, std::uint32_t media_ssrc,
                          std::span<const std::uint16_t> lost) {
  CHECK(!lost.empty());
  const std::size_t start = writer_.size();
  add_header(kNackFormat, kTransportFeedback, kRtcpHeaderSize);
  writer_.write_u32(sender_ssrc);
  writer_.write_u32(media_ssrc);
  for (std::size_t i = 0; i < lost.size();) {
    const std::uint16_t first = lost[i++];
    std::uint32_t mask = 0;
    for (; i < lost.size(); ++i) {
      const auto ahead = static_cast<std::uint16_t>(lost[i] - first);
      if (ahead == 0 || ahead > 16) break;
      mask |= 1U << (ahead - 1);
    }
    writer_.write_u16(first);
    writer_.write_u16(static_cast<std::uint16_t>(mask));
  }
  if (!writer_.ok()) return;
  writer_.patch_u16(start + 2, static_cast<std::uint16_t>((writer_.size() - start) / 4 - 1));
}

void RtcpWriter::add_goodbye(std::uint32_t ssrc) {
  constexpr std::size_t kGoodbyeSize = 8;
  add_header(1, kGoodbye, kGoodbyeSize);
  writer_.write_u32(ssrc);
}

base::Bytes RtcpWriter::finish() const { return writer_.ok() ? writer_.written() : base::Bytes{}; }

}  // namespace alcove::wire
