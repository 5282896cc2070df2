#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/datagram.h"
#include "base/executor.h"

namespace alcove::base {
namespace {

TEST(ByteReader, ReadsNetworkOrder) {
  const Buffer bytes = {1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 9, 8};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_u8(), 1);
  EXPECT_EQ(reader.read_u16(), 2);
  EXPECT_EQ(reader.read_u24(), 3U);
  EXPECT_EQ(reader.read_u32(), 4U);
  EXPECT_EQ(reader.read_u64(), 5U);
  EXPECT_EQ(reader.position(), 18U);
  EXPECT_EQ(to_buffer(reader.rest()), (Buffer{9, 8}));
  EXPECT_TRUE(reader.skip(2));
  EXPECT_TRUE(reader.empty());
}

TEST(ByteReader, ShortReadsLeaveTheCursor) {
  const Buffer bytes = {1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_FALSE(reader.read_u32());
  EXPECT_FALSE(reader.read_u64());
  EXPECT_FALSE(reader.read_bytes(4));
  EXPECT_FALSE(reader.read_bytes(static_cast<std::size_t>(-1)));
  EXPECT_FALSE(reader.skip(4));
  EXPECT_EQ(reader.position(), 0U);
  EXPECT_EQ(reader.read_u24(), 0x010203U);
  EXPECT_FALSE(reader.read_u8());
  EXPECT_TRUE(reader.read_bytes(0));
}

TEST(ByteWriter, MirrorsTheReader) {
  std::array<std::uint8_t, 32> buffer{};
  ByteWriter writer(buffer);
  writer.write_u8(0x01);
  writer.write_u16(0x0203);
  writer.write_u24(0x040506);
  writer.write_u32(0x0708090a);
  writer.write_u64(0x0b0c0d0e0f101112);
  writer.write_bytes(as_bytes("ab"));
  writer.write_bytes({});
  writer.write_zeros(2);
  writer.patch_u16(0, 0xffff);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer.size(), 22U);
  EXPECT_EQ(to_buffer(writer.written()), (Buffer{0xff, 0xff, 3,  4,  5,  6,  7,  8,   9,   10, 11,
                                                 12,   13,   14, 15, 16, 17, 18, 'a', 'b', 0,  0}));
}

TEST(ByteWriter, OnceFullStaysFull) {
  std::array<std::uint8_t, 3> buffer{};
  ByteWriter writer(buffer);
  writer.write_u16(1);
  writer.write_u16(2);
  EXPECT_FALSE(writer.ok());
  writer.write_u8(3);  // would fit
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.size(), 2U);
  EXPECT_EQ(buffer[2], 0);
}

TEST(ByteWriterDeathTest, PatchOfTheUnwritten) {
  std::array<std::uint8_t, 4> buffer{};
  ByteWriter writer(buffer);
  writer.write_u8(1);
  EXPECT_DEATH(writer.patch_u16(0, 1), "CHECK failed");
}

TEST(DatagramQueue, KeepsOrderAndMemory) {
  DatagramQueue queue;
  EXPECT_TRUE(queue.empty());
  Path path;
  path.remote.port = 1;
  queue.push(path, as_bytes("first"));
  MutableBytes space = queue.reserve(100);
  space[0] = 'x';
  path.remote.port = 2;
  queue.commit(path, 1);
  queue.push(path, {});
  ASSERT_EQ(queue.entries().size(), 3U);
  EXPECT_EQ(as_text(queue.bytes(queue.entries()[0])), "first");
  EXPECT_EQ(as_text(queue.bytes(queue.entries()[1])), "x");
  EXPECT_EQ(queue.entries()[1].path.remote.port, 2);
  EXPECT_TRUE(queue.bytes(queue.entries()[2]).empty());
  queue.clear();
  EXPECT_TRUE(queue.empty());
  queue.push(path, as_bytes("again"));
  EXPECT_EQ(queue.entries()[0].offset, 0U);
}

TEST(DatagramQueue, IsFlushedBetweenDatagramsOnceItIsFull) {
  DatagramQueue queue;
  std::vector<std::size_t> flushed;
  queue.flush_if_full();  // without a sink it grows
  queue.set_sink(3, [&] {
    flushed.push_back(queue.entries().size());
    queue.clear();
  });
  for (int i = 0; i < 7; ++i) {
    queue.push({}, as_bytes("datagram"));
    queue.flush_if_full();
  }
  EXPECT_EQ(flushed, (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(queue.entries().size(), 1U);
}

TEST(InlineExecutor, RunsWorkThenDone) {
  InlineExecutor executor;
  std::string order;
  EXPECT_TRUE(executor.run([&] { order += "work "; }, [&] { order += "done"; }));
  EXPECT_EQ(order, "work done");
}

}  // namespace
}  // namespace alcove::base
