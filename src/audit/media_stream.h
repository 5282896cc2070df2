#pragma once
// One stream of media, as found in a flow: RTP by its SSRC. A value. Any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "audit/flow.h"

namespace alcove::audit {

enum class Codec : std::uint8_t { kNone, kOpus, kPcmu, kPcma, kG722 };
enum class Protection : std::uint8_t {
  kUnknown,      // too few packets to say
  kNone,         // payloads decode
  kEncrypted,    // SRTP, by DTLS before it or by its payloads
  kOpenedInner,  // the hop's keys opened it: SFrame inside
  kOpenedPlain,  // the hop's keys opened it: plain audio inside
};

struct MediaStreamSummary {
  std::uint32_t flow = 0;
  Direction direction = Direction::kForward;
  std::uint32_t ssrc = 0;
  std::uint8_t payload_type = 0;
  std::uint64_t packets = 0;
  std::uint64_t first_packet = 0, last_packet = 0;
  CaptureTime first, last;
  Protection protection = Protection::kUnknown;
  Codec codec = Codec::kNone;
  bool speech = false;      // what was decoded sounds like speech
  double byte_entropy = 0;  // of payload bytes, bits a byte, over a sample
  double size_entropy = 0;  // of packet sizes, bits
  std::array<std::uint32_t, 64>
      sizes{};  // payload sizes in bins of 32 bytes; the last takes the rest
  std::uint32_t distinct_sizes = 0;
};

}  // namespace alcove::audit
