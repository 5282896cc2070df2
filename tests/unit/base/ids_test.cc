#include "base/ids.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace alcove::base {
namespace {

TEST(RandomId, RoundTrips) {
  SeededRandom random(5);
  std::unordered_set<RoomId> seen;
  for (int i = 0; i < 1000; ++i) {
    const RoomId id = RoomId::make(random);
    EXPECT_EQ(id.text().size(), 22U);
    EXPECT_EQ(RoomId::parse(id.text()), id);
    EXPECT_EQ(RoomId::from_bytes(id.bytes()), id);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(RandomId, RefusesOtherTexts) {
  SeededRandom random(6);
  const std::string text = RoomId::make(random).text();
  EXPECT_FALSE(RoomId::parse(""));
  EXPECT_FALSE(RoomId::parse(text.substr(1)));
  EXPECT_FALSE(RoomId::parse(text + "A"));
  EXPECT_FALSE(RoomId::parse(text + "=="));
  EXPECT_FALSE(RoomId::parse("AAAAAAAAAAAAAAAAAAAAA."));
  EXPECT_FALSE(RoomId::parse("AAAAAAAAAAAAAAAAAAAAAB"));  // left-over bits
  EXPECT_FALSE(RoomId::from_bytes(Buffer(15)));
  EXPECT_FALSE(RoomId::from_bytes(Buffer(17)));
  EXPECT_EQ(RoomId::parse("AAAAAAAAAAAAAAAAAAAAAA"), RoomId{});
}

static_assert(!std::is_convertible_v<RoomId, RelayRoomId>);
static_assert(!std::is_convertible_v<AccountId, JoinId>);

}  // namespace
}  // namespace alcove::base
