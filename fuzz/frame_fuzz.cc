// Opens arbitrary payloads in a bucket of 160 and in one that fits; what opens must seal to the
// same bytes.

#include <algorithm>
#include <cstdint>

#include "e2ee/frame_transform.h"

namespace {

void open_and_seal_again(std::size_t bucket, alcove::base::Bytes payload) {
  alcove::e2ee::PaddedFrames frames(bucket);
  const auto opened = frames.open(payload);
  if (!opened) return;
  frames.set_seat(opened->seat);
  alcove::base::Buffer again(bucket);
  CHECK(frames.seal(opened->opus, again) == bucket);
  CHECK(std::ranges::equal(again, payload));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using alcove::e2ee::PaddedFrames;
  open_and_seal_again(160, {data, size});
  open_and_seal_again(std::clamp(size, PaddedFrames::kMinBucket, PaddedFrames::kMaxBucket),
                      {data, size});
  return 0;
}
