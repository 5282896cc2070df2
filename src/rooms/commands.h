#pragma once
// What can be asked of a room. Pure data; one thread.

#include <variant>

#include "rooms/types.h"

namespace alcove::rooms {

// Given without a member (`by` is MemberId::kNone). A person who is inside already is replaced: the
// same member, role and seat on a new connection.
struct Join {
  Person person;
  // Whether a moderator of the room follows this account; decided by the caller, needed in social
  // rooms.
  bool followed_by_moderator = false;
};

// By a member.
struct Leave {};
struct RaiseHand {};
struct LowerHand {};
struct DismissHand {
  MemberId member;
};
struct Invite {
  MemberId member;
};
struct AcceptInvitation {};
struct DeclineInvitation {};
// Oneself (step down) or, by a moderator, another.
struct MoveToAudience {
  MemberId member;
};
// Moderators mute others; only oneself unmutes.
struct SetMuted {
  MemberId member;
  bool muted = false;
};
struct MakeModerator {
  MemberId member;
};
// Removes and blocks for the room's life.
struct Remove {
  MemberId member;
};
struct SetLocked {
  bool locked = false;
};
struct React {
  Reaction reaction = Reaction::kClap;
};
struct End {};

// By the server, about the member in `by`: its connection went, came back, or its grace is over.
struct Disconnect {};
struct Reconnect {};
struct Expire {};

enum class EndCause : std::uint8_t { kEnded, kEmpty, kServer };
// By the server, without a member.
struct Close {
  EndCause cause = EndCause::kServer;
};

using Command =
    std::variant<Join, Leave, RaiseHand, LowerHand, DismissHand, Invite, AcceptInvitation,
                 DeclineInvitation, MoveToAudience, SetMuted, MakeModerator, Remove, SetLocked,
                 React, End, Disconnect, Reconnect, Expire, Close>;

}  // namespace alcove::rooms
