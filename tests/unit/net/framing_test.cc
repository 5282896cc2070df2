#include "net/framing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace alcove::net {
namespace {

using base::Buffer;
using base::Bytes;

Buffer framed(Bytes payload) {
  Buffer out = {static_cast<std::uint8_t>(payload.size() >> 8),
                static_cast<std::uint8_t>(payload.size())};
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

// Feeds a stream in pieces of the given size; nullopt when it was refused.
std::optional<std::vector<Buffer>> read_in_pieces(Bytes stream, std::size_t piece) {
  FrameReader reader;
  std::vector<Buffer> frames;
  while (!stream.empty()) {
    const base::MutableBytes space = reader.space();
    const std::size_t size = std::min({piece, space.size(), stream.size()});
    std::copy_n(stream.begin(), size, space.begin());
    stream = stream.subspan(size);
    const bool ok = reader.advance(size, [&](Bytes frame) {
      frames.emplace_back(frame.begin(), frame.end());
      return true;
    });
    if (!ok) return std::nullopt;
  }
  return frames;
}

TEST(FrameReader, CutsAStreamWhateverThePieces) {
  base::SeededRandom random(1);
  std::vector<Buffer> sent;
  Buffer stream;
  for (const std::size_t size : {1U, 20U, 172U, 1500U, 1U, 1499U, 0U, 700U}) {
    Buffer payload(size);
    random.fill(payload);
    const Buffer frame = framed(payload);
    stream.insert(stream.end(), frame.begin(), frame.end());
    if (size != 0) sent.push_back(payload);  // the null packet is skipped
  }
  for (const std::size_t piece : {1U, 2U, 3U, 100U, 1502U, 5000U})
    EXPECT_EQ(read_in_pieces(stream, piece), sent) << piece;
}

TEST(FrameReader, RefusesALongFrameAtItsLength) {
  const Buffer stream = {0x05, 0xdd};  // 1501
  EXPECT_EQ(read_in_pieces(stream, 1), std::nullopt);
  EXPECT_NE(read_in_pieces(Buffer{0x05, 0xdc}, 1), std::nullopt);
}

TEST(FrameReader, StopsWhenTheFrameIsRefused) {
  FrameReader reader;
  const Buffer stream = framed(Buffer{1, 2, 3});
  std::ranges::copy(stream, reader.space().begin());
  EXPECT_FALSE(reader.advance(stream.size(), [](Bytes) { return false; }));
}

TEST(FrameReader, KnowsStun) {
  Buffer message(20);
  message[1] = 1;
  message[4] = 0x21;
  message[5] = 0x12;
  message[6] = 0xa4;
  message[7] = 0x42;
  EXPECT_TRUE(looks_like_stun(message));
  EXPECT_FALSE(looks_like_stun(Bytes(message).first(19)));
  message[0] = 4;
  EXPECT_FALSE(looks_like_stun(message));
  message[0] = 0;
  message[7] = 0x43;
  EXPECT_FALSE(looks_like_stun(message));
}

TEST(FrameQueue, GivesBackWhatWasPushed) {
  FrameQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.push(Buffer{1, 2, 3}), 0U);
  EXPECT_EQ(queue.push(Buffer{4}), 0U);
  const Buffer expected = {0, 3, 1, 2, 3, 0, 1, 4};
  EXPECT_TRUE(std::ranges::equal(queue.unsent(), expected));
  queue.consume(6);  // into the second frame's header
  EXPECT_TRUE(std::ranges::equal(queue.unsent(), Bytes(expected).subspan(6)));
  queue.consume(2);
  EXPECT_TRUE(queue.empty());
}

TEST(FrameQueue, DropsTheOldestWholeFrames) {
  FrameQueue queue;
  const auto frame = [](std::uint8_t mark) { return Buffer(1000, mark); };
  for (std::uint8_t i = 0; i < 8; ++i) EXPECT_EQ(queue.push(frame(i)), 0U);
  EXPECT_EQ(queue.push(frame(8)), 1U);
  EXPECT_EQ(queue.unsent()[2], 1);
  // A frame that has begun to go out stays; the next one goes.
  queue.consume(10);
  EXPECT_EQ(queue.push(frame(9)), 1U);
  EXPECT_EQ(queue.unsent().size(), 8 * 1002 - 10);
  queue.consume(1002 - 10);
  EXPECT_EQ(queue.unsent()[2], 3);
  EXPECT_LE(queue.unsent().size(), kMaxUnsentFrameBytes);
}

TEST(FrameQueue, DropsWhatIsNoFrame) {
  FrameQueue queue;
  EXPECT_EQ(queue.push({}), 1U);
  EXPECT_EQ(queue.push(Buffer(base::kMaxDatagram + 1)), 1U);
  EXPECT_TRUE(queue.empty());
}

// Whatever is dropped and however slowly it goes out, the other side reads whole frames in order.
TEST(FrameQueue, NeverBreaksTheStream) {
  base::SeededRandom random(7);
  FrameQueue queue;
  Buffer stream;
  std::uint32_t pushed = 0;
  for (int step = 0; step < 5000; ++step) {
    Buffer frame(4 + random.below(1400));
    base::ByteWriter(frame).write_u32(pushed++);
    queue.push(frame);
    const Bytes unsent = queue.unsent();
    const std::size_t size = random.below(1200);
    const Bytes sent = unsent.first(std::min<std::size_t>(size, unsent.size()));
    stream.insert(stream.end(), sent.begin(), sent.end());
    queue.consume(sent.size());
  }
  const Bytes rest = queue.unsent();
  stream.insert(stream.end(), rest.begin(), rest.end());
  const auto frames = read_in_pieces(stream, 1000);
  ASSERT_TRUE(frames.has_value());
  std::int64_t last = -1;
  for (const Buffer& frame : *frames) {
    const std::uint32_t number = base::ByteReader(frame).read_u32().value();
    EXPECT_GT(static_cast<std::int64_t>(number), last);
    last = number;
  }
  EXPECT_EQ(last, static_cast<std::int64_t>(pushed) - 1);
}

}  // namespace
}  // namespace alcove::net
