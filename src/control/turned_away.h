#pragma once
// Whom of its candidates a room does not take, whatever the log says: the log knows identities, the
// room accounts, places and who is alone on the stage. Pure.

#include <vector>

#include "control/api_error.h"
#include "control/live_room.h"

namespace alcove::control {

// What an entry that admits it now would be for the room.
rooms::Join likely_join(const LiveRoom& room, const rooms::Person& person,
                        bool followed_by_moderator, const roomlog::Certificate& certificate);

inline constexpr int kMaxAdmits = 16;  // of one entry

struct TurnedAway {
  roomlog::Hash leaf{};
  ApiError why;
};
// Of those whom this entry was to admit: without them the others can come in.
std::vector<TurnedAway> turned_away(const LiveRoom& room, const v1::AppendEntry& request);

}  // namespace alcove::control
