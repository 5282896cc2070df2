#pragma once
// A room with named people on virtual time, for the tests of src/rooms.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "rooms/room.h"

namespace alcove::rooms {

class RoomTest : public testing::Test {
 protected:
  explicit RoomTest(RoomKind kind = RoomKind::kOpen, RoomOptions options = {}) {
    restart(kind, options);
  }

  void restart(RoomKind kind, RoomOptions options = {}) {
    room = start(base::RoomId::make(random), "Title", kind, account("host"), options);
  }
  base::AccountId account(const std::string& name) {
    const auto [position, added] = accounts_.try_emplace(name);
    if (added) position->second = base::AccountId::make(random);
    return position->second;
  }
  Join join_of(const std::string& name, bool followed = false) {
    return {.person = {account(name), name, name, false}, .followed_by_moderator = followed};
  }
  std::expected<Events, Refusal> try_apply(const Command& command, MemberId by = MemberId::kNone) {
    now += base::seconds(1);
    return apply(room, command, by, now);
  }
  Events must(const Command& command, MemberId by = MemberId::kNone) {
    auto events = try_apply(command, by);
    EXPECT_TRUE(events.has_value()) << (events ? "" : describe(events.error()).reason);
    return events ? *std::move(events) : Events{};
  }
  Refusal refusal(const Command& command, MemberId by = MemberId::kNone) {
    const auto events = try_apply(command, by);
    EXPECT_FALSE(events.has_value());
    return events ? Refusal::kGraceNotOver : events.error();
  }
  MemberId join(const std::string& name) {
    must(join_of(name));
    return room.by_account.at(account(name));
  }
  // Joined and brought to the stage by the moderator.
  MemberId speaker(const std::string& name, MemberId moderator) {
    const MemberId id = join(name);
    must(Invite{id}, moderator);
    must(AcceptInvitation{}, id);
    return id;
  }
  MemberId moderator(const std::string& name, MemberId by) {
    const MemberId id = speaker(name, by);
    must(MakeModerator{id}, by);
    return id;
  }
  const Member& at(MemberId id) { return room.members.at(id); }
  template <typename T>
  static std::size_t count(const Events& events) {
    return static_cast<std::size_t>(
        std::ranges::count_if(events, [](const Event& e) { return std::holds_alternative<T>(e); }));
  }

  base::SeededRandom random{1};
  base::Instant now{};
  Room room;

 private:
  std::map<std::string, base::AccountId> accounts_;
};

}  // namespace alcove::rooms
