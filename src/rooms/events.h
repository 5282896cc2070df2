#pragma once
// What a command changed. The state after the command has the values; an event says where to look.

#include <variant>
#include <vector>

#include "rooms/commands.h"

namespace alcove::rooms {

struct MemberJoined {
  MemberId member;
  // It took the place of an older connection, which is to be cut.
  bool replaced = false;
};

// The member's connection is to be cut; the log does not know yet.
struct MemberLeaving {
  MemberId member;
  Leaf leaf{};
  LeaveCause cause = LeaveCause::kLeft;
};
// The member is no longer in the state. Not sent for those inside when a room ends.
struct MemberLeft {
  MemberId member;
  Leaf leaf{};
  Role role_before = Role::kListener;
  LeaveCause cause = LeaveCause::kLeft;
  bool was_leaving = false;
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

using Event = std::variant<MemberJoined, MemberLeaving, MemberLeft, MemberChanged,
                           RaisedHandsChanged, RoomChanged, ReactionSent, RoomEnded>;
using Events = std::vector<Event>;

}  // namespace alcove::rooms
