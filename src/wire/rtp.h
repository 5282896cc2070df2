#pragma once
// RTP packets: RFC 3550, section 5. Views point into the bytes that were parsed. Any thread.

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "wire/parse_error.h"

namespace alcove::wire {

inline constexpr std::size_t kRtpHeaderSize = 12;

// What a packet of ours has: no CSRC, no extension, no padding.
struct RtpFields {
  bool marker = false;
  std::uint8_t payload_type = 0;  // 7 bits
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  bool operator==(const RtpFields&) const = default;
};

struct RtpHeader {
  RtpFields fields;
  bool has_padding = false;
  std::uint8_t csrc_count = 0;
  bool has_extension = false;
  std::uint16_t extension_profile = 0;
  base::Bytes extension;  // without its four-byte header; a multiple of four bytes
  std::size_t size = 0;   // fixed part, CSRCs and extension: where the payload begins
};

struct RtpPacket {
  RtpHeader header;
  base::Bytes payload;  // without padding; may be empty
  std::size_t padding_size = 0;
};

// The header alone, of a packet that may be encrypted: SRTP leaves it clear, and its padding is not
// readable before decryption. Reads nothing behind the header.
Parsed<RtpHeader> parse_rtp_header(base::Bytes packet);

// A whole clear packet; padding is checked and taken off.
Parsed<RtpPacket> parse_rtp(base::Bytes packet);

// Writes the fixed header.
void write_rtp_header(std::span<std::uint8_t, kRtpHeaderSize> out, const RtpFields& fields);

}  // namespace alcove::wire
