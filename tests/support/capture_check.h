#pragma once
// Reads a capture whole and in pieces: both must give the same frames and the same counts.

#include <algorithm>
#include <cstdlib>

#include "audit/capture_reader.h"
#include "support/frame_collector.h"

namespace alcove::fuzz {

inline void require(bool condition) {
  if (!condition) std::abort();
}

struct CaptureReading {
  test::FrameCollector collected;
  audit::CaptureReader::Counters counters;
  bool good = true;
};

inline CaptureReading read_capture(base::Bytes file, std::size_t piece) {
  CaptureReading reading;
  audit::CaptureReader reader(reading.collected);
  while (reading.good && !file.empty()) {
    const base::Buffer part = base::to_buffer(file.first(std::min(piece, file.size())));
    reading.good = reader.feed(part).has_value();
    file = file.subspan(part.size());
  }
  reading.good = reader.finish().has_value() && reading.good;
  reading.counters = reader.counters();
  return reading;
}

inline void check_capture(base::Bytes file) {
  const CaptureReading whole = read_capture(file, std::max<std::size_t>(file.size(), 1));
  require(whole.collected.frames.size() == whole.counters.frames);
  std::size_t bytes = 0;
  for (const test::CollectedFrame& frame : whole.collected.frames) {
    bytes += frame.bytes.size();
    require(frame.wire_length >= frame.bytes.size());
    constexpr std::int64_t kFar = std::int64_t{1} << 62;
    const std::int64_t time = frame.time.time_since_epoch().count();
    require(time >= -kFar && time <= kFar);
  }
  require(bytes <= file.size());
  for (const std::size_t piece : {1, 7, 64}) {
    const CaptureReading pieces = read_capture(file, piece);
    require(pieces.good == whole.good);
    require(pieces.collected.frames == whole.collected.frames);
    require(pieces.collected.secrets == whole.collected.secrets);
    require(pieces.counters.bad_blocks == whole.counters.bad_blocks);
    require(pieces.counters.dropped_by_capture == whole.counters.dropped_by_capture);
    require(pieces.counters.ended_early == whole.counters.ended_early);
  }
}

}  // namespace alcove::fuzz
