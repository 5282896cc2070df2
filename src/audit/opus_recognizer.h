#pragma once
// Opus packets (RFC 6716) in a sample. Private to codec_recognizer.cc and its tests. Any thread.

#include <cstdint>
#include <vector>

#include "audit/payload_sample.h"

namespace alcove::audit {

struct OpusEvidence {
  // Share of packets that have the form of section 3 and last as long as the RTP clock (48 kHz,
  // RFC 7587) says, and are of one of the two commonest configurations' bandwidth classes.
  double plausible = 0;
  double head = 0;  // deviations of the frames' first bits from random
};
OpusEvidence examine_opus(const PayloadSample& sample);

// 8,000 samples a second, mono.
std::vector<std::int16_t> decode_opus(const PayloadSample& sample);

}  // namespace alcove::audit
