#include "control/lobby.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "alcove/v1/common.pb.h"
#include "control/json.h"
#include "control/text_rules.h"

namespace alcove::control {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxHallway = 100;
constexpr int kMembersPerPage = 100;
constexpr std::int64_t kMaxGenesisAge = 24LL * 3600 * 1000;  // ms, either way

// The moderators of a room, and who will be.
std::vector<base::AccountId> moderator_accounts(const rooms::Room& room) {
  std::vector<base::AccountId> accounts = {room.host};
  for (const rooms::MemberId id : room.moderators())
    accounts.push_back(room.members.at(id).person.account);
  return accounts;
}

ApiError no_room() {
  return {.code = ErrorCode::kNotFound,
          .reason = "room.not_found",
          .message = "There is no such room, or it has ended."};
}

v1::RoomSummary summary_with_genesis(const LiveRoom& room) {
  v1::RoomSummary summary = summary_of(room);
  *summary.mutable_genesis() = room.log.state().genesis().object;
  return summary;
}

// The value of cursor=… in a query: the member after which the page begins.
std::optional<rooms::MemberId> parse_cursor(std::string_view query) {
  constexpr std::string_view kName = "cursor=";
  if (query.empty()) return rooms::MemberId::kNone;
  if (!query.starts_with(kName)) return std::nullopt;
  const std::string_view text = query.substr(kName.size());
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return rooms::MemberId{value};
}

}  // namespace

void Lobby::config(Request request) {
  const ServerOptions& options = context_.options;
  v1::ServerConfig config;
  config.set_version(options.version);
  config.set_registration(
      options.registration == Registration::kOpen     ? v1::ServerConfig::REGISTRATION_OPEN
      : options.registration == Registration::kInvite ? v1::ServerConfig::REGISTRATION_INVITE
                                                      : v1::ServerConfig::REGISTRATION_CLOSED);
  config.set_guests_allowed(options.guests_allowed);
  config.set_slots(options.slots);
  config.set_packet_bucket(options.packet_bucket);
  config.set_media_port(options.media_port);
  if (context_.offer_to(request.http.remote) == policy::OfferDecision::kWarned) {
    context_.metrics.count_offer_warned();
    const policy::Policy::Offer& offer = context_.promises.gate->policy().offer;
    config.mutable_offer_notice()->set_text_en(offer.text_en);
    config.mutable_offer_notice()->set_text_fr(offer.text_fr);
  }
  request.responder.ok(config);
}

void Lobby::hallway(Request request) {
  if (request.http.authorization.empty()) return answer_hallway(request.responder, nullptr, {});
  const std::string authorization = request.http.authorization;
  sessions_.authenticate(authorization, [this, responder = std::move(request.responder)](
                                            std::expected<Caller, ApiError> caller) mutable {
    if (!caller) return responder.fail(caller.error());
    std::set<base::AccountId> moderators;
    for (const auto& [id, room] : house_.rooms())
      if (room->state.kind == rooms::RoomKind::kSocial)
        for (const base::AccountId& account : moderator_accounts(room->state))
          moderators.insert(account);
    if (moderators.empty() || caller->person.guest) return answer_hallway(responder, &*caller, {});
    const base::AccountId viewer = caller->person.account;
    context_.run_store(
        [viewer, candidates = std::vector(moderators.begin(), moderators.end())](
            store::Store& store) { return store.followers_among(viewer, candidates); },
        [this, caller = *std::move(caller), responder = std::move(responder)](
            const base::Result<std::vector<base::AccountId>>& followers) mutable {
          if (!followers) return responder.fail(to_api_error(followers.error()));
          answer_hallway(responder, &caller, *followers);
        });
  });
}

void Lobby::answer_hallway(Responder& responder, const Caller* viewer,
                           const std::vector<base::AccountId>& followers) {
  const std::set<base::AccountId> following(followers.begin(), followers.end());
  const auto shown = [&](const rooms::Room& room) {
    if (!room.opened) return false;
    const base::AccountId* account = viewer == nullptr ? nullptr : &viewer->person.account;
    if (account != nullptr && room.blocked.contains(*account)) return false;
    if (account != nullptr && room.by_account.contains(*account)) return true;
    if (room.kind == rooms::RoomKind::kClosed) return false;
    if (room.kind == rooms::RoomKind::kOpen) return true;
    if (account == nullptr) return false;
    const rooms::Join join{.person = viewer->person,
                           .followed_by_moderator = std::ranges::any_of(
                               moderator_accounts(room),
                               [&](const base::AccountId& id) { return following.contains(id); })};
    return rooms::check_join(room, join).has_value();
  };
  std::vector<const LiveRoom*> rooms;
  for (const auto& [id, room] : house_.rooms())
    if (shown(room->state)) rooms.push_back(room.get());
  std::ranges::sort(rooms, std::greater{},
                    [](const LiveRoom* room) { return room->state.member_count(); });
  if (rooms.size() > kMaxHallway) rooms.resize(kMaxHallway);
  v1::HallwayResponse response;
  for (const LiveRoom* room : rooms) *response.add_rooms() = summary_of(*room);
  responder.ok(response);
}

void Lobby::start_room(Request request) {
  const std::string authorization = request.http.authorization;
  sessions_.authenticate(authorization, [this, r = std::move(request)](
                                            std::expected<Caller, ApiError> caller) mutable {
    Responder& responder = r.responder;
    if (!caller) return responder.fail(caller.error());
    if (caller->person.guest)
      return responder.fail({.code = ErrorCode::kPermissionDenied,
                             .reason = "account.required",
                             .message = "Guests cannot start rooms: register first."});
    v1::StartRoomRequest body;
    if (const auto parsed = parse_body(r.http, body); !parsed)
      return responder.fail(parsed.error());
    const auto title = check_text(body.title(), "title", kMaxTitle);
    if (!title) return responder.fail(title.error());
    auto genesis = check_genesis(body.genesis());
    if (!genesis) return responder.fail(genesis.error());
    if (const auto error =
            context_.check_limit(Limit::kStartRoom, limit_key(caller->person.account)))
      return responder.fail(*error);
    const auto room = house_.start_room(*title, *std::move(genesis), caller->person.account);
    if (!room) return responder.fail(room.error());
    v1::StartRoomResponse response;
    *response.mutable_room() = summary_with_genesis(**room);
    response.set_link_path("/r/" + (*room)->state.id.text());
    responder.ok(response, 201);
  });
}

void Lobby::summary(Request request) {
  const auto id = base::RoomId::parse(request.parameters.at(0));
  const RoomRef room = id ? house_.find(*id) : nullptr;
  if (!room) return request.responder.fail(no_room());
  request.responder.ok(summary_with_genesis(*room));
}

void Lobby::log(Request request) {
  const auto id = base::RoomId::parse(request.parameters.at(0));
  const RoomRef room = id ? house_.find(*id) : nullptr;
  if (!room) return request.responder.fail(no_room());
  if (const auto error = context_.check_limit(Limit::kLog, limit_key(request.http.remote)))
    return request.responder.fail(*error);
  const bool binary = request.responder.binary();
  LiveRoom::LogAnswer& answer = room->log_answers.at(binary ? 1 : 0);
  const std::uint64_t n = room->log.state().n();
  if (!answer.response || answer.n != n)
    answer = {.n = n, .response = write_body(room->log.chain(), binary, 200)};
  request.responder.answer(*answer.response);
}

// The link pins the key by which clients will judge where they may send.
std::optional<ApiError> Lobby::check_key_hash(const v1::Genesis& genesis) const {
  const std::string& expected = context_.options.manifest_key_hash;
  const std::string& given = genesis.manifest_key_hash();
  if (given == expected) return std::nullopt;
  if (expected.empty())
    return ApiError{.code = ErrorCode::kInvalidArgument,
                    .reason = "room.bad_genesis",
                    .message = "This server has no manifest."};
  return ApiError{
      .code = ErrorCode::kInvalidArgument,
      .reason = "room.manifest_key",
      .message = given.empty()
                     ? "Reload: this server has a manifest, and a room's genesis must have the "
                       "hash of its key."
                     : "Reload: the genesis has the hash of another key than this server's "
                       "manifest is signed with."};
}

// What a host's client made: for this server, and now.
std::expected<roomlog::Genesis, ApiError> Lobby::check_genesis(
    const v1::SignedObject& object) const {
  const auto bad = [](std::string message) {
    return std::unexpected(ApiError{.code = ErrorCode::kInvalidArgument,
                                    .reason = "room.bad_genesis",
                                    .message = std::move(message)});
  };
  auto genesis = roomlog::parse_genesis(object);
  if (!genesis) return bad("The genesis is not one, or not signed by its host.");
  if (genesis->body.packet_bucket() != context_.options.packet_bucket)
    return bad("packet_bucket is not this server's.");
  if (const auto error = check_key_hash(genesis->body)) return std::unexpected(*error);
  const std::int64_t age = context_.wall.time_since_epoch().count() - genesis->body.created_at_ms();
  if (age > kMaxGenesisAge || age < -kMaxGenesisAge)
    return bad("created_at_ms is more than a day off: check the clock.");
  return *std::move(genesis);
}

void Lobby::list_members(Request request) {
  Responder& responder = request.responder;
  const auto place = house_.find_in_room(request.parameters.at(0), request.http.join_token);
  if (!place) return responder.fail(place.error());
  if (const auto error = context_.check_limit(Limit::kCommand, place->membership->commands))
    return responder.fail(*error);
  const auto cursor = parse_cursor(request.http.query);
  if (!cursor) return responder.fail(invalid_argument("cursor is not one that this server gave."));
  const rooms::Room& room = place->room->state;
  const View view = view_of(room.members.at(place->membership->member));
  v1::ListMembersResponse response;
  auto next = room.members.upper_bound(*cursor);
  for (; next != room.members.end() && response.members_size() < kMembersPerPage; ++next) {
    if (!next->second.shown()) continue;
    *response.add_members() =
        to_proto(next->second, view, next->first == place->membership->member);
  }
  if (next != room.members.end())
    response.set_next_cursor(std::to_string(number(std::prev(next)->first)));
  responder.ok(response);
}

}  // namespace alcove::control
