#include "audit/timeline_builder.h"

#include <gtest/gtest.h>

namespace alcove::audit {
namespace {

using namespace std::chrono_literals;

std::uint64_t packets_of(const Timeline& timeline) {
  std::uint64_t packets = 0;
  for (const Timeline::Bin& bin : timeline.bins) packets += bin.packets;
  return packets;
}

TEST(TimelineBuilder, BinsDoubleAndLoseNothing) {
  TimelineBuilder builder;
  for (int i = 0; i < 100000; ++i)
    builder.add(CaptureTime(1790000000s + i * 10ms), 100, i % 1000 == 0, i % 2 == 0);
  const Timeline timeline = builder.take();
  EXPECT_LE(timeline.bins.size(), TimelineBuilder::kMaxBins);
  EXPECT_GE(timeline.bins.size(), TimelineBuilder::kMaxBins / 2);
  EXPECT_EQ(timeline.bin, 1ms * 8192);
  EXPECT_EQ(packets_of(timeline), 100000);
  std::uint64_t denied = 0, media = 0, bytes = 0;
  for (const Timeline::Bin& bin : timeline.bins) {
    denied += bin.denied_packets;
    media += bin.media_packets;
    bytes += bin.bytes;
  }
  EXPECT_EQ(denied, 100);
  EXPECT_EQ(media, 50000);
  EXPECT_EQ(bytes, 10'000'000);
  // Each bin has its own time's packets: 819 or 820 of them.
  for (std::size_t i = 0; i + 1 < timeline.bins.size(); ++i)
    EXPECT_NEAR(static_cast<double>(timeline.bins[i].packets), 819.2, 1);
}

TEST(TimelineBuilder, TimesThatRunBackCountAtTheBeginning) {
  TimelineBuilder builder;
  builder.add(CaptureTime(1790000000s), 1, false, false);
  builder.add(CaptureTime(1000s), 1, false, false);
  const Timeline timeline = builder.take();
  EXPECT_EQ(timeline.bins.size(), 1);
  EXPECT_EQ(packets_of(timeline), 2);
}

TEST(TimelineBuilder, TheWidestSpanThereIs) {
  TimelineBuilder builder;
  builder.add(CaptureTime::min(), 1, false, false);
  builder.add(CaptureTime::max(), 1, false, false);
  const Timeline timeline = builder.take();
  EXPECT_LE(timeline.bins.size(), TimelineBuilder::kMaxBins);
  EXPECT_EQ(packets_of(timeline), 2);
  EXPECT_GT(timeline.bin.count(), 0);
}

}  // namespace
}  // namespace alcove::audit
