// Random commands by random members: whatever is asked, the room's invariants hold.

#include <gtest/gtest.h>

#include <set>

#include "room_fixture.h"

namespace alcove::rooms {
namespace {

class RoomPropertyTest : public RoomTest {
 protected:
  MemberId someone() { return MemberId{random.below(room.next_member + 1)}; }

  Command any_command() {
    const MemberId target = someone();
    const bool truth = random.below(2) == 0;
    switch (random.below(20)) {
      case 0:
        return RaiseHand{};
      case 1:
        return LowerHand{};
      case 2:
        return DismissHand{target};
      case 3:
      case 4:
        return Invite{target};
      case 5:
        return AcceptInvitation{};
      case 6:
        return GiveStage{target};
      case 7:
        return DeclineInvitation{};
      case 8:
        return MoveToAudience{target};
      case 9:
        return SetMuted{target, truth};
      case 10:
        return MakeModerator{target};
      case 11:
        return random.below(4) == 0 ? Command{Remove{target}} : Command{React{}};
      case 12:
        return SetLocked{truth};
      case 13:
        return truth ? Command{Leave{}} : Command{Depart{target}};
      case 14:
        return Disconnect{};
      case 15:
        return Reconnect{};
      case 16:
        return Expire{};
      case 17:
        return random.below(200) == 0 ? Command{End{}} : Command{React{}};
      default:
        return join_of(random.below(8) == 0 ? "host" : "p" + std::to_string(random.below(30)),
                       truth);
    }
  }

  void check_invariants() {
    std::set<Seat> seats;
    std::size_t on_stage = 0;
    bool moderator = false;
    for (const auto& [id, member] : room.members) {
      ASSERT_EQ(member.id, id);
      ASSERT_EQ(room.by_leaf.at(member.leaf), id);
      ASSERT_TRUE(member.leaving || room.by_account.at(member.person.account) == id);
      ASSERT_EQ(room.leaving.contains(id), member.leaving);
      ASSERT_FALSE(member.leaving && (member.connected || member.hand_raised));
      ASSERT_TRUE(member.invited || !member.accepting);
      ASSERT_FALSE(room.blocked.contains(member.person.account)) << "nobody blocked is inside";
      ASSERT_EQ(member.on_stage(), member.seat != 0);
      if (member.on_stage()) {
        ++on_stage;
        moderator = moderator || member.role == Role::kModerator;
        ASSERT_TRUE(seats.insert(member.seat).second) << "a seat has one holder";
        ASSERT_FALSE(member.hand_raised || member.invited);
      } else {
        ASSERT_FALSE(member.may_send() || member.muted);
      }
      ASSERT_EQ(std::ranges::count(room.stage, id), member.on_stage() ? 1 : 0);
      ASSERT_EQ(std::ranges::count(room.raised_hands, id), member.hand_raised ? 1 : 0);
      ASSERT_TRUE(member.muted || !member.muted_by_moderator);
    }
    ASSERT_EQ(on_stage, room.stage.size());
    ASSERT_EQ(room.by_account.size(), room.members.size());
    ASSERT_LE(room.member_count(), room.options.max_members + room.leaving.size());
    ASSERT_TRUE(room.ended || !room.opened || moderator) << "an open room has a moderator";
    ASSERT_TRUE(moderator || on_stage == 0 || room.ended);
    ASSERT_TRUE(
        std::ranges::is_sorted(room.stage, {}, [&](MemberId id) { return at(id).on_stage_since; }));
  }
};

TEST_F(RoomPropertyTest, InvariantsHoldUnderRandomCommands) {
  std::size_t accepted = 0;
  std::size_t ended = 0;
  for (int round = 0; round < 120; ++round) {
    restart(static_cast<RoomKind>(random.below(3)), {.max_members = 20, .max_raised_hands = 5});
    for (int step = 0; step < 800 && !room.ended; ++step) {
      const Command command = any_command();
      const bool by_server = std::holds_alternative<Join>(command);
      const Room before = room;
      now += base::milliseconds(random.below(2000));
      const auto events = apply(room, command, by_server ? MemberId::kNone : someone(), now);
      if (events) {
        ++accepted;
      } else {
        ASSERT_EQ(room.members.size(), before.members.size());
        ASSERT_EQ(room.stage, before.stage);
        ASSERT_EQ(room.raised_hands, before.raised_hands);
        ASSERT_EQ(room.ended, before.ended);
      }
      check_invariants();
      if (HasFatalFailure()) return;
    }
    ended += room.ended ? 1 : 0;
  }
  EXPECT_GT(accepted, 5'000U);
  EXPECT_GT(ended, 5U);
}

}  // namespace
}  // namespace alcove::rooms
