#pragma once
// Frames of the right size under a key that nobody has: what a listener that sends without a seat
// can make. For tests of such a listener (--send-anyway). One thread.

#include <cstdint>

#include "base/random.h"
#include "e2ee/frame_transform.h"
#include "e2ee/sframe.h"

namespace alcove::client {

class RogueFrames final : public e2ee::FrameTransform {
 public:
  // bucket: the size of every payload, at least 64.
  RogueFrames(base::RandomSource& random, std::size_t bucket);

  std::optional<std::size_t> seal(base::Bytes opus, base::MutableBytes out) override;
  std::expected<e2ee::OpenedFrame, e2ee::OpenFault> open(base::Bytes) override {
    return std::unexpected(e2ee::OpenFault::kDropped);
  }
  bool can_open(base::Bytes) const override { return false; }
  std::size_t sealed_size() const override { return bucket_; }
  const e2ee::FrameCounters& counters() const override { return counters_; }

 private:
  std::size_t bucket_;
  e2ee::SFrameKey key_;
  std::uint64_t counter_ = 0;
  e2ee::FrameCounters counters_;
};

}  // namespace alcove::client
