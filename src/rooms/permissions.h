#pragma once
// Who may do what to whom, as a table. Any thread.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "rooms/commands.h"

namespace alcove::rooms {

// A set of roles, one bit each.
using RoleSet = std::uint8_t;
constexpr RoleSet role_bit(Role role) {
  return static_cast<RoleSet>(1U << static_cast<unsigned>(role));
}
inline constexpr RoleSet kListeners = role_bit(Role::kListener);
inline constexpr RoleSet kModerators = role_bit(Role::kModerator);
inline constexpr RoleSet kOnStage = role_bit(Role::kSpeaker) | kModerators;
inline constexpr RoleSet kEveryone = kListeners | kOnStage;

// What a member does. Commands that can be given to oneself or to another are two actions.
enum class Action : std::uint8_t {
  kLeave,
  kRaiseHand,
  kLowerHand,
  kDismissHand,
  kInviteToStage,
  kAcceptInvitation,
  kDeclineInvitation,
  kStepDown,
  kMoveOthers,
  kMuteSelf,
  kMuteOthers,
  kMakeModerator,
  kRemoveMember,
  kSetLocked,
  kSendReaction,
  kEndRoom,
};

struct Permission {
  Action action;
  // As in allowed_commands of the API: the command's field name in RoomCommand; "…_others" where
  // the same field is given to another member.
  std::string_view name;
  RoleSet actors;
  // Roles of the member that it is done to; 0 where it is done to oneself or to the room.
  RoleSet targets;
  // May be done to the one who started the room.
  bool to_host;
};

std::span<const Permission> permissions();
const Permission& permission(Action action);

// What a member's command is and whom it is done to; nullopt for commands that are not a member's.
struct Request {
  Action action;
  MemberId target;  // kNone where it is done to oneself or to the room
};
std::optional<Request> request_of(const Command& command, MemberId by);

}  // namespace alcove::rooms
