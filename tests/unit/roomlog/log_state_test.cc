#include "roomlog/log_state.h"

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

// A room with its host on seat 1, Anna a speaker on seat 2, Mona a moderator on seat 3, and Leo a
// listener.
class LogStateTest : public testing::Test {
 protected:
  LogStateTest() {
    log_.found();
    log_.write(host(), {admit_op(log_.certificate("Anna")), admit_op(log_.certificate("Mona")),
                        admit_op(log_.certificate("Leo"))});
    log_.make_speaker("Anna");
    log_.make_speaker("Mona");
    log_.make_moderator("Mona");
  }
  const Join& host() { return log_.join("Host"); }
  const Join& anna() { return log_.join("Anna"); }
  const Join& mona() { return log_.join("Mona"); }
  const Join& leo() { return log_.join("Leo"); }

  // What a draft of these ops says: nullopt when they are valid.
  std::optional<LogError> refused(const Join& author, std::vector<v1::LogOp> ops) {
    const auto body = log_.state().draft(author.certificate.leaf_hash, std::move(ops),
                                         v1::ADVANCE_NONE, false, log_.time_ms);
    if (body) return std::nullopt;
    return body.error();
  }
  RoomLog log_;
};

TEST_F(LogStateTest, FoundedRoomHasItsPeopleWhereTheyWerePut) {
  const LogState& state = log_.state();
  EXPECT_EQ(state.n(), 5U);
  EXPECT_EQ(state.epoch(), 1U);
  EXPECT_EQ(state.roster().size(), 4U);
  ASSERT_EQ(state.stage().size(), 3U);
  EXPECT_EQ(state.at_seat(1)->certificate.display_name, "Host");
  EXPECT_EQ(state.at_seat(1)->role, v1::ROLE_MODERATOR);
  EXPECT_EQ(state.at_seat(2)->role, v1::ROLE_SPEAKER);
  EXPECT_EQ(state.at_seat(3)->role, v1::ROLE_MODERATOR);
  EXPECT_EQ(state.next_free_seat(), 4);
  EXPECT_TRUE(state.has_authority(mona().certificate.identity));
  EXPECT_FALSE(state.has_authority(anna().certificate.identity));
}

}  // namespace
}  // namespace alcove::roomlog
