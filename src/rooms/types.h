#pragma once
// The values of a room: who is in it and in what role. Pure data; one thread.

#include <array>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"

namespace alcove::rooms {

// Small and unique in the room's life; what commands name. kNone is nobody: a join, or the server.
enum class MemberId : std::uint32_t { kNone = 0 };

constexpr std::uint32_t number(MemberId id) { return static_cast<std::uint32_t>(id); }

enum class RoomKind : std::uint8_t {
  kOpen,    // anyone
  kSocial,  // people whom a moderator follows, moderators, and people coming back
  kClosed,  // whoever has the link: knowing the room's id is having it
};

enum class Role : std::uint8_t { kListener, kSpeaker, kModerator };

enum class Reaction : std::uint8_t { kClap, kHeart, kLaugh, kWow, kThumbsUp };

// On stage: 1 to 255. 0 is no seat.
using Seat = std::uint8_t;

// The hash that names one join in the room's log (docs/protocol/room-keys.md); opaque here.
using Leaf = std::array<std::uint8_t, 32>;

// A person as the room knows it. A guest's account id is made for its session, so blocking by
// account id holds for guests as well.
struct Person {
  base::AccountId account;
  std::string username;  // empty for a guest
  std::string display_name;
  bool guest = false;
};

struct Member {
  MemberId id = MemberId::kNone;
  Person person;
  Leaf leaf{};
  Role role = Role::kListener;
  bool hand_raised = false;
  bool invited = false;    // to the stage, not yet there
  bool accepting = false;  // has accepted; the log is to say so
  MemberId invited_by = MemberId::kNone;
  bool muted = false;
  // A moderator muted: the relay refuses the member's packets until the member itself unmutes.
  bool muted_by_moderator = false;
  Seat seat = 0;  // 0 for a listener
  bool connected = true;
  // Has left for good, and stays only until the log says so. A listener is not shown any more, a
  // member of the stage as not connected.
  bool leaving = false;
  base::Instant joined_at;
  base::Instant on_stage_since;  // of the present stay on stage
  base::Instant away_since;      // while not connected

  bool on_stage() const { return role != Role::kListener; }
  bool shown() const { return on_stage() || !leaving; }
  // Whether the relay forwards what this member sends. Its own mute is not enforced there:
  // push-to-talk would lose a round trip of speech at every press.
  bool may_send() const { return on_stage() && !muted_by_moderator; }
};

enum class LeaveCause : std::uint8_t { kLeft, kRemoved, kGone, kReplaced };

struct RoomOptions {
  std::uint32_t max_members = 5000;
  std::uint32_t max_raised_hands = 200;
  // How long a member may be without a connection before Expire takes it out.
  base::Duration reconnect_grace = base::seconds(15);
};

}  // namespace alcove::rooms
