#pragma once
// RTCP packets: RFC 3550, section 6, and the generic NACK of RFC 4585, section 6.2.1. Views point
// into the bytes that were parsed (decrypted, without the SRTCP trailer). Any thread.

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "wire/ntp.h"
#include "wire/parse_error.h"

namespace alcove::wire {

inline constexpr std::size_t kMaxRtcpPackets = 32;   // in one compound
inline constexpr std::size_t kMaxReportBlocks = 31;  // RC has five bits
inline constexpr std::size_t kRtcpHeaderSize = 4;

struct ReportBlock {
  std::uint32_t ssrc = 0;                       // the source that is reported on
  std::uint8_t fraction_lost = 0;               // of 256, since the last report
  std::int32_t cumulative_lost = 0;             // 24 bits, signed
  std::uint32_t highest_sequence = 0;           // cycles in the upper 16 bits
  std::uint32_t jitter = 0;                     // in timestamp units
  std::uint32_t last_sender_report = 0;         // ntp_middle of it; 0 when none was received
  std::uint32_t delay_since_sender_report = 0;  // ntp duration
  bool operator==(const ReportBlock&) const = default;
};

// At most kMaxReportBlocks, decoded on access.
class ReportBlocks {
 public:
  static constexpr std::size_t kBlockSize = 24;
  ReportBlocks() = default;
  explicit ReportBlocks(base::Bytes bytes) : bytes_(bytes) {}  // a multiple of kBlockSize
  std::size_t size() const { return bytes_.size() / kBlockSize; }
  bool empty() const { return bytes_.empty(); }
  ReportBlock operator[](std::size_t index) const;  // index < size()
  std::optional<ReportBlock> find(std::uint32_t ssrc) const;

 private:
  base::Bytes bytes_;
};

struct SenderInfo {
  std::uint32_t ssrc = 0;
  std::uint64_t ntp = 0;
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packet_count = 0;
  std::uint32_t octet_count = 0;
  bool operator==(const SenderInfo&) const = default;
};

struct SenderReport {
  SenderInfo sender;
  ReportBlocks blocks;
};

struct ReceiverReport {
  std::uint32_t ssrc = 0;
  ReportBlocks blocks;
};

// One chunk of an SDES packet that has a CNAME; other items are skipped.
struct SourceName {
  std::uint32_t ssrc = 0;
  std::string_view cname;  // at most 255 bytes, not checked to be UTF-8
  bool operator==(const SourceName&) const = default;
};

struct Goodbye {
  base::Bytes ssrcs;  // four bytes each
  std::size_t size() const { return ssrcs.size() / 4; }
  std::uint32_t operator[](std::size_t index) const;  // index < size()
};

struct Nack {
  std::uint32_t sender_ssrc = 0;
  std::uint32_t media_ssrc = 0;
  base::Bytes entries;  // four bytes each: packet id, bit mask of the 16 that follow it

  // Calls visit(sequence) for each lost packet, at most limit times.
  template <typename Visitor>
  void for_each_lost(std::size_t limit, Visitor&& visit) const {
    base::ByteReader reader(entries);
    while (const auto entry = reader.read_u32()) {
      const auto first = static_cast<std::uint16_t>(*entry >> 16);
      for (std::uint32_t bit = 0; bit <= 16; ++bit) {
        if (bit != 0 && (*entry >> (bit - 1) & 1) == 0) continue;
        if (limit-- == 0) return;
        visit(static_cast<std::uint16_t>(first + bit));
      }
    }
  }
};

using RtcpPacket = std::variant<SenderReport, ReceiverReport, SourceName, Goodbye, Nack>;
// In the order of the bytes; an SDES packet gives one item for each chunk.
using RtcpCompound = boost::container::static_vector<RtcpPacket, kMaxRtcpPackets>;

// A compound or reduced-size (RFC 5506) packet; the first part need not be a report. Every part
// must be well-formed as far as its header; parts of other types are skipped.
Parsed<RtcpCompound> parse_rtcp(base::Bytes bytes);

// The SSRC of the sender, which SRTCP keeps clear (RFC 3711, section 3.4): for looking up the
// source.
std::optional<std::uint32_t> rtcp_sender_ssrc(base::Bytes bytes);

// Writes one compound packet, part by part, into a buffer of the caller's.
class RtcpWriter {
 public:
  explicit RtcpWriter(base::MutableBytes buffer) : writer_(buffer) {}

  // At most kMaxReportBlocks blocks.
  void add_sender_report(const SenderInfo& sender, std::span<const ReportBlock> blocks);
  void add_receiver_report(std::uint32_t ssrc, std::span<const ReportBlock> blocks);
  // One SDES packet; at most 31 names of at most 255 bytes.
  void add_source_names(std::span<const SourceName> names);
  // lost in ascending order modulo 2^16, without repetition; neighbours share an entry.
  void add_nack(std::uint32_t sender_ssrc, std::uint32_t media_ssrc,
                std::span<const std::uint16_t> lost);
  void add_goodbye(std::uint32_t ssrc);
  // The packet, in the buffer; empty when it did not fit.
  [[nodiscard]] base::Bytes finish() const;

 private:
  void add_header(std::size_t count, std::uint8_t type, std::size_t size);
  void add_blocks(std::span<const ReportBlock> blocks);

  base::ByteWriter writer_;
};

}  // namespace alcove::wire
