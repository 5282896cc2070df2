// Who comes in, who leaves and who is out.

#include <cstddef>
#include <utility>

#include "base/check.h"
#include "rooms/change.h"

namespace alcove::rooms {
namespace {

constexpr std::size_t kMaxBlocked = 20'000;

}  // namespace

Change::Outcome Change::handle(const Join& join) {
  if (const Outcome allowed = check_join(room_, join); !allowed) return allowed;
  const Member* replaced = room_.find(join.replaces);
  const bool needs_seat = join.as_moderator && (replaced == nullptr || !replaced->on_stage());
  if (needs_seat && room_.seats.full()) return std::unexpected(Refusal::kStageFull);
  const MemberId id = take_place(join);
  Member& joined = room_.members[id];
  joined.id = id;
  joined.person = join.person;
  joined.leaf = join.leaf;
  joined.connected = true;
  joined.leaving = false;
  room_.leaving.erase(id);
  room_.by_account[join.person.account] = id;
  room_.by_leaf[join.leaf] = id;
  if (replaced == nullptr) joined.joined_at = now_;
  // Moderators' clients remember whom they invited by the leaf: the invitation went with it.
  if (std::exchange(joined.invited, false) && joined.hand_raised)
    events_.emplace_back(RaisedHandsChanged{});  // shows who is invited
  joined.accepting = false;
  joined.invited_by = MemberId::kNone;
  if (join.as_moderator) {
    if (joined.on_stage()) joined.role = Role::kModerator;
    if (!joined.on_stage()) CHECK(to_stage(joined, Role::kModerator));
    room_.opened = true;
  }
  events_.emplace_back(MemberJoined{id, replaced != nullptr});
  return {};
}

// Which member a join becomes; whoever is in its way makes room.
MemberId Change::take_place(const Join& join) {
  const base::AccountId& account = join.person.account;
  const Member* replaced = room_.find(join.replaces);
  const auto inside = room_.by_account.find(account);
  if (inside != room_.by_account.end() && inside->second != join.replaces)
    begin_leaving(member(inside->second), LeaveCause::kReplaced);
  if (replaced != nullptr) {
    room_.by_leaf.erase(replaced->leaf);
    const auto old = room_.by_account.find(replaced->person.account);
    if (old != room_.by_account.end() && old->second == replaced->id) room_.by_account.erase(old);
    return replaced->id;
  }
  const std::optional<MemberId> visitor = room_.visitors.find(account);
  if (visitor && room_.find(*visitor) == nullptr) return *visitor;
  return MemberId{room_.next_member++};
}

Change::Outcome Change::handle(const Depart& command) {
  const Member* leaver = room_.find(command.member);
  if (leaver == nullptr) return std::unexpected(Refusal::kMemberNotFound);
  if (command.member == by_) {
    leave(by_, LeaveCause::kLeft);
    return {};
  }
  // Somebody who is away may come back until the grace is over, and keeps the place with a reload.
  if (!leaver->leaving) return std::unexpected(Refusal::kGraceNotOver);
  leave(command.member, LeaveCause::kGone);
  return {};
}

Change::Outcome Change::handle(const Leave&) {
  begin_leaving(self(), LeaveCause::kLeft);
  return {};
}

Change::Outcome Change::handle(const Remove& command) {
  if (command.member == by_) return std::unexpected(Refusal::kWrongRole);
  if (room_.blocked.size() >= kMaxBlocked) return std::unexpected(Refusal::kBlockListFull);
  const base::AccountId account = member(command.member).person.account;
  leave(command.member, LeaveCause::kRemoved);
  room_.visitors.forget(account);
  room_.blocked.insert(account);
  return {};
}

Change::Outcome Change::handle(const Disconnect&) {
  if (room_.find(by_) == nullptr) return std::unexpected(Refusal::kNotMember);
  Member& me = self();
  if (!me.connected) return {};
  me.connected = false;
  me.away_since = now_;
  changed(me);
  return {};
}

Change::Outcome Change::handle(const Reconnect&) {
  const Member* member = room_.find(by_);
  if (member == nullptr || member->leaving) return std::unexpected(Refusal::kNotMember);
  Member& me = self();
  if (me.connected) return {};
  me.connected = true;
  changed(me);
  return {};
}

Change::Outcome Change::handle(const Expire&) {
  const Member* me = room_.find(by_);
  if (me == nullptr) return std::unexpected(Refusal::kNotMember);
  if (me->connected || now_ - me->away_since < room_.options.reconnect_grace)
    return std::unexpected(Refusal::kGraceNotOver);
  begin_leaving(self(), LeaveCause::kGone);
  return {};
}

void Change::begin_leaving(Member& leaver, LeaveCause cause) {
  if (std::exchange(leaver.leaving, true)) return;
  room_.leaving.insert(leaver.id);
  leaver.invited = false;
  leaver.accepting = false;
  if (leaver.hand_raised) lower_hand(leaver);
  if (std::exchange(leaver.connected, false)) leaver.away_since = now_;
  events_.emplace_back(MemberLeaving{leaver.id, leaver.leaf, cause});
}

void Change::leave(MemberId id, LeaveCause cause) {
  Member& leaver = member(id);
  const Role before = leaver.role;
  const bool was_leaving = leaver.leaving;
  const base::AccountId account = leaver.person.account;
  const Leaf leaf = leaver.leaf;
  room_.visitors.remember(account, id);
  if (leaver.hand_raised) lower_hand(leaver);
  if (leaver.on_stage()) off_stage(leaver);
  room_.leaving.erase(id);
  room_.by_leaf.erase(leaf);
  const auto own = room_.by_account.find(account);
  if (own != room_.by_account.end() && own->second == id) room_.by_account.erase(own);
  room_.members.erase(id);
  events_.emplace_back(MemberLeft{id, leaf, before, cause, was_leaving});
}

}  // namespace alcove::rooms
