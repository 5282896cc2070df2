#include "control/house.h"

#include <utility>

#include "base/log.h"
#include "control/outbox.h"
#include "control/sessions.h"

namespace alcove::control {
namespace {

// How long a started room waits for its host.
constexpr base::Duration kOpeningTime = base::seconds(60);

}  // namespace

RoomRef House::find(const base::RoomId& id) const {
  const auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : found->second;
}

std::expected<RoomRef, ApiError> House::start_room(std::string title, roomlog::Genesis genesis,
                                                   const base::AccountId& host) {
  if (rooms_.size() >= context_.options.max_rooms)
    return std::unexpected(ApiError{.code = base::ErrorCode::kUnavailable,
                                    .reason = "server.full",
                                    .message = "The server has as many rooms as it can carry."});
  const auto id = base::RoomId::from_bytes(base::as_bytes(genesis.body.room_id()));
  const auto kind = from_proto(genesis.body.kind());
  CHECK(id && kind);  // the genesis was parsed
  if (rooms_.contains(*id))
    return std::unexpected(ApiError{.code = base::ErrorCode::kAlreadyExists,
                                    .reason = "room.id_in_use",
                                    .message = "There is a room with this id."});
  auto room = std::make_shared<LiveRoom>(std::move(genesis));
  rooms::RoomOptions options;
  options.max_members = context_.options.max_room_members;
  options.reconnect_grace = context_.options.reconnect_grace;
  room->state = rooms::start(*id, std::move(title), *kind, host, options);
  room->relay_room = base::RelayRoomId::make(context_.random);
  room->started_at = context_.wall;
  room->opening_timer =
      context_.timers.schedule(context_.now + kOpeningTime, [this, weak = std::weak_ptr(room)] {
        if (const RoomRef waiting = weak.lock(); waiting && !waiting->state.opened)
          apply_for_server(waiting, rooms::Close{rooms::EndCause::kEmpty}, rooms::MemberId::kNone);
      });
  rooms_.emplace(room->state.id, room);
  return room;
}

std::expected<void, rooms::Refusal> House::apply(const RoomRef& room, const rooms::Command& command,
                                                 rooms::MemberId by) {
  const auto events = rooms::apply(room->state, command, by, context_.now);
  if (!events) return std::unexpected(events.error());
  dispatch(room, *events);
  return {};
}

// What the server itself finds out; a refusal means that it no longer matters.
void House::apply_for_server(const RoomRef& room, const rooms::Command& command,
                             rooms::MemberId by) {
  if (!apply(room, command, by)) base::log(base::LogLevel::kDebug, "room_command_without_effect");
}

std::optional<House::Place> House::find_by_token(std::string_view token) const {
  const std::optional<store::Hash> hash = Token::hash_of(token);
  if (!hash) return std::nullopt;
  const auto found = by_token_.find(*hash);
  return found == by_token_.end() ? std::nullopt : place_of(found->second);
}

std::optional<House::Place> House::find_by_join(const base::JoinId& join_id) const {
  const auto found = by_join_.find(join_id);
  return found == by_join_.end() ? std::nullopt : place_of(found->second);
}

std::expected<House::Place, ApiError> House::find_in_room(std::string_view room_id,
                                                          std::string_view token,
                                                          bool candidates) const {
  const std::optional<Place> place = find_by_token(token);
  if (!place || place->room->state.id.text() != room_id)
    return std::unexpected(
        ApiError{.code = base::ErrorCode::kUnauthenticated,
                 .reason = "join.invalid",
                 .message = "This join is over, or its token is wrong: join again."});
  if (!place->is_member() && !candidates)
    return std::unexpected(to_api_error(rooms::Refusal::kNotMember));
  return *place;
}

std::optional<House::Place> House::place_of(const Location& location) const {
  const RoomRef& room = location.room;
  const auto candidate = room->candidates.find(location.leaf);
  if (candidate != room->candidates.end()) return Place{room, &candidate->second.join};
  const rooms::Member* member = room->state.find(location.leaf);
  const auto found = member ? room->members.find(member->id) : room->members.end();
  if (found == room->members.end()) return std::nullopt;
  return Place{room, &found->second};
}

void House::leave(const Place& place) {
  if (place.is_member())
    return apply_for_server(place.room, rooms::Leave{}, place.membership->member);
  drop_candidate(place.room, roomlog::Hash(place.membership->leaf),
                 {.code = base::ErrorCode::kUnauthenticated,
                  .reason = "join.invalid",
                  .message = "This join is over: join again."});
}

void House::attach_socket(const Place& place, MemberSocket& socket) {
  Membership& membership = *place.membership;
  send_goodbye(context_, membership,
               {.code = base::ErrorCode::kFailedPrecondition,
                .reason = "socket.replaced",
                .message = "Another connection of this join took over."});
  context_.timers.cancel(membership.socket_timer);
  context_.timers.cancel(membership.roster_timer);
  context_.timers.cancel(membership.admitted_timer);
  membership.awaiting_socket = true;  // connected, for update_presence
  if (place.is_member()) update_presence(place.room, membership);
  membership.awaiting_socket = false;
  membership.socket = &socket;
  if (!place.is_member()) {
    context_.timers.cancel(membership.expire_timer);
    Candidate& candidate = place.room->candidates.at(membership.leaf);
    if (candidate.refused)
      return drop_candidate(place.room, roomlog::Hash(membership.leaf),
                            ApiError(*candidate.refused));
    return review(place.room, place.room->candidates.at(membership.leaf), true);
  }
  if (!membership.admitted_sent) {
    send_admitted(place.room, membership);
    update_presence(place.room, membership);
  } else {
    // Entries from where it says (HaveEntry).
    membership.following = false;
    socket.allow_large(place.room->log.state().on_stage(membership.leaf) != nullptr);
    repeat_admitted(place.room, membership);
    send_welcome(place);
    send_media(context_, membership);
  }
  if (place.room->log.state().on_stage(membership.leaf) != nullptr) review(place.room);
}

void House::detach_socket(const base::JoinId& join_id, const MemberSocket& socket) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->membership->socket != &socket) return;
  Membership& membership = *place->membership;
  membership.socket = nullptr;
  membership.following = false;
  context_.timers.cancel(membership.roster_timer);
  context_.timers.cancel(membership.admitted_timer);
  if (!place->is_member()) {
    membership.expire_timer = context_.timers.schedule(
        context_.now + context_.options.reconnect_grace, [this, join_id] { expire(join_id); });
    return;
  }
  const bool kept = place->room->log.state().on_stage(membership.leaf) != nullptr;
  update_presence(place->room, membership);
  if (kept) review(place->room);
}

void House::send_welcome(const Place& place) {
  if (!place.is_member())
    return review(place.room, place.room->candidates.at(place.membership->leaf), true);
  if (place.membership->socket == nullptr || !place.membership->admitted_sent) return;
  v1::ServerMessage message;
  *message.mutable_welcome()->mutable_room() = state_of(*place.room, *place.membership);
  send_message(context_, *place.membership, message);
}

void House::handle_media(const base::JoinId& join_id, v1::MediaChanged::State state) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->membership->media == state) return;
  place->membership->media = state;
  if (place->is_member()) {
    send_media(context_, *place->membership);
    return update_presence(place->room, *place->membership);
  }
  if (state == v1::MediaChanged::STATE_GONE)
    drop_candidate(place->room, roomlog::Hash(place->membership->leaf),
                   {.code = base::ErrorCode::kFailedPrecondition,
                    .reason = "join.media_gone",
                    .message = "The media connection of this join is over: join again."});
}

// Connected means both a WebSocket and media: without one of them for the grace, the member leaves.
void House::update_presence(const RoomRef& room, Membership& membership) {
  const bool connected = (membership.socket != nullptr || membership.awaiting_socket) &&
                         membership.media != v1::MediaChanged::STATE_GONE;
  const rooms::Member* member = room->state.find(membership.member);
  CHECK(member != nullptr);
  if (member->connected == connected) return;
  if (connected) {
    context_.timers.cancel(membership.expire_timer);
    apply_for_server(room, rooms::Reconnect{}, membership.member);
    return;
  }
  membership.expire_timer =
      context_.timers.schedule(context_.now + context_.options.reconnect_grace,
                               [this, join_id = membership.join_id] { expire(join_id); });
  apply_for_server(room, rooms::Disconnect{}, membership.member);
}

void House::expire(const base::JoinId& join_id) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place) return;
  if (!place->is_member()) return leave(*place);
  apply_for_server(place->room, rooms::Expire{}, place->membership->member);
}

void House::forget(Membership& membership) {
  context_.timers.cancel(membership.socket_timer);
  context_.timers.cancel(membership.expire_timer);
  context_.timers.cancel(membership.roster_timer);
  context_.timers.cancel(membership.admitted_timer);
  by_token_.erase(membership.token_hash);
  by_join_.erase(membership.join_id);
}

void House::cut_session(const base::SessionId& session) {
  const ApiError revoked{.code = base::ErrorCode::kUnauthenticated,
                         .reason = "session.revoked",
                         .message = "This session was revoked: log in."};
  std::vector<Location> cut;
  for (const auto& [id, room] : rooms_) {
    for (const auto& [member, membership] : room->members)
      if (membership.session == session) cut.push_back({room, membership.leaf});
    for (const auto& [leaf, candidate] : room->candidates)
      if (candidate.join.session == session) cut.push_back({room, leaf});
  }
  for (const Location& location : cut) {
    const std::optional<Place> place = place_of(location);
    if (!place) continue;
    if (!place->is_member()) {
      drop_candidate(place->room, location.leaf, revoked);
      continue;
    }
    send_goodbye(context_, *place->membership, revoked);
    leave(*place);
  }
}

void House::end_all_rooms() {
  const std::map<base::RoomId, RoomRef> rooms = rooms_;
  for (const auto& [id, room] : rooms)
    apply_for_server(room, rooms::Close{rooms::EndCause::kServer}, rooms::MemberId::kNone);
}

Gauges House::gauges() const {
  Gauges gauges;
  gauges.rooms = rooms_.size();
  for (const auto& [id, room] : rooms_) {
    gauges.candidates += room->candidates.size();
    const std::size_t moderators = room->state.moderators().size();
    gauges.moderators += moderators;
    gauges.speakers += room->state.stage.size() - moderators;
    gauges.listeners += room->state.audience_count();
  }
  return gauges;
}

}  // namespace alcove::control
