#pragma once
// A room with its log and the connections of those inside and of those who wait. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alcove/v1/events.pb.h"
#include "base/bytes.h"
#include "base/http.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/api_error.h"
#include "control/lru_map.h"
#include "control/rate_limit.h"
#include "control/room_log.h"
#include "control/timers.h"
#include "rooms/room.h"
#include "store/store.h"

namespace alcove::control {

// The WebSocket of a member, as a room sees it.
class MemberSocket {
 public:
  virtual ~MemberSocket() = default;
  virtual void send(base::Buffer message) = 0;
  // A message with an end that others get, too.
  virtual void send_shared(base::Buffer begin, std::shared_ptr<const base::Buffer> end) = 0;
  // Sends what is queued, then closes. The room does not use it any more.
  virtual void close() = 0;
  // Whether messages may be as large as the room's keys need, both ways.
  virtual void allow_large(bool allowed) = 0;
};

// One live join, of a member or of a candidate.
struct Membership {
  rooms::MemberId member = rooms::MemberId::kNone;  // kNone: a candidate
  std::uint32_t candidate = 0;                      // 0: a member
  base::JoinId join_id;
  store::Hash token_hash{};
  base::SessionId session;
  roomlog::Hash leaf{};

  MemberSocket* socket = nullptr;
  // A WebSocket is given some time to come after the join; until then the member counts as
  // connected.
  bool awaiting_socket = true;
  std::uint64_t revision = 1;  // of the last message to this member
  v1::MediaChanged::State media = v1::MediaChanged::STATE_UNSPECIFIED;
  bool may_send = false;  // as the relay was told last

  // The entry that admitted this join; its socket has been sent Admitted.
  std::uint64_t admit_n = 0;
  std::string join_box;
  bool admitted_sent = false;
  bool admitted_known = false;  // its client has shown that it got it
  // Whether its socket gets entries as they come. Not between Hello and HaveEntry.
  bool following = false;

  Timers::Id socket_timer = 0;
  Timers::Id expire_timer = 0;
  Timers::Id offer_timer = 0;     // a candidate's, for the next offer to go on
  Timers::Id roster_timer = 0;    // a roster is on its way in parts
  Timers::Id admitted_timer = 0;  // for HaveEntry, after Admitted was sent again
  Bucket commands, reactions, hands, appends, beats, rosters, catch_ups;
};

// Who has an endpoint at the relay and waits to be admitted. Not in the room's state.
struct Candidate {
  Membership join;
  rooms::Person person;
  bool followed_by_moderator = false;
  v1::JoinKeys keys;
  roomlog::Certificate certificate;
  // The relay has its endpoint: from here on it is asked for.
  bool opened = false;
  // As told last; UNSPECIFIED: nothing yet.
  v1::Waiting::Reason waiting = v1::Waiting::REASON_UNSPECIFIED;
  // By a keeper, while the candidate has no socket to hear it on.
  std::optional<ApiError> refused;
};

// What the control plane would like a stage member's client to write or send.
enum class TaskKind : std::uint8_t { kAdmit, kDepart, kGiveStage, kRebox };
struct KeeperTaskState {
  std::set<roomlog::Hash> asked;    // in this round
  std::set<roomlog::Hash> cannot;   // have said that they cannot check
  std::set<roomlog::Hash> trusted;  // all who were asked: only they may answer
  Timers::Id timer = 0;
};

// Reactions since the last batch.
struct ReactionTally {
  std::uint32_t count = 0;
  std::vector<rooms::MemberId> members;  // the first few
};

struct LiveRoom {
  explicit LiveRoom(roomlog::Genesis genesis) : log(std::move(genesis)) {}

  rooms::Room state;
  RoomLog log;
  base::RelayRoomId relay_room;
  base::WallTime started_at;
  // Of those in the state who have not begun to leave.
  std::map<rooms::MemberId, Membership> members;

  std::map<roomlog::Hash, Candidate> candidates;  // by leaf
  std::map<std::uint32_t, roomlog::Hash> candidate_numbers;
  std::multiset<crypto::Ed25519PublicKey> candidate_identities;
  std::uint32_t next_candidate = 1;
  // Leaf keys of joins: each is for one join.
  LruMap<crypto::Ed25519PublicKey, bool> seen_leaves{20'000};
  // What is open for a keeper, by the leaf that it is about.
  std::map<std::pair<TaskKind, roomlog::Hash>, KeeperTaskState> tasks;

  // GET …/log as of entry n, as JSON and in binary.
  struct LogAnswer {
    std::uint64_t n = 0;
    std::optional<base::HttpResponse> response;
  };
  std::array<LogAnswer, 2> log_answers;

  // What the next batch has.
  bool audience_dirty = false;
  bool hands_dirty = false;
  std::map<rooms::Reaction, ReactionTally> reactions;
  base::Instant audience_due{};  // not before
  Timers::Id batch_timer = 0;
  base::Instant batch_at{};  // when the timer runs
  Timers::Id opening_timer = 0;
};

// A room stays valid while it is held, also when it has ended (state.ended).
using RoomRef = std::shared_ptr<LiveRoom>;

}  // namespace alcove::control
