// Every change of a room. Each handler checks before it writes, so a refusal leaves the room as it
// was.

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "rooms/room.h"

namespace alcove::rooms {
namespace {

constexpr std::size_t kMaxBlocked = 20'000;

class Change {
 public:
  Change(Room& room, MemberId by, base::Instant now) : room_(room), by_(by), now_(now) {}

  using Outcome = std::expected<void, Refusal>;
  Outcome run(const Command& command);
  // Once a room has been opened there is somebody on its stage who moderates, or it ends. By the
  // log's rule (docs/protocol/room-keys.md, "Succession").
  void settle();
  Events take_events() { return std::move(events_); }

 private:
  Outcome check_permission(const Request& request) const;

  Outcome handle(const Join& join);
  Outcome handle(const Depart& command);
  Outcome handle(const GiveStage& command);
  Outcome handle(const Leave&);
  Outcome handle(const RaiseHand&);
  Outcome handle(const LowerHand&);
  Outcome handle(const DismissHand& command);
  Outcome handle(const Invite& command);
  Outcome handle(const AcceptInvitation&);
  Outcome handle(const DeclineInvitation&);
  Outcome handle(const MoveToAudience& command);
  Outcome handle(const SetMuted& command);
  Outcome handle(const MakeModerator& command);
  Outcome handle(const Remove& command);
  Outcome handle(const SetLocked& command);
  Outcome handle(const React& command);
  Outcome handle(const End&);
  Outcome handle(const Disconnect&);
  Outcome handle(const Reconnect&);
  Outcome handle(const Expire&);
  Outcome handle(const Close& command);

  Member& member(MemberId id) { return room_.members.at(id); }
  Member& self() { return member(by_); }
  MemberId take_place(const Join& join);
  bool to_stage(Member& member, Role role);
  void off_stage(Member& member);
  void lower_hand(Member& member);
  void begin_leaving(Member& member, LeaveCause cause);
  void leave(MemberId id, LeaveCause cause);
  void end(EndCause cause);
  void changed(const Member& member, Role role_before) {
    events_.emplace_back(MemberChanged{member.id, role_before});
  }
  void changed(const Member& member) { changed(member, member.role); }

  Room& room_;
  MemberId by_;
  base::Instant now_;
  Events events_;
};

Change::Outcome Change::run(const Command& command) {
  if (room_.ended) return std::unexpected(Refusal::kEnded);
  if (const std::optional<Request> request = request_of(command, by_)) {
    if (const Outcome allowed = check_permission(*request); !allowed) return allowed;
  }
  return std::visit([this](const auto& each) { return handle(each); }, command);
}

Change::Outcome Change::check_permission(const Request& request) const {
  const Member* actor = room_.find(by_);
  if (actor == nullptr || actor->leaving) return std::unexpected(Refusal::kNotMember);
  const Permission& row = permission(request.action);
  if ((row.actors & role_bit(actor->role)) == 0) return std::unexpected(Refusal::kNotAllowed);
  if (row.targets == 0) return {};
  const Member* target = room_.find(request.target);
  if (target == nullptr) return std::unexpected(Refusal::kMemberNotFound);
  if ((row.targets & role_bit(target->role)) == 0) return std::unexpected(Refusal::kWrongRole);
  if (!row.to_host && target->person.account == room_.host && target->id != by_)
    return std::unexpected(Refusal::kHostProtected);
  return {};
}

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
  if (leaver->connected && !leaver->leaving) return std::unexpected(Refusal::kGraceNotOver);
  leave(command.member, LeaveCause::kGone);
  return {};
}

Change::Outcome Change::handle(const GiveStage& command) {
  Member& target = member(command.member);
  if (!target.accepting) return std::unexpected(Refusal::kNotInvited);
  if (!to_stage(target, Role::kSpeaker)) return std::unexpected(Refusal::kStageFull);
  changed(target, Role::kListener);
  return {};
}

Change::Outcome Change::handle(const Leave&) {
  begin_leaving(self(), LeaveCause::kLeft);
  return {};
}

Change::Outcome Change::handle(const RaiseHand&) {
  Member& me = self();
  if (me.hand_raised) return {};
  if (room_.raised_hands.size() >= room_.options.max_raised_hands)
    return std::unexpected(Refusal::kHandsFull);
  me.hand_raised = true;
  room_.raised_hands.push_back(me.id);
  changed(me);
  events_.emplace_back(RaisedHandsChanged{});
  return {};
}

Change::Outcome Change::handle(const LowerHand&) {
  Member& me = self();
  if (!me.hand_raised) return {};
  lower_hand(me);
  changed(me);
  return {};
}

Change::Outcome Change::handle(const DismissHand& command) {
  Member& target = member(command.member);
  if (!target.hand_raised) return {};
  lower_hand(target);
  changed(target);
  return {};
}

Change::Outcome Change::handle(const Invite& command) {
  Member& target = member(command.member);
  target.invited_by = by_;
  if (target.invited) return {};
  target.invited = true;
  changed(target);
  // The queue of hands shows who was invited.
  if (target.hand_raised) events_.emplace_back(RaisedHandsChanged{});
  return {};
}

Change::Outcome Change::handle(const AcceptInvitation&) {
  Member& me = self();
  if (!me.invited) return std::unexpected(Refusal::kNotInvited);
  if (room_.seats.full()) return std::unexpected(Refusal::kStageFull);
  if (std::exchange(me.accepting, true)) return {};
  changed(me);
  return {};
}

Change::Outcome Change::handle(const DeclineInvitation&) {
  Member& me = self();
  if (!me.invited) return std::unexpected(Refusal::kNotInvited);
  me.invited = false;
  me.accepting = false;
  if (me.hand_raised) lower_hand(me);
  changed(me);
  return {};
}

Change::Outcome Change::handle(const MoveToAudience& command) {
  Member& target = command.member == MemberId::kNone ? self() : member(command.member);
  const bool last_moderator = target.role == Role::kModerator && room_.moderators().size() == 1;
  if (last_moderator && room_.stage.size() == 1) return std::unexpected(Refusal::kLastModerator);
  const Role before = target.role;
  off_stage(target);
  changed(target, before);
  return {};
}

Change::Outcome Change::handle(const SetMuted& command) {
  const bool by_self = command.member == MemberId::kNone || command.member == by_;
  if (!by_self && !command.muted) return std::unexpected(Refusal::kUnmuteOthers);
  Member& target = by_self ? self() : member(command.member);
  const bool by_moderator = command.muted && (target.muted_by_moderator || !by_self);
  if (target.muted == command.muted && target.muted_by_moderator == by_moderator) return {};
  target.muted = command.muted;
  target.muted_by_moderator = by_moderator;
  changed(target);
  return {};
}

Change::Outcome Change::handle(const MakeModerator& command) {
  Member& target = member(command.member);
  target.role = Role::kModerator;
  changed(target, Role::kSpeaker);
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

Change::Outcome Change::handle(const SetLocked& command) {
  if (room_.locked == command.locked) return {};
  room_.locked = command.locked;
  events_.emplace_back(RoomChanged{});
  return {};
}

Change::Outcome Change::handle(const React& command) {
  events_.emplace_back(ReactionSent{by_, command.reaction});
  return {};
}

Change::Outcome Change::handle(const End&) {
  end(EndCause::kEnded);
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

Change::Outcome Change::handle(const Close& command) {
  end(command.cause);
  return {};
}

bool Change::to_stage(Member& target, Role role) {
  const std::optional<Seat> seat = room_.seats.take();
  if (!seat) return false;
  target.seat = *seat;
  target.role = role;
  target.invited = false;
  target.accepting = false;
  target.muted = false;
  target.muted_by_moderator = false;
  target.on_stage_since = now_;
  room_.stage.push_back(target.id);
  if (target.hand_raised) lower_hand(target);
  return true;
}

void Change::off_stage(Member& target) {
  room_.seats.give_back(target.seat);
  target.seat = 0;
  target.role = Role::kListener;
  target.muted = false;
  target.muted_by_moderator = false;
  std::erase(room_.stage, target.id);
}

void Change::lower_hand(Member& target) {
  target.hand_raised = false;
  std::erase(room_.raised_hands, target.id);
  events_.emplace_back(RaisedHandsChanged{});
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

void Change::settle() {
  if (!room_.opened || room_.ended) return;
  if (std::ranges::all_of(room_.stage, [&](MemberId id) { return member(id).leaving; }))
    return end(EndCause::kEmpty);
  if (!room_.moderators().empty()) return;
  Member& heir = member(room_.stage.front());
  heir.role = Role::kModerator;
  changed(heir, Role::kSpeaker);
}

void Change::end(EndCause cause) {
  room_.ended = true;
  events_.emplace_back(RoomEnded{cause});
}

}  // namespace

std::expected<Events, Refusal> apply(Room& room, const Command& command, MemberId by,
                                     base::Instant now) {
  Change change(room, by, now);
  if (const auto outcome = change.run(command); !outcome) return std::unexpected(outcome.error());
  change.settle();
  return change.take_events();
}

std::expected<void, Refusal> Transaction::apply(const Command& command, MemberId by) {
  if (!after_) after_ = *before_;
  Change change(*after_, by, now_);
  if (const auto outcome = change.run(command); !outcome) return std::unexpected(outcome.error());
  std::ranges::move(change.take_events(), std::back_inserter(events_));
  return {};
}

Events Transaction::commit(Room& room) && {
  if (after_) room = *std::move(after_);
  Change change(room, MemberId::kNone, now_);
  change.settle();
  std::ranges::move(change.take_events(), std::back_inserter(events_));
  return std::move(events_);
}

}  // namespace alcove::rooms
