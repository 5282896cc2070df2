#pragma once
// Keeps the frames and secrets that a capture reader hands on.

#include <string>
#include <vector>

#include "audit/capture_reader.h"

namespace alcove::test {

struct CollectedFrame {
  std::uint64_t number = 0;
  audit::CaptureTime time;
  audit::LinkType link_type{};
  std::uint32_t interface = 0;
  base::Buffer bytes;
  std::uint32_t wire_length = 0;
  bool operator==(const CollectedFrame&) const = default;
  audit::Frame view() const { return {number, time, link_type, interface, bytes, wire_length}; }
};

class FrameCollector final : public audit::CaptureSink {
 public:
  void handle_frame(const audit::Frame& frame) override {
    frames.push_back({frame.number, frame.time, frame.link_type, frame.interface,
                      base::to_buffer(frame.bytes), frame.wire_length});
  }
  void handle_secrets(base::Bytes key_log) override { secrets += base::as_text(key_log); }

  std::vector<CollectedFrame> frames;
  std::string secrets;
};

}  // namespace alcove::test
