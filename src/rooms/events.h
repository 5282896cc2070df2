#pragma once
// What a command changed. The state after the command has the values; an event says where to look.

#include <variant>
#include <vector>

#include "rooms/commands.h"

namespace alcove::rooms {

struct MemberJoined {
  MemberId member;
  // The person was inside already: the older connection is to be cut.
  bool replaced = false;
};

enum class LeaveCause : std::uint8_t { kLeft, kRemoved, kGone };
// The member is no longer in the state. Not sent for those inside when a room ends.
struct MemberLeft {
  MemberId member;
  Role role_before = Role::kListener;
  LeaveCause cause = LeaveCause::kLeft;
};

// Role, hand, invitation, mute, seat or connection.
struct MemberChanged {
  MemberId member;
  Role role_before = Role::kListener;
};
struct RaisedHandsChanged {};
struct RoomChanged {};
struct ReactionSent {
  MemberId member;
  Reaction reaction;
};
struct RoomEnded {
  EndCause cause;
};

using Event = std::variant<MemberJoined, MemberLeft, MemberChanged, RaisedHandsChanged, RoomChanged,
                           ReactionSent, RoomEnded>;
using Events = std::vector<Event>;

}  // namespace alcove::rooms
