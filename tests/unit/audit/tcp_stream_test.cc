#include "audit/tcp_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace alcove::audit {
namespace {

class Pieces final : public TcpStream::Sink {
 public:
  void handle_piece(const StreamPiece& piece) override {
    gaps += piece.after_gap ? 1 : 0;
    EXPECT_TRUE(piece.after_gap || piece.offset == end);
    EXPECT_GE(piece.offset, end);
    EXPECT_FALSE(piece.bytes.empty());
    end = piece.offset + piece.bytes.size();
    numbers.push_back(piece.number);
    text += base::as_text(piece.bytes);
  }
  std::string text;
  std::uint64_t end = 0;
  int gaps = 0;
  std::vector<std::uint64_t> numbers;
};

class TcpStreamTest : public testing::Test {
 protected:
  void add(std::uint32_t sequence, std::string_view text, std::uint32_t cut = 0) {
    packet_.number = ++number_;
    stream_.add(sequence, base::as_bytes(text), static_cast<std::uint32_t>(text.size()) + cut,
                packet_, pieces_);
  }
  TcpStream::Totals totals_;
  TcpStream stream_{totals_};
  Pieces pieces_;
  Packet packet_;
  std::uint64_t number_ = 0;
};

TEST_F(TcpStreamTest, OutOfOrderAndRepeated) {
  stream_.begin(100, pieces_);
  add(103, "def");
  add(103, "def");
  add(106, "ghi");
  EXPECT_EQ(pieces_.text, "");
  add(100, "abc");
  add(100, "abcdefghi");
  add(105, "fghijkl");
  EXPECT_EQ(pieces_.text, "abcdefghijkl");
  EXPECT_THAT(pieces_.numbers, testing::ElementsAre(4, 1, 3, 6));
  EXPECT_EQ(pieces_.gaps, 0);
  EXPECT_EQ(totals_.different, 0u);
  EXPECT_EQ(totals_.waiting, 0u);
}

TEST_F(TcpStreamTest, SequenceNumbersWrap) {
  stream_.begin(0xfffffffe, pieces_);
  add(2, "ef");
  add(0xfffffffe, "abcd");
  add(4, "g");
  EXPECT_EQ(pieces_.text, "abcdefg");
}

TEST_F(TcpStreamTest, BeginsInTheMiddle) {
  add(5000, "middle");
  add(5006, " and on");
  add(4000, "before");
  EXPECT_EQ(pieces_.text, "middle and on");
  EXPECT_EQ(pieces_.gaps, 0);
}

TEST_F(TcpStreamTest, TheFirstBytesWinAndOthersAreCounted) {
  stream_.begin(0, pieces_);
  add(0, "aaaa");
  add(0, "bbbb");  // handed on already
  EXPECT_EQ(totals_.different, 1u);
  add(6, "gh");
  add(6, "XY");  // waits
  EXPECT_EQ(totals_.different, 2u);
  add(4, "efZ");  // fills the hole, and contradicts what waits
  EXPECT_EQ(totals_.different, 3u);
  EXPECT_EQ(pieces_.text, "aaaaefgh");
}

TEST_F(TcpStreamTest, ASegmentAroundOthersFillsTheHoles) {
  stream_.begin(0, pieces_);
  add(2, "c");
  add(5, "f");
  add(1, "bcdefg");
  add(0, "a");
  EXPECT_EQ(pieces_.text, "abcdefg");
  EXPECT_EQ(totals_.different, 0u);
}

TEST_F(TcpStreamTest, AHoleIsGivenUpWhenTooMuchWaits) {
  stream_.begin(0, pieces_);
  const std::string text(1000, 'x');
  std::uint32_t sequence = 10;
  while (pieces_.text.empty()) {
    add(sequence, text);
    sequence += 1000;
    ASSERT_LT(sequence, 400'000u);
  }
  EXPECT_EQ(pieces_.end, sequence);
  EXPECT_EQ(pieces_.gaps, 1);
  EXPECT_EQ(totals_.gaps, 1u);
  add(0, "too late!!");
  EXPECT_EQ(pieces_.text.find('t'), std::string::npos);
  add(sequence, "next");
  EXPECT_TRUE(pieces_.text.ends_with("next"));
  EXPECT_EQ(pieces_.gaps, 1);
}

TEST_F(TcpStreamTest, WhatSmallSegmentsTakeIsBounded) {
  stream_.begin(0, pieces_);
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    add(1 + 2 * i, "x");
    most = std::max(most, totals_.waiting);
  }
  EXPECT_LE(most, TcpStream::kMaxWaiting + TcpStream::kSegmentCost + 1);
  EXPECT_GT(pieces_.gaps, 90'000);
}

TEST_F(TcpStreamTest, AllStreamsTogetherAreBounded) {
  std::vector<std::unique_ptr<TcpStream>> streams;
  const std::string text(1400, 'x');
  for (int i = 0; i < 400; ++i) {
    TcpStream& stream = *streams.emplace_back(std::make_unique<TcpStream>(totals_));
    Pieces pieces;
    stream.begin(0, pieces);
    for (std::uint32_t at = 1; at < 200'000; at += 1400) {
      stream.add(at, base::as_bytes(text), 1400, packet_, pieces);
      ASSERT_LE(totals_.waiting, TcpStream::kMaxWaitingInAll);
    }
  }
  streams.clear();
  EXPECT_EQ(totals_.waiting, 0u);
}

TEST_F(TcpStreamTest, WhatWasCutOffIsAGap) {
  stream_.begin(0, pieces_);
  add(0, "ab", 8);
  add(10, "next");
  add(20, "wait", 4);
  add(14, "middle");
  add(28, "last");
  EXPECT_EQ(pieces_.text, "abnextmiddlewaitlast");
  EXPECT_EQ(pieces_.gaps, 2);
  EXPECT_EQ(pieces_.end, 32u);
}

TEST_F(TcpStreamTest, AConnectionThatBeganUnseenIsFollowed) {
  stream_.begin(3'000'000'000, pieces_);
  add(3'000'000'000, "old");
  for (std::uint32_t at = 2'000'000'000; at < 2'000'000'050; at += 10) add(at, "0123456789");
  EXPECT_EQ(pieces_.text, "old01234567890123456789");
  EXPECT_EQ(pieces_.gaps, 1);
}

// Whatever the segmentation, order and repetition: the same bytes come out.
TEST(TcpStreamProperty, AnyOrderGivesTheSameBytes) {
  base::SeededRandom random(7);
  for (int round = 0; round < 400; ++round) {
    std::string text(1 + random.below(5000), '\0');
    for (char& c : text) c = static_cast<char>(random.below(256));
    const std::uint32_t first = random.next_u32();
    struct Segment {
      std::uint32_t begin, length;
    };
    std::vector<Segment> segments;
    for (std::uint32_t at = 0; at < text.size();) {
      const auto length = std::min<std::uint32_t>(1 + random.below(200),
                                                  static_cast<std::uint32_t>(text.size()) - at);
      segments.push_back({at, length});
      at += length;
    }
    const std::size_t needed = segments.size();
    for (std::uint32_t extra = random.below(40); extra > 0; --extra) {
      const std::uint32_t at = random.below(static_cast<std::uint32_t>(text.size()));
      segments.push_back({at, 1 + random.below(static_cast<std::uint32_t>(text.size()) - at)});
    }
    ASSERT_GE(segments.size(), needed);
    for (std::size_t i = segments.size(); i > 1; --i)
      std::swap(segments[i - 1], segments[random.below(static_cast<std::uint32_t>(i))]);
    TcpStream::Totals totals;
    TcpStream stream(totals);
    Pieces pieces;
    Packet packet;
    stream.begin(first, pieces);
    for (const Segment& segment : segments)
      stream.add(first + segment.begin,
                 base::as_bytes(std::string_view(text).substr(segment.begin, segment.length)),
                 segment.length, packet, pieces);
    ASSERT_EQ(pieces.text, text) << round;
    ASSERT_EQ(pieces.gaps, 0);
    ASSERT_EQ(totals.different, 0u);
    ASSERT_EQ(totals.waiting, 0u);
  }
}

}  // namespace
}  // namespace alcove::audit
