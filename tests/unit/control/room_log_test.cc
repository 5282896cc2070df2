// What is held of a room's log.

#include "control/room_log.h"

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::control {
namespace {

void append(RoomLog& log, const roomlog::Entry& entry) {
  auto checked = log.state().check(entry, roomlog::Follow::kFull);
  ASSERT_TRUE(checked);
  log.append(entry, *std::move(checked), {});
}

TEST(RoomLogTest, OldEntriesGoAndTheChainStays) {
  roomlog_test::RoomLog writer;
  RoomLog log(writer.genesis());
  append(log, writer.found());
  // Links with as many boxes as there are: entries of 27 KB.
  constexpr std::size_t kMaxHeld = 16 << 20;
  std::size_t written = 0;
  for (std::uint32_t generation = 1; written < kMaxHeld + (1 << 20); ++generation) {
    v1::LogOp op = roomlog_test::link_op(generation);
    for (int i = 0; i < 255; ++i) {
      v1::LinkBox& box = *op.mutable_link()->add_boxes();
      box.set_leaf(std::string(32, 'l'));
      box.set_box(std::string(64, 'b'));
    }
    const roomlog::Entry& entry = writer.write(writer.join("Host"), {op});
    append(log, entry);
    written += entry.object.ByteSizeLong();
  }
  EXPECT_LE(log.held_bytes(), kMaxHeld);
  EXPECT_GT(log.held_bytes(), kMaxHeld - (1 << 15));
  EXPECT_FALSE(log.after(1)) << "not held any more";
  EXPECT_EQ(log.find(1), nullptr);
  const std::uint64_t n = log.state().n();
  EXPECT_EQ(log.after(n - 3)->size(), 3U);
  EXPECT_TRUE(log.after(n)->empty());
  EXPECT_FALSE(log.after(n + 1));
  // A joiner is given everything that it checks all the same.
  EXPECT_EQ(log.chain().authority_size(), static_cast<int>(n));
  EXPECT_TRUE(roomlog::walk_chain(log.chain(), writer.room()));
  EXPECT_FALSE(log.chain_before(2)) << "its head is not held any more";
}

TEST(RoomLogTest, TheLongestChainFitsIntoOneMessage) {
  roomlog_test::RoomLog writer;
  RoomLog log(writer.genesis());
  append(log, writer.found());
  const auto link = [&](std::uint32_t generation) {
    v1::LogOp op = roomlog_test::link_op(generation);
    for (int i = 0; i < 255; ++i) {
      v1::LinkBox& box = *op.mutable_link()->add_boxes();
      box.set_leaf(std::string(32, 'l'));
      box.set_box(std::string(64, 'b'));
    }
    return writer.write(writer.join("Host"), {op});
  };
  std::size_t links = 0;
  for (roomlog::Entry entry = link(1); log.has_room_for(entry);) {
    append(log, entry);
    if (++links == 100) break;
    entry = link(static_cast<std::uint32_t>(links) + 1);
  }
  EXPECT_LT(links, 100U);
  const std::size_t size = log.chain().ByteSizeLong();
  EXPECT_GT(size, RoomLog::kMaxAuthorityBytes - RoomLog::kReservedBytes - (32U << 10));
  EXPECT_LT(size, RoomLog::kMaxAuthorityBytes);
  // With the largest entries as admit, advance and head it is under a client's 1 MiB.
  constexpr std::size_t kLargestEntry = 65'536 + 256;
  EXPECT_LT(RoomLog::kMaxAuthorityBytes + 4 * kLargestEntry, std::size_t{1} << 20);
}

TEST(RoomLogTest, ARosterIsMadeOnceForAllWhoAsk) {
  roomlog_test::RoomLog writer;
  RoomLog log(writer.genesis());
  EXPECT_TRUE(log.roster()->empty());
  append(log, writer.found());
  const RoomLog::Roster roster = log.roster();
  EXPECT_EQ(log.roster(), roster);
  append(log, writer.write(writer.join("Host"), {roomlog_test::lock_op(true)}));
  EXPECT_NE(log.roster(), roster);
  EXPECT_NE(log.roster()->back().head().body(), roster->back().head().body());
}

}  // namespace
}  // namespace alcove::control
