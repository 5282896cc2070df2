// The table of permissions, tried row by row: every role gives every command to every role.

#include <gtest/gtest.h>

#include <set>

#include "room_fixture.h"

namespace alcove::rooms {
namespace {

struct Row {
  const char* name;
  Command (*command)(MemberId target);
  // Who may: listener, speaker, moderator. On whom: listener, speaker, moderator (all where no
  // target).
  std::array<bool, 3> actors;
  std::array<bool, 3> targets;
  bool has_target;
};

constexpr std::array<bool, 3> kAll = {true, true, true};

const Row kRows[] = {
    {"leave", [](MemberId) -> Command { return Leave{}; }, kAll, kAll, false},
    {"raise_hand",
     [](MemberId) -> Command { return RaiseHand{}; },
     {true, false, false},
     kAll,
     false},
    {"lower_hand",
     [](MemberId) -> Command { return LowerHand{}; },
     {true, false, false},
     kAll,
     false},
    {"dismiss_hand",
     [](MemberId m) -> Command { return DismissHand{m}; },
     {false, false, true},
     {true, false, false},
     true},
    {"invite",
     [](MemberId m) -> Command { return Invite{m}; },
     {false, false, true},
     {true, false, false},
     true},
    {"step_down",
     [](MemberId) -> Command { return MoveToAudience{}; },
     {false, true, true},
     kAll,
     false},
    {"move",
     [](MemberId m) -> Command { return MoveToAudience{m}; },
     {false, false, true},
     {false, true, true},
     true},
    {"mute_self",
     [](MemberId) -> Command { return SetMuted{.member = {}, .muted = true}; },
     {false, true, true},
     kAll,
     false},
    {"mute",
     [](MemberId m) -> Command { return SetMuted{.member = m, .muted = true}; },
     {false, false, true},
     {false, true, true},
     true},
    {"make_moderator",
     [](MemberId m) -> Command { return MakeModerator{m}; },
     {false, false, true},
     {false, true, false},
     true},
    {"remove", [](MemberId m) -> Command { return Remove{m}; }, {false, false, true}, kAll, true},
    {"lock",
     [](MemberId) -> Command { return SetLocked{true}; },
     {false, false, true},
     kAll,
     false},
    {"react", [](MemberId) -> Command { return React{}; }, kAll, kAll, false},
    {"end", [](MemberId) -> Command { return End{}; }, {false, false, true}, kAll, false},
};

class PermissionTest : public RoomTest {};

TEST_F(PermissionTest, EveryRoleByEveryCommandByEveryTarget) {
  for (const Row& row : kRows) {
    for (std::size_t actor = 0; actor < 3; ++actor) {
      for (std::size_t target = 0; target < 3; ++target) {
        restart(RoomKind::kOpen);
        const MemberId host = join("host");
        const MemberId actors[] = {join("a0"), speaker("a1", host), moderator("a2", host)};
        const MemberId targets[] = {join("t0"), speaker("t1", host), moderator("t2", host)};
        const bool expected = row.actors.at(actor) && (!row.has_target || row.targets.at(target));
        const auto events = try_apply(row.command(targets[target]), actors[actor]);
        EXPECT_EQ(events.has_value(), expected) << row.name << " by " << actor << " on " << target;
        if (!events) {
          EXPECT_EQ(events.error(),
                    row.actors.at(actor) ? Refusal::kWrongRole : Refusal::kNotAllowed)
              << row.name;
        }
      }
    }
  }
}

TEST_F(PermissionTest, NobodyOutsideMayAnything) {
  const MemberId host = join("host");
  for (const Row& row : kRows)
    EXPECT_EQ(refusal(row.command(host), MemberId{99}), Refusal::kNotMember) << row.name;
}

TEST_F(PermissionTest, AnUnknownTargetIsNotFound) {
  const MemberId host = join("host");
  for (const Row& row : kRows)
    if (row.has_target) {
      EXPECT_EQ(refusal(row.command(MemberId{99}), host), Refusal::kMemberNotFound) << row.name;
    }
}

TEST_F(PermissionTest, TheHostIsProtectedFromOtherModerators) {
  const MemberId host = join("host");
  const MemberId other = moderator("other", host);
  EXPECT_EQ(refusal(Remove{host}, other), Refusal::kHostProtected);
  EXPECT_EQ(refusal(MoveToAudience{host}, other), Refusal::kHostProtected);
  must(SetMuted{host, true}, other);
  must(Remove{other}, host);
}

TEST_F(PermissionTest, TheTableIsInTheOrderOfTheActions) {
  for (const Permission& row : permissions()) EXPECT_EQ(&permission(row.action), &row);
}

TEST_F(PermissionTest, AllowedCommandsAreWhatApplyAllows) {
  const MemberId host = join("host");
  const MemberId listener = join("listener");
  using Names = std::set<std::string_view>;
  const auto names = [&](MemberId id) {
    const auto list = allowed_commands(room, id);
    return Names(list.begin(), list.end());
  };
  EXPECT_EQ(names(listener), (Names{"leave", "raise_hand", "send_reaction"}));
  must(RaiseHand{}, listener);
  EXPECT_EQ(names(listener), (Names{"leave", "lower_hand", "send_reaction"}));
  must(Invite{listener}, host);
  EXPECT_EQ(names(listener), (Names{"leave", "lower_hand", "accept_invitation",
                                    "decline_invitation", "send_reaction"}));
  must(AcceptInvitation{}, listener);
  EXPECT_EQ(names(listener), (Names{"leave", "lower_hand", "decline_invitation", "send_reaction"}));
  must(GiveStage{listener}, host);
  EXPECT_EQ(names(listener), (Names{"leave", "move_to_audience", "set_muted", "send_reaction"}));
  EXPECT_EQ(names(host),
            (Names{"leave", "dismiss_hand", "invite_to_stage", "move_to_audience",
                   "move_others_to_audience", "set_muted", "mute_others", "make_moderator",
                   "remove_member", "set_locked", "send_reaction", "end_room"}));
  EXPECT_TRUE(names(MemberId{99}).empty());
}

}  // namespace
}  // namespace alcove::rooms
