#pragma once
// SFrame (RFC 9605) inside of payloads: headers that parse, one key for many frames, counters that
// grow, and a body in which there is nothing to read. Any thread.

#include <cstdint>
#include <optional>

#include "audit/payload_sample.h"
#include "base/bytes.h"

namespace alcove::audit {

struct SFrameFields {
  std::uint64_t key_id = 0;
  std::uint64_t counter = 0;
  std::size_t size = 0;  // of the header
};
// Section 4.3. nullopt when it does not fit or is not the shortest form.
std::optional<SFrameFields> read_sframe_header(base::Bytes frame);

// At least 20 frames of which nearly all have such headers, in order. Whether the bodies are random
// is for the caller: the sample without its headers is at bodies.
bool looks_like_sframe(const PayloadSample& sample, PayloadSample& bodies);

}  // namespace alcove::audit
