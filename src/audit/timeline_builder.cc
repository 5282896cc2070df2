#include "audit/timeline_builder.h"

#include <utility>

namespace alcove::audit {

void TimelineBuilder::add(CaptureTime time, std::uint64_t bytes, bool denied, bool media) {
  if (!begun_) timeline_.begin = time;
  begun_ = true;
  // Unsigned: two times of a hostile capture can be further apart than a signed difference holds.
  const auto count = [](CaptureTime t) {
    return static_cast<std::uint64_t>(t.time_since_epoch().count());
  };
  const std::uint64_t since = time <= timeline_.begin ? 0 : count(time) - count(timeline_.begin);
  while (since / static_cast<std::uint64_t>(timeline_.bin.count()) >= kMaxBins) double_bins();
  const std::size_t index = since / static_cast<std::uint64_t>(timeline_.bin.count());
  if (index >= timeline_.bins.size()) timeline_.bins.resize(index + 1);
  Timeline::Bin& bin = timeline_.bins[index];
  ++bin.packets;
  bin.bytes += bytes;
  if (denied) ++bin.denied_packets;
  if (media) ++bin.media_packets;
}

void TimelineBuilder::double_bins() {
  std::vector<Timeline::Bin>& bins = timeline_.bins;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const Timeline::Bin bin = std::exchange(bins[i], {});
    Timeline::Bin& into = bins[i / 2];
    into.packets += bin.packets;
    into.bytes += bin.bytes;
    into.denied_packets += bin.denied_packets;
    into.media_packets += bin.media_packets;
  }
  bins.resize((bins.size() + 1) / 2);
  timeline_.bin *= 2;
}

Timeline TimelineBuilder::take() { return std::move(timeline_); }

}  // namespace alcove::audit
