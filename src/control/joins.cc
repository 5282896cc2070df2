#include "control/joins.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "control/json.h"
#include "control/text_rules.h"

namespace alcove::control {
namespace {

using base::ErrorCode;

constexpr base::Duration kRelayTime = base::seconds(5);
constexpr std::size_t kMaxPending = 2000;
constexpr std::size_t kMaxOffer = 32'768;

ApiError relay_timeout() {
  return {.code = ErrorCode::kUnavailable,
          .reason = "relay.timeout",
          .message = "The relay does not answer. Try again later.",
          .retry_after_seconds = 2};
}

ApiError to_api_error(const v1::EndpointRefused& refused) {
  switch (refused.reason()) {
    case v1::EndpointRefused::REASON_BAD_OFFER:
      return {.code = ErrorCode::kInvalidArgument,
              .reason = "sdp.bad_offer",
              .message = "The SDP offer cannot be used: " + refused.detail()};
    case v1::EndpointRefused::REASON_UNKNOWN:
      return {.code = ErrorCode::kFailedPrecondition,
              .reason = "join.media_gone",
              .message = "The media connection of this join is over: join again."};
    case v1::EndpointRefused::REASON_OVERLOADED:
      return {.code = ErrorCode::kUnavailable,
              .reason = "relay.overloaded",
              .message =
                  "This room is full here: one more listener would make the others hear "
                  "gaps. Try again later.",
              .retry_after_seconds = 20};
    default:
      return {.code = ErrorCode::kUnavailable,
              .reason = "relay.full",
              .message = "The relay cannot carry more members. Try again later.",
              .retry_after_seconds = 10};
  }
}

base::Literal describe(policy::AnswerFault fault) {
  switch (fault) {
    case policy::AnswerFault::kMalformed:
      return "malformed";
    case policy::AnswerFault::kNotAnAddress:
      return "not_an_address";
    case policy::AnswerFault::kDenied:
      return "denied";
    case policy::AnswerFault::kNotAdmitted:
      return "not_announced";
  }
  return "unknown";
}

std::optional<ApiError> check_offer(const std::string& offer) {
  if (offer.empty()) return invalid_argument("sdp_offer is missing.");
  if (offer.size() > kMaxOffer) return invalid_argument("sdp_offer is longer than 32 KiB.");
  return std::nullopt;
}

ApiError no_room() {
  return {.code = ErrorCode::kNotFound,
          .reason = "room.not_found",
          .message = "There is no such room, or it has ended."};
}

// The certificate says who the session says that it is.
std::expected<roomlog::Certificate, ApiError> check_keys(const roomlog::Hash& room,
                                                         const v1::JoinKeys& keys,
                                                         const rooms::Person& person) {
  const auto bad = [](std::string message) {
    return std::unexpected(ApiError{.code = ErrorCode::kInvalidArgument,
                                    .reason = "join.bad_keys",
                                    .message = std::move(message)});
  };
  if (!keys.link_mac().empty() && keys.link_mac().size() != 32)
    return bad("keys.link_mac has 32 bytes, or none.");
  auto certificate = roomlog::parse_certificate(room, keys.certificate());
  if (!certificate) return bad("keys.certificate is not one for this room.");
  const std::string account = person.guest ? std::string("guest") : person.account.text();
  if (certificate->account != account)
    return bad("keys.certificate has another account than the session.");
  if (certificate->display_name != person.display_name)
    return bad("keys.certificate has another display name than the session.");
  return *std::move(certificate);
}

// Who is in the room takes their own place again, and the host may be whom it waits for: a relay
// that refuses others for its load takes them.
bool is_needed(const LiveRoom& room, const rooms::Person& person,
               const roomlog::Certificate& certificate) {
  return room.log.state().member_of(certificate.identity) != nullptr ||
         (!person.guest && person.account == room.state.host);
}

std::optional<base::JoinId> parse_join_id(const std::string& bytes) {
  return base::JoinId::from_bytes(base::as_bytes(bytes));
}

}  // namespace

void Joins::fail(Responder& responder, const ApiError& error) {
  context_.metrics.count_join_failure(error.reason);
  responder.fail(error);
}

void Joins::join(Request request) {
  v1::JoinRoomRequest body;
  if (const auto parsed = parse_body(request.http, body); !parsed)
    return fail(request.responder, parsed.error());
  if (const auto error = check_offer(body.sdp_offer())) return fail(request.responder, *error);
  const auto room = base::RoomId::parse(request.parameters.at(0));
  if (!room || !house_.find(*room)) return fail(request.responder, no_room());
  if (request.http.authorization.empty())
    return join_as_guest(std::move(request), std::move(body), *room);
  const std::string authorization = request.http.authorization;
  sessions_.authenticate(authorization, [this, room = *room, body = std::move(body),
                                         responder = std::move(request.responder)](
                                            std::expected<Caller, ApiError> caller) mutable {
    if (!caller) return fail(responder, caller.error());
    if (const auto error = context_.check_limit(Limit::kJoin, limit_key(caller->person.account)))
      return fail(responder, *error);
    admit({.responder = std::move(responder),
           .room = room,
           .sdp_offer = std::move(*body.mutable_sdp_offer()),
           .keys = std::move(*body.mutable_keys()),
           .caller = *std::move(caller),
           .guest = std::nullopt,
           .token = {},
           .join_id = {}});
  });
}

void Joins::join_as_guest(Request request, v1::JoinRoomRequest body, const base::RoomId& room) {
  Responder& responder = request.responder;
  if (!context_.options.guests_allowed)
    return fail(responder, {.code = ErrorCode::kUnauthenticated,
                            .reason = "account.required",
                            .message = "This server has no guests: log in or register."});
  if (const auto error = context_.check_limit(Limit::kGuestJoin, limit_key(request.http.remote)))
    return fail(responder, *error);
  const auto name = check_text(body.guest_name(), "guest_name", kMaxDisplayName);
  if (!name) return fail(responder, name.error());
  Sessions::Guest guest = sessions_.make_guest(*name);
  Caller caller = guest.caller;
  admit({.responder = std::move(responder),
         .room = room,
         .sdp_offer = std::move(*body.mutable_sdp_offer()),
         .keys = std::move(*body.mutable_keys()),
         .caller = std::move(caller),
         .guest = std::move(guest),
         .token = {},
         .join_id = {}});
}

// In a social room the store knows whether a moderator follows the caller.
void Joins::admit(Attempt attempt) {
  const RoomRef room = house_.find(attempt.room);
  if (!room) return fail(attempt.responder, no_room());
  if (room->state.kind != rooms::RoomKind::kSocial || attempt.caller.person.guest)
    return open(std::move(attempt));
  std::vector<base::AccountId> moderators = {room->state.host};
  for (const rooms::MemberId id : room->state.moderators())
    moderators.push_back(room->state.members.at(id).person.account);
  const base::AccountId account = attempt.caller.person.account;
  context_.run_store(
      [account, moderators = std::move(moderators)](store::Store& store) {
        return store.followers_among(account, moderators);
      },
      [this, attempt = std::move(attempt)](
          const base::Result<std::vector<base::AccountId>>& followers) mutable {
        if (!followers) return fail(attempt.responder, control::to_api_error(followers.error()));
        attempt.followed = !followers->empty();
        open(std::move(attempt));
      });
}

// The relay is asked first: whom a keeper is asked for must be there when the entry comes.
void Joins::open(Attempt attempt) {
  const RoomRef room = house_.find(attempt.room);
  if (!room) return fail(attempt.responder, no_room());
  if (pending_.size() >= kMaxPending || context_.shut_down)
    return fail(attempt.responder, relay_timeout());
  auto certificate =
      check_keys(room->log.state().fingerprint(), attempt.keys, attempt.caller.person);
  if (!certificate) return fail(attempt.responder, certificate.error());
  attempt.token = Token::make(context_.random);
  attempt.join_id = base::JoinId::make(context_.random);
  const base::JoinId id = attempt.join_id;
  const bool needed = is_needed(*room, attempt.caller.person, *certificate);
  const auto added = house_.add_candidate(room, {.person = attempt.caller.person,
                                                 .followed_by_moderator = attempt.followed,
                                                 .keys = std::move(attempt.keys),
                                                 .certificate = *std::move(certificate),
                                                 .session = attempt.caller.session,
                                                 .join_id = id,
                                                 .token_hash = attempt.token.hash});
  if (!added) return fail(attempt.responder, added.error());
  attempt.timer = context_.timers.schedule(context_.now + kRelayTime, [this, id] {
    std::optional<Attempt> late = take_pending(id);
    if (!late) return;
    house_.abandon(id, relay_timeout());
    fail(late->responder, relay_timeout());
  });
  v1::RelayCommand command;
  v1::OpenEndpoint& endpoint = *command.mutable_open();
  endpoint.set_join_id(std::string(base::as_text(id.bytes())));
  endpoint.set_relay_room(std::string(base::as_text(room->relay_room.bytes())));
  endpoint.set_sdp_offer(std::move(attempt.sdp_offer));
  endpoint.set_receive_later(true);
  endpoint.set_needed(needed);
  pending_.emplace(id, std::move(attempt));
  context_.relay.send(command);  // the answer may come from inside this call
}

void Joins::handle_opened(const v1::EndpointOpened& opened) {
  const std::optional<base::JoinId> id = parse_join_id(opened.join_id());
  if (!id) return;
  const std::optional<ApiError> bad = check_answer(opened.sdp_answer());
  if (std::optional<Attempt> attempt = take_pending(*id)) {
    if (!bad) return complete(*std::move(attempt), opened.sdp_answer());
    house_.abandon(*id, *bad);
    return fail(attempt->responder, *bad);
  }
  if (std::optional<Restart> restart = take_restart(*id)) {
    if (bad) return restart->responder.fail(*bad);
    v1::RestartResponse response;
    response.set_sdp_answer(opened.sdp_answer());
    restart->responder.ok(response);
  }
}

std::optional<ApiError> Joins::check_answer(const std::string& sdp_answer) {
  if (!context_.promises.gate) return std::nullopt;
  const auto fault = context_.promises.gate->check_answer(sdp_answer);
  if (!fault) return std::nullopt;
  context_.metrics.count_bad_candidate();
  base::log(base::LogLevel::kError, "relay.bad_candidate", {{"why", describe(*fault)}});
  return ApiError{.code = ErrorCode::kUnavailable,
                  .reason = "relay.bad_candidate",
                  .message =
                      "The relay named an address that this server's manifest does not "
                      "have. Nothing was sent there. Tell the operator."};
}

void Joins::complete(Attempt attempt, const std::string& sdp_answer) {
  // The room may have ended meanwhile.
  if (!house_.find_by_join(attempt.join_id))
    return fail(attempt.responder, to_api_error(rooms::Refusal::kEnded));
  context_.metrics.count_join();
  v1::JoinRoomResponse response;
  response.set_join_token(attempt.token.text);
  response.set_sdp_answer(sdp_answer);
  if (attempt.guest) {
    sessions_.keep_guest(*attempt.guest);
    *response.mutable_guest_session() =
        to_proto(attempt.caller.person, attempt.guest->token, attempt.guest->expires_at);
  }
  house_.expect_socket(attempt.join_id);
  attempt.responder.ok(response);
  house_.ask_for(attempt.join_id);
}

void Joins::handle_dropped(const base::JoinId& id, const ApiError& reason) {
  if (std::optional<Attempt> attempt = take_pending(id)) fail(attempt->responder, reason);
}

void Joins::handle_refused(const v1::EndpointRefused& refused) {
  const std::optional<base::JoinId> id = parse_join_id(refused.join_id());
  if (!id) return;
  if (std::optional<Attempt> attempt = take_pending(*id)) {
    house_.abandon(*id, to_api_error(refused));
    return fail(attempt->responder, to_api_error(refused));
  }
  if (std::optional<Restart> restart = take_restart(*id))
    restart->responder.fail(to_api_error(refused));
}

void Joins::restart(Request request) {
  Responder& responder = request.responder;
  v1::RestartRequest body;
  if (const auto parsed = parse_body(request.http, body); !parsed)
    return responder.fail(parsed.error());
  if (const auto error = check_offer(body.sdp_offer())) return responder.fail(*error);
  const auto place = house_.find_in_room(request.parameters.at(0), body.join_token(), true);
  if (!place) return responder.fail(place.error());
  if (const auto error = context_.check_limit(Limit::kCommand, place->membership->commands))
    return responder.fail(*error);
  const base::JoinId id = place->membership->join_id;
  if (std::optional<Restart> older = take_restart(id))
    older->responder.fail({.code = ErrorCode::kFailedPrecondition,
                           .reason = "restart.replaced",
                           .message = "A later restart of this join took over."});
  Restart restart{.responder = std::move(responder)};
  restart.timer = context_.timers.schedule(context_.now + kRelayTime, [this, id] {
    if (std::optional<Restart> late = take_restart(id)) late->responder.fail(relay_timeout());
  });
  restarts_.emplace(id, std::move(restart));
  v1::RelayCommand command;
  command.mutable_restart()->set_join_id(std::string(base::as_text(id.bytes())));
  command.mutable_restart()->set_sdp_offer(body.sdp_offer());
  context_.relay.send(command);
}

std::optional<Joins::Attempt> Joins::take_pending(const base::JoinId& id) {
  auto node = pending_.extract(id);
  if (node.empty()) return std::nullopt;
  context_.timers.cancel(node.mapped().timer);
  return std::move(node.mapped());
}

std::optional<Joins::Restart> Joins::take_restart(const base::JoinId& id) {
  auto node = restarts_.extract(id);
  if (node.empty()) return std::nullopt;
  context_.timers.cancel(node.mapped().timer);
  return std::move(node.mapped());
}

void Joins::cut_session(const base::SessionId& session) {
  const ApiError revoked{.code = ErrorCode::kUnauthenticated,
                         .reason = "session.revoked",
                         .message = "This session was revoked: log in."};
  std::vector<base::JoinId> cut;
  for (const auto& [id, attempt] : pending_)
    if (attempt.caller.session == session) cut.push_back(id);
  for (const base::JoinId& id : cut) {
    std::optional<Attempt> attempt = take_pending(id);
    if (!attempt) continue;
    house_.abandon(id, revoked);
    fail(attempt->responder, revoked);
  }
}

void Joins::shut_down() {
  while (!pending_.empty())
    if (std::optional<Attempt> attempt = take_pending(pending_.begin()->first))
      fail(attempt->responder, relay_timeout());
  while (!restarts_.empty())
    if (std::optional<Restart> restart = take_restart(restarts_.begin()->first))
      restart->responder.fail(relay_timeout());
}

}  // namespace alcove::control
