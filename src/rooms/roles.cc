// Hands, invitations, seats, roles and mutes.

#include <utility>

#include "rooms/change.h"

namespace alcove::rooms {

Change::Outcome Change::handle(const GiveStage& command) {
  Member& target = member(command.member);
  if (!target.accepting) return std::unexpected(Refusal::kNotInvited);
  if (!to_stage(target, Role::kSpeaker)) return std::unexpected(Refusal::kStageFull);
  changed(target, Role::kListener);
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
  // A stage of people who are leaving is an empty one: the room would end.
  if (is_last_of_stage(room_, target)) return std::unexpected(Refusal::kLastModerator);
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

}  // namespace alcove::rooms
