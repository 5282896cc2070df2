#pragma once
// Counts packets over a time whose length is not known beforehand: bins double as it grows. One
// thread.

#include "audit/report.h"

namespace alcove::audit {

class TimelineBuilder {
 public:
  static constexpr std::size_t kMaxBins = 240;

  // A packet from before the first one counts as at its time.
  void add(CaptureTime time, std::uint64_t bytes, bool denied, bool media);
  Timeline take();

 private:
  void double_bins();

  static constexpr std::chrono::nanoseconds kFirstBin = std::chrono::milliseconds(1);
  bool begun_ = false;
  Timeline timeline_{.begin = {}, .bin = kFirstBin, .bins = {}};
};

}  // namespace alcove::audit
