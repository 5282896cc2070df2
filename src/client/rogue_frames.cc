#include "client/rogue_frames.h"

#include <algorithm>

namespace alcove::client {

namespace {

// Seat 255 in the low bits of any epoch.
constexpr std::uint64_t kRogueKeyId = 255 << 4;

}  // namespace

RogueFrames::RogueFrames(base::RandomSource& random, std::size_t bucket)
    : bucket_(bucket), key_(random.bytes<16>(), kRogueKeyId) {}

std::optional<std::size_t> RogueFrames::seal(base::Bytes opus, base::MutableBytes out) {
  const std::size_t overhead =
      e2ee::sframe_header_size(kRogueKeyId, counter_) + e2ee::SFrameKey::kTagSize;
  base::Buffer plaintext(bucket_ - std::min(overhead, bucket_));
  if (opus.size() > plaintext.size()) {
    ++counters_.too_long;
    return std::nullopt;
  }
  std::ranges::copy(opus, plaintext.begin());
  const auto size = key_.seal(counter_, {}, plaintext, out);
  if (!size) return std::nullopt;
  ++counter_;
  ++counters_.sealed;
  return size;
}

}  // namespace alcove::client
