// What is held of a room's log.

#include "control/room_log.h"

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::control {
namespace {

TEST(RoomLogTest, OldEntriesGoAndTheChainStays) {
  roomlog_test::RoomLog writer;
  RoomLog log(writer.genesis());
  const auto append = [&log](const roomlog::Entry& entry) {
    auto checked = log.state().check(entry, roomlog::Follow::kFull);
    ASSERT_TRUE(checked);
    log.append(entry, *std::move(checked), {});
  };
  append(writer.found());
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
    append(entry);
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

}  // namespace
}  // namespace alcove::control
