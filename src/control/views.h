#pragma once
// A room as the schema shows it to one kind of receiver: moderators see raised hands, others their
// count. One thread.

#include <string_view>

#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "control/live_room.h"

namespace alcove::control {

enum class View : std::uint8_t { kMember, kModerator };
View view_of(const rooms::Member& member);

// own: the receiver's own member, whose hand and invitation it may see.
v1::Member to_proto(const rooms::Member& member, View view, bool own = false);
v1::RoomKind to_proto(rooms::RoomKind kind);
v1::Reaction to_proto(rooms::Reaction reaction);
std::optional<rooms::RoomKind> from_proto(v1::RoomKind kind);
std::optional<rooms::Reaction> from_proto(v1::Reaction reaction);

v1::RoomSummary summary_of(const LiveRoom& room);
// With membership's revision. The member is inside (CHECK).
v1::RoomState state_of(const LiveRoom& room, const Membership& membership);

v1::RoomEvent audience_event(const rooms::Room& room, View view);
v1::RoomEvent hands_event(const rooms::Room& room, View view);
v1::RoomEvent self_event(const rooms::Room& room, const rooms::Member& member);
v1::RoomEvent reactions_event(const std::map<rooms::Reaction, ReactionTally>& reactions);

}  // namespace alcove::control
