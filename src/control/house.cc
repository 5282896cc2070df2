#include "control/house.h"

#include <utility>

#include "base/log.h"
#include "control/framing.h"
#include "control/sessions.h"

namespace alcove::control {
namespace {

// How long a started room waits for its host.
constexpr base::Duration kOpeningTime = base::seconds(60);
// How long a join waits for its WebSocket before the member counts as away.
constexpr base::Duration kSocketTime = base::seconds(5);

}  // namespace

RoomRef House::find(const base::RoomId& id) const {
  const auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : found->second;
}

std::expected<RoomRef, ApiError> House::start_room(std::string title, rooms::RoomKind kind,
                                                   const base::AccountId& host) {
  if (rooms_.size() >= context_.options.max_rooms)
    return std::unexpected(ApiError{.code = base::ErrorCode::kUnavailable,
                                    .reason = "server.full",
                                    .message = "The server has as many rooms as it can carry."});
  auto room = std::make_shared<LiveRoom>();
  rooms::RoomOptions options;
  options.max_members = context_.options.max_room_members;
  options.reconnect_grace = context_.options.reconnect_grace;
  room->state =
      rooms::start(base::RoomId::make(context_.random), std::move(title), kind, host, options);
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

std::expected<rooms::MemberId, rooms::Refusal> House::admit(const RoomRef& room,
                                                            const Admission& admission) {
  const auto events =
      rooms::apply(room->state, admission.join, rooms::MemberId::kNone, context_.now);
  if (!events) return std::unexpected(events.error());
  const rooms::MemberId id = room->state.by_account.at(admission.join.person.account);
  if (const auto old = room->members.find(id); old != room->members.end()) {
    send_removed(old->second, "replaced");
    forget(old->second);
    close_endpoint(old->second.join_id);
    room->members.erase(old);
  }
  Membership& membership = room->members[id];
  membership.member = id;
  membership.join_id = admission.join_id;
  membership.token_hash = admission.token_hash;
  membership.session = admission.session;
  membership.may_send = admission.may_send;
  by_token_.emplace(admission.token_hash, Location{room, id});
  by_join_.emplace(admission.join_id, Location{room, id});
  membership.socket_timer =
      context_.timers.schedule(context_.now + kSocketTime, [this, join_id = admission.join_id] {
        const std::optional<Place> place = find_by_join(join_id);
        if (!place) return;
        place->membership->awaiting_socket = false;
        update_presence(place->room, *place->membership);
      });
  dispatch(room, *events);
  return id;
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
                                                          std::string_view token) const {
  const std::optional<Place> place = find_by_token(token);
  if (place && place->room->state.id.text() == room_id) return *place;
  return std::unexpected(
      ApiError{.code = base::ErrorCode::kUnauthenticated,
               .reason = "join.invalid",
               .message = "This join is over, or its token is wrong: join again."});
}

std::optional<House::Place> House::place_of(const Location& location) const {
  const auto found = location.room->members.find(location.member);
  if (found == location.room->members.end()) return std::nullopt;
  return Place{location.room, &found->second};
}

void House::attach_socket(const Place& place, MemberSocket& socket) {
  Membership& membership = *place.membership;
  send_goodbye(membership, {.code = base::ErrorCode::kFailedPrecondition,
                            .reason = "socket.replaced",
                            .message = "Another connection of this join took over."});
  context_.timers.cancel(membership.socket_timer);
  // The member is back before it gets Welcome, so that Welcome says so.
  membership.awaiting_socket = true;
  update_presence(place.room, membership);
  membership.awaiting_socket = false;
  membership.socket = &socket;
  send_welcome(place);
  if (membership.media == v1::MediaChanged::STATE_UNSPECIFIED) return;
  v1::RoomEvent event;
  event.mutable_media_changed()->set_state(membership.media);
  send_batch(membership, {}, encode_events({&event, 1}));
}

void House::detach_socket(const base::JoinId& join_id, const MemberSocket& socket) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->membership->socket != &socket) return;
  place->membership->socket = nullptr;
  update_presence(place->room, *place->membership);
}

void House::send_welcome(const Place& place) {
  if (place.membership->socket == nullptr) return;
  v1::ServerMessage message;
  *message.mutable_welcome()->mutable_room() = state_of(*place.room, *place.membership);
  base::Buffer bytes = frame_message(message);
  context_.metrics.count_message(bytes.size());
  place.membership->socket->send(std::move(bytes));
}

void House::handle_media(const base::JoinId& join_id, v1::MediaChanged::State state) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->membership->media == state) return;
  place->membership->media = state;
  v1::RoomEvent event;
  event.mutable_media_changed()->set_state(state);
  send_batch(*place->membership, {}, encode_events({&event, 1}));
  update_presence(place->room, *place->membership);
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
  if (const std::optional<Place> place = find_by_join(join_id))
    apply_for_server(place->room, rooms::Expire{}, place->membership->member);
}

void House::forget(Membership& membership) {
  context_.timers.cancel(membership.socket_timer);
  context_.timers.cancel(membership.expire_timer);
  by_token_.erase(membership.token_hash);
  by_join_.erase(membership.join_id);
}

void House::cut_session(const base::SessionId& session) {
  std::vector<Location> cut;
  for (const auto& [id, room] : rooms_)
    for (const auto& [member, membership] : room->members)
      if (membership.session == session) cut.push_back({room, member});
  for (const Location& location : cut) {
    const std::optional<Place> place = place_of(location);
    if (!place) continue;
    send_goodbye(*place->membership, {.code = base::ErrorCode::kUnauthenticated,
                                      .reason = "session.revoked",
                                      .message = "This session was revoked: log in."});
    apply_for_server(location.room, rooms::Leave{}, location.member);
  }
}

void House::send_goodbye(Membership& membership, const ApiError& reason) {
  MemberSocket* socket = std::exchange(membership.socket, nullptr);
  if (socket == nullptr) return;
  v1::ServerMessage message;
  *message.mutable_goodbye()->mutable_reason() = to_proto(reason);
  socket->send(frame_message(message));
  socket->close();
}

void House::end_all_rooms() {
  const std::map<base::RoomId, RoomRef> rooms = rooms_;
  for (const auto& [id, room] : rooms)
    apply_for_server(room, rooms::Close{rooms::EndCause::kServer}, rooms::MemberId::kNone);
}

void House::close_endpoint(const base::JoinId& join_id) {
  v1::RelayCommand command;
  command.mutable_close()->set_join_id(std::string(base::as_text(join_id.bytes())));
  context_.relay.send(command);
}

Gauges House::gauges() const {
  Gauges gauges;
  gauges.rooms = rooms_.size();
  for (const auto& [id, room] : rooms_) {
    const std::size_t moderators = room->state.moderators().size();
    gauges.moderators += moderators;
    gauges.speakers += room->state.stage.size() - moderators;
    gauges.listeners += room->state.audience_count();
  }
  return gauges;
}

}  // namespace alcove::control
