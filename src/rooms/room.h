#pragma once
// A room as a pure state machine: no clock, no randomness, no connections. One thread.

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <set>
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

// People who were inside and left: they may come back to a locked or social room, and keep their
// member id. Bounded; the longest gone is forgotten first.
class Visitors {
 public:
  void remember(const base::AccountId& account, MemberId member);
  void forget(const base::AccountId& account) { visitors_.erase(account); }
  std::optional<MemberId> find(const base::AccountId& account) const;

 private:
  static constexpr std::size_t kMaxVisitors = 20'000;
  std::unordered_map<base::AccountId, MemberId> visitors_;
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
  std::unordered_map<base::AccountId, MemberId> by_account;  // of two of an account, the newer
  std::map<Leaf, MemberId> by_leaf;
  std::set<MemberId> leaving;
  std::vector<MemberId> stage;         // the longest on stage first
  std::vector<MemberId> raised_hands;  // the longest raised first

  Visitors visitors;
  std::unordered_set<base::AccountId> blocked;
  Seats seats;
  std::uint32_t next_member = 1;

  const Member* find(MemberId id) const;
  const Member* find(const base::AccountId& account) const;
  const Member* find(const Leaf& leaf) const;
  // As shown: without listeners who are leaving.
  std::size_t audience_count() const;
  std::size_t member_count() const { return stage.size() + audience_count(); }
  std::vector<MemberId> moderators() const;
};

// A room that nobody has joined yet.
Room start(base::RoomId id, std::string title, RoomKind kind, base::AccountId host,
           RoomOptions options);

// Applies a command given by a member (or kNone: Join, Close). On a refusal the room is unchanged.
// A command that changes nothing (a hand that is up is raised) succeeds without events.
std::expected<Events, Refusal> apply(Room& room, const Command& command, MemberId by,
                                     base::Instant now);

// Several commands as one: none is in force before commit(), and who moderates is settled after the
// last. After a refusal the transaction is only good for being dropped.
class Transaction {
 public:
  // room outlives this and does not change before commit(). It is copied with the first command.
  Transaction(const Room& room, base::Instant now) : before_(&room), now_(now) {}
  std::expected<void, Refusal> apply(const Command& command, MemberId by);
  // As the commands so far have made it.
  const Room& room() const { return after_ ? *after_ : *before_; }
  // room is the one that the transaction began with.
  Events commit(Room& room) &&;

 private:
  const Room* before_;
  std::optional<Room> after_;
  base::Instant now_;
  Events events_;
};

// Whether a Join would be accepted now, without joining.
std::expected<void, Refusal> check_join(const Room& room, const Join& join);
// When this member leaves the stage, the room ends: those who are leaving do not keep it.
bool is_last_of_stage(const Room& room, const Member& member);

// What the member may do by its role and its present state, in the names of the API.
std::vector<std::string_view> allowed_commands(const Room& room, MemberId member);

}  // namespace alcove::rooms
