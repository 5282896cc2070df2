#pragma once
// What can be asked of a room, and what its log says of it: who is in and in what role is decided
// there (docs/protocol/room-keys.md), and the room follows. Pure data; one thread.

#include <variant>

#include "rooms/types.h"

namespace alcove::rooms {

// From the log, given without a member (`by` is MemberId::kNone).
struct Join {
  Person person;
  // Whether a moderator of the room follows this account; decided by the caller, needed in social
  // rooms.
  bool followed_by_moderator = false;
  Leaf leaf{};
  // Whose place, role and seat this join takes. Another member of the same account begins to leave;
  // it is refused when the room would end with that.
  MemberId replaces = MemberId::kNone;
  // On the stage as moderator: the host's first join, a moderator who comes back or resumes.
  bool as_moderator = false;
};
// From the log: a member is out. By the member itself, or by another when it is leaving.
struct Depart {
  MemberId member;
};
// From the log, by a moderator: a listener who accepted the invitation comes onto the stage.
struct GiveStage {
  MemberId member;
};

// By a member. Begins to leave: out for everybody, inside for the log until Depart.
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

// By the server, about the member in `by`: its connection went, came back, or its grace is over and
// it begins to leave.
struct Disconnect {};
struct Reconnect {};
struct Expire {};

enum class EndCause : std::uint8_t { kEnded, kEmpty, kServer };
// By the server, without a member.
struct Close {
  EndCause cause = EndCause::kServer;
};

using Command =
    std::variant<Join, Depart, GiveStage, Leave, RaiseHand, LowerHand, DismissHand, Invite,
                 AcceptInvitation, DeclineInvitation, MoveToAudience, SetMuted, MakeModerator,
                 Remove, SetLocked, React, End, Disconnect, Reconnect, Expire, Close>;

}  // namespace alcove::rooms
