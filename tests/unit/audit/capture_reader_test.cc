#include "audit/capture_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "support/capture_builder.h"
#include "support/frame_collector.h"
#include "support/pcapng_builder.h"

namespace alcove::audit {
namespace {

using namespace std::chrono_literals;
using test::FrameCollector;
using test::PcapngBuilder;
using testing::HasSubstr;

const base::Buffer kFrame = {1, 2, 3, 4, 5};

CaptureTime at(std::chrono::nanoseconds since) { return CaptureTime(since); }

struct Reading {
  FrameCollector collected;
  CaptureReader::Counters counters;
  std::string format;
  std::string error;
};

Reading read(base::Bytes file, std::size_t piece = 1 << 20) {
  Reading reading;
  CaptureReader reader(reading.collected);
  while (!file.empty() && reading.error.empty()) {
    const base::Bytes part = file.first(std::min(piece, file.size()));
    // A copy of exactly this size: what is kept beyond the call would be found.
    const base::Buffer copy = base::to_buffer(part);
    if (const auto result = reader.feed(copy); !result) reading.error = result.error().message;
    file = file.subspan(part.size());
  }
  if (reading.error.empty())
    if (const auto result = reader.finish(); !result) reading.error = result.error().message;
  reading.counters = reader.counters();
  reading.format = reader.format();
  return reading;
}

// A pcap file of one record in either byte order.
base::Buffer pcap(std::uint32_t magic, bool big, std::uint32_t fraction, std::uint32_t captured,
                  std::uint32_t sent, std::uint16_t version = 2) {
  base::Buffer out;
  const auto integer = [&](std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i)
      out.push_back(static_cast<std::uint8_t>(value >> (8 * (big ? count - 1 - i : i))));
  };
  integer(magic, 4);
  integer(version, 2);
  integer(4, 2);
  for (const std::uint32_t value : {0U, 0U, 65535U, 113U, 1'700'000'000U, fraction, captured, sent})
    integer(value, 4);
  out.insert(out.end(), kFrame.begin(), kFrame.end());
  return out;
}

TEST(CaptureReader, PcapOfAllKinds) {
  struct Case {
    std::uint32_t magic;
    bool big;
    std::chrono::nanoseconds fraction;
    const char* format;
  };
  for (const Case& c : {Case{0xa1b2c3d4, false, 7us, "pcap, microseconds, little-endian"},
                        Case{0xa1b2c3d4, true, 7us, "pcap, microseconds, big-endian"},
                        Case{0xa1b23c4d, false, 7ns, "pcap, nanoseconds, little-endian"},
                        Case{0xa1b23c4d, true, 7ns, "pcap, nanoseconds, big-endian"}}) {
    const Reading reading = read(pcap(c.magic, c.big, 7, 5, 9));
    EXPECT_EQ(reading.error, "");
    EXPECT_EQ(reading.format, c.format);
    ASSERT_EQ(reading.collected.frames.size(), 1u);
    const auto& frame = reading.collected.frames[0];
    EXPECT_EQ(frame.number, 1u);
    EXPECT_EQ(frame.time, at(1'700'000'000s + c.fraction));
    EXPECT_EQ(frame.link_type, LinkType::kLinuxCooked);
    EXPECT_EQ(frame.bytes, kFrame);
    EXPECT_EQ(frame.wire_length, 9u);
    EXPECT_EQ(reading.counters.cut_frames, 1u);
  }
}

TEST(CaptureReader, WhatIsNoCaptureIsNamed) {
  EXPECT_THAT(read({}).error, HasSubstr("empty"));
  EXPECT_THAT(read(base::as_bytes("\x1f")).error, HasSubstr("some bytes"));
  EXPECT_THAT(read(base::as_bytes("\x1f\x8b\x08\x01")).error, HasSubstr("gzip"));
  EXPECT_THAT(read(base::as_bytes("{\"a\": 1}")).error, HasSubstr("JSON"));
  EXPECT_THAT(read(base::as_bytes("Frame 1: 60 bytes")).error, HasSubstr("text"));
  EXPECT_THAT(read(base::as_bytes("\x01\x02\x03\x04")).error, HasSubstr("no format"));
  EXPECT_THAT(read(pcap(0xa1b2c3d4, false, 7, 5, 5, 3)).error, HasSubstr("version"));
}

TEST(CaptureReader, AnErrorIsForGood) {
  FrameCollector collected;
  CaptureReader reader(collected);
  EXPECT_FALSE(reader.feed(base::as_bytes("{\"a\": 1}")));
  EXPECT_FALSE(reader.feed(pcap(0xa1b2c3d4, false, 7, 5, 5)));
  EXPECT_FALSE(reader.finish());
  EXPECT_TRUE(collected.frames.empty());
}

TEST(CaptureReader, AFileThatStopsInsideOfARecord) {
  const base::Buffer file = pcap(0xa1b2c3d4, false, 7, 5, 5);
  EXPECT_FALSE(read(file).counters.ended_early);
  for (std::size_t size = 4; size < file.size(); ++size) {
    if (size == 24) continue;  // no records at all
    const Reading reading = read(base::Bytes(file).first(size));
    EXPECT_EQ(reading.error, "") << size;
    EXPECT_TRUE(reading.counters.ended_early) << size;
  }
}

TEST(CaptureReader, ARecordThatCannotBeEndsTheReading) {
  base::Buffer file = pcap(0xa1b2c3d4, false, 7, 5, 5);
  const std::size_t good = file.size();
  file.resize(good + 16, 0xff);
  const Reading reading = read(file);
  EXPECT_THAT(reading.error, HasSubstr("record 2"));
  EXPECT_EQ(reading.collected.frames.size(), 1u);
}

TEST(CaptureReader, PcapngInBothByteOrders) {
  for (const bool big : {false, true}) {
    PcapngBuilder builder(big);
    builder.section();
    builder.interface(1);
    // Nanoseconds, a thousand seconds later; then a resolution of 2^-10.
    const base::Buffer nine = {9}, binary = {0x8a};
    base::Buffer offset(8, 0);
    const std::size_t low = big ? 6 : 0;
    offset[low] = big ? 0x03 : 0xe8;
    offset[low + 1] = big ? 0xe8 : 0x03;
    builder.u16(101).u16(0).u32(0).option(9, nine).option(14, offset).option(0, {}).block(1);
    builder.u16(113).u16(0).u32(0).option(9, binary).block(1);
    builder.packet(0, 1'000'001, kFrame, 5);
    builder.packet(1, 2'000'000'003, kFrame, 8);
    builder.packet(2, 1536, kFrame, 5);
    const Reading reading = read(builder.file());
    EXPECT_EQ(reading.error, "");
    EXPECT_EQ(reading.format, "pcapng 1.0");
    ASSERT_EQ(reading.collected.frames.size(), 3u);
    EXPECT_EQ(reading.collected.frames[0].time, at(1s + 1us));
    EXPECT_EQ(reading.collected.frames[0].link_type, LinkType::kEthernet);
    EXPECT_EQ(reading.collected.frames[1].time, at(1002s + 3ns));
    EXPECT_EQ(reading.collected.frames[1].link_type, LinkType::kRaw);
    EXPECT_EQ(reading.collected.frames[1].interface, 1u);
    EXPECT_EQ(reading.collected.frames[1].wire_length, 8u);
    EXPECT_EQ(reading.collected.frames[2].time, at(1500ms));
    EXPECT_EQ(reading.collected.frames[2].bytes, kFrame);
    EXPECT_EQ(reading.counters.cut_frames, 1u);
    EXPECT_EQ(reading.counters.bad_blocks, 0u);
  }
}

TEST(CaptureReader, TimesThatDoNotFit) {
  for (const std::uint8_t resolution : {0, 3, 9, 10, 28, 29, 127, 0x80, 0xa0, 0xff}) {
    PcapngBuilder builder;
    builder.section();
    const base::Buffer value = {resolution};
    const base::Buffer offset(8, 0x7f);
    builder.u16(1).u16(0).u32(0).option(9, value).block(1);
    builder.u16(1).u16(0).u32(0).option(9, value).option(14, offset).block(1);
    builder.packet(0, ~std::uint64_t{0}, kFrame, 5).packet(1, 0, kFrame, 5);
    const Reading reading = read(builder.file());
    ASSERT_EQ(reading.collected.frames.size(), 2u);
    EXPECT_GE(reading.collected.frames[0].time, at(0ns));
    EXPECT_EQ(reading.collected.frames[1].time.time_since_epoch().count(),
              (std::int64_t{1} << 62) - 1);
  }
}

TEST(CaptureReader, OtherBlocks) {
  PcapngBuilder builder;
  builder.section();
  builder.interface(228, 3);
  builder.u32(5).bytes(base::Bytes(kFrame).first(3)).block(3);  // simple, cut to the snap length
  builder.u16(0).u16(9).u32(0).u32(2'000'000).u32(5).u32(5).bytes(kFrame).block(2);  // the old one
  builder.u32(77).block(0x80000bad);
  builder.u32(0x544c534b).u32(13).bytes(base::as_bytes("CLIENT_RANDOM")).block(10);
  builder.u32(0x57474b4c).u32(4).bytes(base::as_bytes("wire")).block(10);  // of WireGuard
  base::Buffer five(8, 0), seven(8, 0);
  five[0] = 5;
  seven[0] = 7;
  builder.u32(0).u32(0).u32(0).option(5, five).block(5);
  builder.u32(0).u32(0).u32(0).option(5, seven).option(7, five).block(5);
  const Reading reading = read(builder.file());
  EXPECT_EQ(reading.error, "");
  ASSERT_EQ(reading.collected.frames.size(), 2u);
  EXPECT_EQ(reading.collected.frames[0].bytes.size(), 3u);
  EXPECT_EQ(reading.collected.frames[0].wire_length, 5u);
  EXPECT_EQ(reading.collected.frames[1].time, at(2s));
  EXPECT_EQ(reading.collected.frames[1].bytes, kFrame);
  EXPECT_EQ(reading.collected.secrets, "CLIENT_RANDOM");
  EXPECT_EQ(reading.counters.dropped_by_capture, 12u);
  EXPECT_EQ(reading.counters.bad_blocks, 0u);
}

TEST(CaptureReader, DamageInsideOfABlockSkipsIt) {
  PcapngBuilder builder;
  builder.section();
  builder.interface(1);
  builder.packet(9, 1, kFrame, 5);                                        // no such interface
  builder.u32(0).u32(0).u32(1).u32(500).u32(500).bytes(kFrame).block(6);  // longer than itself
  builder.u32(0).block(6);                                                // too short
  builder.u32(0x544c534b).u32(1000).block(10);                            // likewise
  builder.u16(1).u16(0).u32(0).u16(9).u16(0xfff0).block(1);               // an option, likewise
  builder.u32(1).block(1).packet(2, 1, kFrame, 5);                        // keeps its number
  builder.packet(0, 1, kFrame, 5);
  builder.file()[builder.file().size() - 1] ^= 1;  // the length at the end is another
  builder.packet(1, 5, kFrame, 5);
  const Reading reading = read(builder.file());
  EXPECT_EQ(reading.error, "");
  ASSERT_EQ(reading.collected.frames.size(), 1u);
  EXPECT_EQ(reading.collected.frames[0].interface, 1u);
  EXPECT_EQ(reading.counters.bad_blocks, 8u);
}

TEST(CaptureReader, ALengthThatCannotBeEndsTheReading) {
  for (const std::uint32_t length : {0U, 8U, 13U, 0x1000004U, 0xffffffffU}) {
    PcapngBuilder builder;
    builder.section();
    builder.interface(1);
    builder.packet(0, 1, kFrame, 5);
    const std::size_t second = builder.file().size();
    builder.packet(0, 2, kFrame, 5);
    for (int i = 0; i < 4; ++i)
      builder.file()[second + 4 + i] = static_cast<std::uint8_t>(length >> (8 * i));
    const Reading reading = read(builder.file());
    EXPECT_THAT(reading.error, HasSubstr("after frame 1")) << length;
    EXPECT_EQ(reading.collected.frames.size(), 1u);
  }
}

TEST(CaptureReader, SectionsHaveTheirOwnInterfacesAndByteOrders) {
  PcapngBuilder little;
  little.section().interface(1).packet(0, 1, kFrame, 5);
  PcapngBuilder big(true);
  big.section().packet(0, 1, kFrame, 5).interface(101).packet(0, 2, kFrame, 5);
  base::Buffer file = little.file();
  file.insert(file.end(), big.file().begin(), big.file().end());
  const Reading reading = read(file);
  ASSERT_EQ(reading.collected.frames.size(), 2u);
  EXPECT_EQ(reading.collected.frames[1].link_type, LinkType::kRaw);
  EXPECT_EQ(reading.counters.bad_blocks, 1u);
}

TEST(CaptureReader, InterfacesAreBounded) {
  PcapngBuilder builder;
  builder.section();
  for (int i = 0; i < 65537; ++i) builder.interface(1);
  builder.packet(65535, 1, kFrame, 5).packet(65536, 1, kFrame, 5);
  const Reading reading = read(builder.file());
  EXPECT_EQ(reading.collected.frames.size(), 1u);
  EXPECT_EQ(reading.counters.bad_blocks, 2u);
}

TEST(CaptureReader, PiecesOfAnySizeGiveTheSame) {
  base::SeededRandom random(1);
  test::CaptureBuilder pcap_builder;
  PcapngBuilder pcapng_builder;
  pcapng_builder.section().interface(1);
  for (int i = 0; i < 40; ++i) {
    base::Buffer frame(random.below(200));
    random.fill(frame);
    pcap_builder.raw(frame);
    pcapng_builder.packet(0, i, frame, static_cast<std::uint32_t>(frame.size()));
  }
  for (const base::Buffer& file : {pcap_builder.pcap(), pcapng_builder.file()}) {
    const Reading whole = read(file);
    ASSERT_EQ(whole.collected.frames.size(), 40u);
    for (std::size_t piece = 1; piece < 400; ++piece) {
      const Reading reading = read(file, piece);
      ASSERT_EQ(reading.collected.frames, whole.collected.frames) << piece;
      ASSERT_FALSE(reading.counters.ended_early);
    }
  }
}

}  // namespace
}  // namespace alcove::audit
