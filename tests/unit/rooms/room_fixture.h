#pragma once
// A room with named people on virtual time, for the tests of src/rooms.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
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
    authority = {"host"};
  }
  base::AccountId account(const std::string& name) {
    const auto [position, added] = accounts_.try_emplace(name);
    if (added) position->second = base::AccountId::make(random);
    return position->second;
  }
  // As the log would say it: one identity a person, which comes back as what it was.
  Join join_of(const std::string& name, bool followed = false) {
    const Member* inside = room.find(account(name));
    return {.person = {account(name), name, name, false},
            .followed_by_moderator = followed,
            .leaf = random.bytes<32>(),
            .replaces = inside == nullptr ? MemberId::kNone : inside->id,
            .as_moderator = inside == nullptr && authority.contains(name)};
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
    to_stage(id, moderator);
    return id;
  }
  Events to_stage(MemberId id, MemberId moderator) {
    must(Invite{id}, moderator);
    must(AcceptInvitation{}, id);
    return must(GiveStage{id}, moderator);
  }
  MemberId moderator(const std::string& name, MemberId by) {
    const MemberId id = speaker(name, by);
    must(MakeModerator{id}, by);
    authority.insert(name);
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
  std::set<std::string> authority{"host"};

 private:
  std::map<std::string, base::AccountId> accounts_;
};

}  // namespace alcove::rooms
