// Who waits to be admitted: asked for at a keeper, told whom it waits for, or let the room go on
// itself when nobody is there to keep it.

#include <utility>

#include "control/house.h"
#include "control/outbox.h"
#include "control/turned_away.h"

namespace alcove::control {
namespace {

// How long a join waits for its WebSocket.
constexpr base::Duration kSocketTime = base::seconds(5);

ApiError replaced_error() {
  return {.code = base::ErrorCode::kFailedPrecondition,
          .reason = "join.replaced",
          .message = "A later join of the same account took over."};
}

ApiError over_error() {
  return {.code = base::ErrorCode::kUnauthenticated,
          .reason = "join.invalid",
          .message = "This join is over: join again."};
}

// By an older join of this identity.
bool is_on_stage(const LiveRoom& room, const Candidate& candidate) {
  const roomlog::LogState& log = room.log.state();
  const roomlog::Certificate* inside = log.member_of(candidate.certificate.identity);
  return inside != nullptr && log.on_stage(inside->leaf_hash) != nullptr;
}

}  // namespace

std::expected<void, ApiError> House::add_candidate(const RoomRef& room, Application application) {
  const rooms::Join join = likely_join(*room, application.person, application.followed_by_moderator,
                                       application.certificate);
  if (const auto allowed = rooms::check_join(room->state, join); !allowed)
    return std::unexpected(to_api_error(allowed.error()));
  if (room->seen_leaves.find(application.certificate.leaf) != nullptr)
    return std::unexpected(ApiError{.code = base::ErrorCode::kInvalidArgument,
                                    .reason = "join.bad_keys",
                                    .message = "Each join needs keys of its own."});
  for (const auto& [leaf, other] : room->candidates) {
    if (other.person.account != application.person.account) continue;
    drop_candidate(room, roomlog::Hash(leaf), replaced_error());
    break;
  }
  if (room->candidates.size() >= room->state.options.max_members)
    return std::unexpected(to_api_error(rooms::Refusal::kFull));
  const roomlog::Hash leaf = application.certificate.leaf_hash;
  room->seen_leaves.insert(application.certificate.leaf, true);
  Candidate& candidate = room->candidates[leaf];
  candidate.join.candidate = room->next_candidate++;
  candidate.join.join_id = application.join_id;
  candidate.join.token_hash = application.token_hash;
  candidate.join.session = application.session;
  candidate.join.leaf = leaf;
  candidate.person = std::move(application.person);
  candidate.followed_by_moderator = application.followed_by_moderator;
  candidate.keys = std::move(application.keys);
  candidate.certificate = std::move(application.certificate);
  room->candidate_numbers.emplace(candidate.join.candidate, leaf);
  by_token_.emplace(candidate.join.token_hash, Location{room, leaf});
  by_join_.emplace(candidate.join.join_id, Location{room, leaf});
  return {};
}

void House::ask_for(const base::JoinId& join_id) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->is_member()) return;
  Candidate& candidate = place->room->candidates.at(place->membership->leaf);
  if (std::exchange(candidate.opened, true)) return;
  place->room->candidate_identities.insert(candidate.certificate.identity);
  // Who is about to be replaced keeps the room no longer: that concerns the others, too.
  if (is_on_stage(*place->room, candidate)) return review(place->room);
  review(place->room, candidate, false);
}

void House::expect_socket(const base::JoinId& join_id) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->membership->socket != nullptr) return;
  place->membership->socket_timer =
      context_.timers.schedule(context_.now + kSocketTime, [this, join_id] {
        const std::optional<Place> late = find_by_join(join_id);
        if (!late) return;
        late->membership->socket_timer = 0;
        if (late->membership->socket != nullptr) return;
        if (!late->is_member())
          return drop_candidate(late->room, roomlog::Hash(late->membership->leaf), over_error());
        late->membership->awaiting_socket = false;
        update_presence(late->room, *late->membership);
      });
}

void House::abandon(const base::JoinId& join_id, const ApiError& reason) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place) return;
  if (place->is_member()) return leave(*place);
  drop_candidate(place->room, roomlog::Hash(place->membership->leaf), reason);
}

Candidate House::take_candidate(LiveRoom& room, const roomlog::Hash& leaf) {
  auto node = room.candidates.extract(leaf);
  Candidate candidate = std::move(node.mapped());
  room.candidate_numbers.erase(candidate.join.candidate);
  const auto identity = room.candidate_identities.find(candidate.certificate.identity);
  if (candidate.opened && identity != room.candidate_identities.end())
    room.candidate_identities.erase(identity);
  keepers_.close(room, TaskKind::kAdmit, leaf);
  context_.timers.cancel(candidate.join.expire_timer);
  context_.timers.cancel(candidate.join.offer_timer);
  return candidate;
}

void House::drop_candidate(const RoomRef& room, const roomlog::Hash& leaf, const ApiError& reason) {
  if (!room->candidates.contains(leaf)) return;
  Candidate candidate = take_candidate(*room, leaf);
  forget(candidate.join);
  close_endpoint(context_, candidate.join.join_id);
  send_goodbye(context_, candidate.join, reason);
  if (on_dropped_) on_dropped_(candidate.join.join_id, reason);
  // Who was to be replaced keeps the room again.
  if (is_on_stage(*room, candidate)) review(room);
}

void House::drop_candidates(const RoomRef& room, const ApiError& reason) {
  while (!room->candidates.empty())
    drop_candidate(room, roomlog::Hash(room->candidates.begin()->first), reason);
}

void House::review(const RoomRef& room) {
  if (room->state.ended) return;
  std::vector<roomlog::Hash> leaves;
  for (const auto& [leaf, candidate] : room->candidates) leaves.push_back(leaf);
  for (const roomlog::Hash& leaf : leaves)
    if (const auto found = room->candidates.find(leaf); found != room->candidates.end())
      review(room, found->second, false);
  keepers_.review(room);
}

void House::review(const RoomRef& room, Candidate& candidate, bool tell_again) {
  if (candidate.refused || !candidate.opened) return;
  const roomlog::LogState& log = room->log.state();
  v1::Waiting::Reason reason = v1::Waiting::REASON_NOBODY;
  if (Keepers::can_ask(*room, TaskKind::kAdmit, candidate.join.leaf))
    reason = v1::Waiting::REASON_ASKED;
  else if (log.has_authority(candidate.certificate.identity) && Keepers::connected(*room).empty())
    reason = v1::Waiting::REASON_RESUME;
  const bool changed = std::exchange(candidate.waiting, reason) != reason;
  if (reason == v1::Waiting::REASON_ASKED)
    keepers_.open(room, TaskKind::kAdmit, candidate.join.leaf);
  if (!changed && !tell_again) return;
  if (candidate.join.socket != nullptr)
    candidate.join.socket->allow_large(reason == v1::Waiting::REASON_RESUME);
  v1::KeysFromServer keys;
  keys.mutable_waiting()->set_reason(reason);
  send_keys(context_, candidate.join, std::move(keys));
  if (reason == v1::Waiting::REASON_RESUME) offer_resume(room, candidate);
}

// The log as it stands must not move under who is to go on with it. A roster is large: what is
// asked for too often (by a resync, by entries that are refused) comes later.
void House::offer_resume(const RoomRef& room, Candidate& candidate) {
  if (candidate.join.socket == nullptr || candidate.join.offer_timer != 0) return;
  if (const auto error = context_.check_limit(Limit::kRoster, candidate.join.rosters))
    return offer_later(room, candidate, base::seconds(error->retry_after_seconds));
  cut_replaced(room, candidate.certificate.identity);
  v1::KeysFromServer chain;
  *chain.mutable_resume() = room->log.chain();
  send_keys(context_, candidate.join, std::move(chain));
  const RoomLog::Roster roster = room->log.roster();
  for (const v1::RosterPart& part : *roster) {
    v1::KeysFromServer keys;
    *keys.mutable_roster() = part;
    send_keys(context_, candidate.join, std::move(keys));
  }
}

void House::offer_later(const RoomRef& room, Candidate& candidate, base::Duration wait) {
  candidate.join.offer_timer = context_.timers.schedule(
      context_.now + wait, [this, weak = std::weak_ptr(room), leaf = candidate.join.leaf] {
        const RoomRef live = weak.lock();
        if (!live) return;
        const auto found = live->candidates.find(leaf);
        if (found == live->candidates.end()) return;
        found->second.join.offer_timer = 0;
        if (found->second.waiting == v1::Waiting::REASON_RESUME) review(live, found->second, true);
      });
}

// The older join of this identity cannot come back, and leaves after the grace.
void House::cut_replaced(const RoomRef& room, const crypto::Ed25519PublicKey& identity) {
  const roomlog::Certificate* inside = room->log.state().member_of(identity);
  const rooms::Member* member = inside ? room->state.find(inside->leaf_hash) : nullptr;
  const auto found = member ? room->members.find(member->id) : room->members.end();
  if (found == room->members.end()) return;
  Membership& membership = found->second;
  by_token_.erase(membership.token_hash);
  send_removed(context_, membership, "replaced");
  membership.awaiting_socket = false;
  update_presence(room, membership);
}

// The reason waits for the socket, between the answer to the join and its hello.
void House::refuse_candidate(const RoomRef& room, const roomlog::Hash& leaf,
                             const ApiError& reason) {
  Candidate& candidate = room->candidates.at(leaf);
  const bool socket_is_awaited =
      candidate.join.socket_timer != 0 || candidate.join.expire_timer != 0;
  if (candidate.join.socket != nullptr || !socket_is_awaited)
    return drop_candidate(room, leaf, reason);
  candidate.refused = reason;
  keepers_.close(*room, TaskKind::kAdmit, leaf);
}

void House::handle_refusal(const Place& place, const v1::RefuseCandidate& refusal) {
  const auto number = place.room->candidate_numbers.find(refusal.candidate());
  if (number == place.room->candidate_numbers.end()) return;
  const roomlog::Hash leaf = number->second;
  const roomlog::Hash keeper = place.membership->leaf;
  if (!Keepers::was_asked(*place.room, TaskKind::kAdmit, leaf, keeper)) return;
  switch (refusal.reason()) {
    case v1::RefuseCandidate::REASON_BLOCKED:
      return refuse_candidate(place.room, leaf, to_api_error(rooms::Refusal::kBlocked));
    case v1::RefuseCandidate::REASON_LOCKED:
      return refuse_candidate(place.room, leaf, to_api_error(rooms::Refusal::kLocked));
    case v1::RefuseCandidate::REASON_NO_LINK:
    case v1::RefuseCandidate::REASON_BAD_CERTIFICATE:
      return refuse_candidate(place.room, leaf, to_api_error(rooms::Refusal::kNotAdmitted));
    default:
      keepers_.pass_on(place.room, TaskKind::kAdmit, leaf, keeper);
      review(place.room, place.room->candidates.at(leaf), false);
  }
}

}  // namespace alcove::control
