#pragma once
// A room as a pure state machine: no clock, no randomness, no connections. One thread.

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rooms/commands.h"
#include "rooms/events.h"
#include "rooms/permissions.h"
#include "rooms/refusal.h"
#include "rooms/seats.h"
#include "rooms/types.h"

namespace alcove::rooms {

// People who were inside and left: they may come back to a locked or social room, keep their member
// id, and moderators come back as moderators. Bounded; the longest gone is forgotten first.
class Visitors {
 public:
  struct Visitor {
    MemberId member = MemberId::kNone;
    bool moderator = false;
  };
  void remember(const base::AccountId& account, Visitor visitor);
  void forget(const base::AccountId& account) { visitors_.erase(account); }
  const Visitor* find(const base::AccountId& account) const;

 private:
  static constexpr std::size_t kMaxVisitors = 20'000;
  std::unordered_map<base::AccountId, Visitor> visitors_;
  std::deque<base::AccountId> order_;
};

// Read freely; only apply() writes.
struct Room {
  base::RoomId id;
  std::string title;
  RoomKind kind = RoomKind::kOpen;
  base::AccountId host;  // who started it: moderator on the first join
  RoomOptions options;
  bool locked = false;
  bool ended = false;
  bool opened = false;  // the host has been in; from then on there is a moderator until the end

  std::map<MemberId, Member> members;
  std::unordered_map<base::AccountId, MemberId> by_account;
  std::vector<MemberId> stage;         // the longest on stage first
  std::vector<MemberId> raised_hands;  // the longest raised first

  Visitors visitors;
  std::unordered_set<base::AccountId> blocked;
  Seats seats;
  std::uint32_t next_member = 1;

  const Member* find(MemberId id) const;
  const Member* find(const base::AccountId& account) const;
  std::size_t audience_count() const { return members.size() - stage.size(); }
  std::vector<MemberId> moderators() const;
};

// A room that nobody has joined yet.
Room start(base::RoomId id, std::string title, RoomKind kind, base::AccountId host,
           RoomOptions options);

// Applies a command given by a member (or kNone: Join, Close). On a refusal the room is unchanged.
// A command that changes nothing (a hand that is up is raised) succeeds without events.
std::expected<Events, Refusal> apply(Room& room, const Command& command, MemberId by,
                                     base::Instant now);

// Whether a Join would be accepted now, without joining.
std::expected<void, Refusal> check_join(const Room& room, const Join& join);
// The role that a Join would give.
Role role_on_join(const Room& room, const base::AccountId& account);

// What the member may do by its role and its present state, in the names of the API.
std::vector<std::string_view> allowed_commands(const Room& room, MemberId member);

}  // namespace alcove::rooms
