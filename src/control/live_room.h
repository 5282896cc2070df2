#pragma once
// A room with the connections of those inside. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "alcove/v1/events.pb.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/rate_limit.h"
#include "control/timers.h"
#include "rooms/room.h"
#include "store/store.h"

namespace alcove::control {

// The WebSocket of a member, as a room sees it.
class MemberSocket {
 public:
  virtual ~MemberSocket() = default;
  virtual void send(base::Buffer message) = 0;
  // Sends what is queued, then closes. The room does not use it any more.
  virtual void close() = 0;
};

// One live join of one member.
struct Membership {
  rooms::MemberId member = rooms::MemberId::kNone;
  base::JoinId join_id;
  store::Hash token_hash{};
  base::SessionId session;

  MemberSocket* socket = nullptr;
  // A WebSocket is given some time to come after the join; until then the member counts as
  // connected.
  bool awaiting_socket = true;
  std::uint64_t revision = 1;  // of the last message to this member
  v1::MediaChanged::State media = v1::MediaChanged::STATE_UNSPECIFIED;
  bool may_send = false;  // as the relay was told last

  Timers::Id socket_timer = 0;
  Timers::Id expire_timer = 0;
  Bucket commands, reactions, hands;
};

// Reactions since the last batch.
struct ReactionTally {
  std::uint32_t count = 0;
  std::vector<rooms::MemberId> members;  // the first few
};

struct LiveRoom {
  rooms::Room state;
  base::RelayRoomId relay_room;
  base::WallTime started_at;
  std::map<rooms::MemberId, Membership> members;

  // What the next batch has.
  bool audience_dirty = false;
  bool hands_dirty = false;
  std::map<rooms::Reaction, ReactionTally> reactions;
  base::Instant audience_due{};  // not before
  Timers::Id batch_timer = 0;
  base::Instant batch_at{};  // when the timer runs
  Timers::Id opening_timer = 0;
};

}  // namespace alcove::control
