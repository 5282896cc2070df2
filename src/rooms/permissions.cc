#include "rooms/permissions.h"

#include <array>

#include "base/check.h"

namespace alcove::rooms {
namespace {

// Moderators are equal; only the host cannot be moved down, removed or replaced by them.
constexpr std::array kPermissions = {
    Permission{Action::kLeave, "leave", kEveryone, 0, true},
    Permission{Action::kRaiseHand, "raise_hand", kListeners, 0, true},
    Permission{Action::kLowerHand, "lower_hand", kListeners, 0, true},
    Permission{Action::kDismissHand, "dismiss_hand", kModerators, kListeners, true},
    Permission{Action::kInviteToStage, "invite_to_stage", kModerators, kListeners, true},
    Permission{Action::kAcceptInvitation, "accept_invitation", kListeners, 0, true},
    Permission{Action::kDeclineInvitation, "decline_invitation", kListeners, 0, true},
    Permission{Action::kStepDown, "move_to_audience", kOnStage, 0, true},
    Permission{Action::kMoveOthers, "move_others_to_audience", kModerators, kOnStage, false},
    Permission{Action::kMuteSelf, "set_muted", kOnStage, 0, true},
    Permission{Action::kMuteOthers, "mute_others", kModerators, kOnStage, true},
    Permission{Action::kMakeModerator, "make_moderator", kModerators, role_bit(Role::kSpeaker),
               true},
    Permission{Action::kRemoveMember, "remove_member", kModerators, kEveryone, false},
    Permission{Action::kSetLocked, "set_locked", kModerators, 0, true},
    Permission{Action::kSendReaction, "send_reaction", kEveryone, 0, true},
    Permission{Action::kEndRoom, "end_room", kModerators, 0, true},
};

struct Classify {
  MemberId by;

  using Answer = std::optional<Request>;
  static Answer self(Action action) { return Request{action, MemberId::kNone}; }
  bool is_self(MemberId member) const { return member == MemberId::kNone || member == by; }

  Answer operator()(const Leave&) const { return self(Action::kLeave); }
  Answer operator()(const RaiseHand&) const { return self(Action::kRaiseHand); }
  Answer operator()(const LowerHand&) const { return self(Action::kLowerHand); }
  Answer operator()(const DismissHand& c) const { return Request{Action::kDismissHand, c.member}; }
  Answer operator()(const Invite& c) const { return Request{Action::kInviteToStage, c.member}; }
  Answer operator()(const GiveStage& c) const { return Request{Action::kInviteToStage, c.member}; }
  Answer operator()(const AcceptInvitation&) const { return self(Action::kAcceptInvitation); }
  Answer operator()(const DeclineInvitation&) const { return self(Action::kDeclineInvitation); }
  Answer operator()(const MoveToAudience& c) const {
    return is_self(c.member) ? self(Action::kStepDown) : Request{Action::kMoveOthers, c.member};
  }
  Answer operator()(const SetMuted& c) const {
    return is_self(c.member) ? self(Action::kMuteSelf) : Request{Action::kMuteOthers, c.member};
  }
  Answer operator()(const MakeModerator& c) const {
    return Request{Action::kMakeModerator, c.member};
  }
  Answer operator()(const Remove& c) const { return Request{Action::kRemoveMember, c.member}; }
  Answer operator()(const SetLocked&) const { return self(Action::kSetLocked); }
  Answer operator()(const React&) const { return self(Action::kSendReaction); }
  Answer operator()(const End&) const { return self(Action::kEndRoom); }
  Answer operator()(const auto&) const { return std::nullopt; }
};

}  // namespace

std::span<const Permission> permissions() { return kPermissions; }

const Permission& permission(Action action) {
  const Permission& found = kPermissions[static_cast<std::size_t>(action)];
  CHECK(found.action == action);  // the table is in the order of Action
  return found;
}

std::optional<Request> request_of(const Command& command, MemberId by) {
  return std::visit(Classify{by}, command);
}

}  // namespace alcove::rooms
