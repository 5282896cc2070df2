#pragma once
// Which codec a stream of payloads is in, if it can be read at all. Decoding alone proves nothing:
// an Opus decoder takes nearly any bytes, and every byte is a G.711 or G.722 code. So a stream is
// called readable only when its bytes are not random (payload_structure.h) where the codec must
// have structure, its clock fits the codec's, and, for G.711 and G.722, the decoded signal hangs
// together. Any thread.

#include <optional>

#include "audit/media_stream.h"
#include "audit/payload_sample.h"
#include "audit/payload_structure.h"
#include "audit/speech_test.h"

namespace alcove::audit {

struct Recognition {
  Codec codec = Codec::kNone;
  SpeechMeasures speech;
  PayloadStructure structure;
  double opus_head = 0;  // deviations, as PayloadStructure::head, of Opus frames' first bits
  // Enough was seen to call the payloads random or structured.
  bool enough = false;
  bool random = false;  // nothing but headers in it: encrypted
};

inline constexpr std::size_t kLeastPackets = 20;

Recognition recognize_codec(const PayloadSample& sample, std::uint8_t payload_type);

// The timestamp step that most neighbours in sequence have; 0 when there is none.
struct ClockStep {
  std::uint32_t units = 0;
  double share = 0;
};
ClockStep usual_clock_step(const PayloadSample& sample);

}  // namespace alcove::audit
