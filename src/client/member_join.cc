// How a Member comes in: the server's configuration, the account, the room, the join.

#include <fmt/format.h>

#include <utility>

#include "alcove/v1/accounts.pb.h"
#include "base/text.h"
#include "client/genesis.h"
#include "client/member.h"

namespace alcove::client {

using base::Instant;
using base::Result;

namespace {

constexpr std::uint32_t kMaxSlots = 16;
// Joins that the server forgot before anybody let in.
constexpr unsigned kMaxLostWaits = 4;
// A rate limit at the join is waited for, within reason.
constexpr std::uint32_t kLongestRetryAfter = 30;

}  // namespace

// First of all, and before each further join: what was listed may have changed meanwhile.
void Member::handle_house_check(Instant now, const Result<HttpAnswer>& answer) {
  const HouseCheck::Step step = house_check_.handle_answer(answer);
  if (!step.ask.empty()) return call({Ask::kHouseCheck}, "GET", step.ask, "");
  if (step.failure) {
    if (!joined_once_ || !step.is_unavailable)
      return finish(step.failure->status, step.failure->message);
    join_at_ = now + join_backoff_.next(random_);  // until give_up_at_
    return;
  }
  house_is_checked_ = true;
  if (phase_ == Phase::kJoining) return join();
  // A link's key is right only when the room was seen.
  if (house_check_.key_trust() != KeyTrust::kLink) report_manifest();
  call({Ask::kConfig}, "GET", "/v1/config", "");
}

void Member::report_manifest() {
  if (std::exchange(manifest_reported_, true)) return;
  const policy::VerifiedManifest& manifest = *options_.trust.guard->manifest();
  const bool differs = house_check_.differs_from_known();
  report("manifest",
         {{"key", base::to_base64url(house_check_.key_hash())},
          {"trust", std::string(to_text(house_check_.key_trust()))},
          {"serial", static_cast<std::int64_t>(manifest.manifest.serial())},
          {"endpoints", std::int64_t{manifest.manifest.endpoints_size()}},
          {"differs", differs}},
         differs ? "Warning: the link names another key for the server's manifest than this "
                   "computer knew. Where the link came from decides whether that is well."
                 : "");
}

void Member::handle_config(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::ServerConfig> config = parse_answer<v1::ServerConfig>(answer);
  if (!config) return finish_by(config.error());
  const bool usable = config->slots() >= 1 && config->slots() <= kMaxSlots &&
                      config->packet_bucket() >= e2ee::kMinPacketBucket &&
                      config->packet_bucket() <= e2ee::kMaxPacketBucket;
  if (!usable)
    return finish(ExitStatus::kNetwork, "The server's configuration is not one for this client.");
  config_ = *config;
  if (config_.has_offer_notice()) {
    const std::string& text = text_for(config_.offer_notice().text_en(),
                                       config_.offer_notice().text_fr(), options_.french);
    report("notice", {{"message", text}}, text);
  }
  options_.media.slots = config_.slots();
  prepare_next();
}

void Member::prepare_next() {
  if (!options_.username.empty() && authorization_.empty()) {
    v1::LogInRequest request;
    request.set_username(options_.username);
    request.set_password(options_.password);
    request.set_device_name("alcove-client");
    return call({Ask::kLogIn}, "POST", "/v1/sessions", request.SerializeAsString());
  }
  if (!options_.room) return start_room();
  room_id_ = options_.room->text();
  if (!genesis_) return call({Ask::kGenesis}, "GET", "/v1/rooms/" + room_id_, "");
  join();
}

void Member::handle_log_in(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::SessionResponse> session = parse_answer<v1::SessionResponse>(answer);
  if (!session) return finish_by(session.error());
  authorization_ = "Bearer " + session->token();
  account_ = session->account().account_id();
  display_name_ = session->account().display_name();
  prepare_next();
}

void Member::start_room() {
  genesis_ = make_room_genesis(random_, identity_, options_.kind, config_.packet_bucket(),
                               house_check_.key_hash(), wall_);
  options_.fragment = {genesis_->fingerprint, random_.bytes<16>()};
  v1::StartRoomRequest request;
  request.set_title(options_.title);
  *request.mutable_genesis() = genesis_->object;
  call({Ask::kStartRoom}, "POST", "/v1/rooms", request.SerializeAsString());
}

void Member::handle_start_room(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::StartRoomResponse> started = parse_answer<v1::StartRoomResponse>(answer);
  if (!started) return finish_by(started.error());
  options_.room = base::RoomId::from_bytes(base::as_bytes(genesis_->body.room_id()));
  if (started->room().room_id() != options_.room->text())
    return finish(ExitStatus::kNetwork, "The server started another room than it was asked to.");
  const std::string link = link_text(*options_.fragment);
  report(
      "started",
      {{"link", link}, {"room_id", started->room().room_id()}, {"title", started->room().title()}},
      "The room's link is " + link);
  report_code();
  prepare_next();
}

void Member::handle_genesis(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::RoomSummary> room = parse_answer<v1::RoomSummary>(answer);
  if (!room) return finish_by(room.error());
  std::optional<roomlog::Hash> fingerprint;
  if (options_.fragment) fingerprint = options_.fragment->fingerprint;
  Result<roomlog::Genesis> genesis = check_genesis(room->genesis(), *options_.room, fingerprint);
  if (!genesis) return finish(ExitStatus::kRefused, genesis.error().message);
  if (genesis->body.packet_bucket() != config_.packet_bucket())
    return finish(ExitStatus::kRefused,
                  "The room was made for frames of another size than the server's.");
  if (const std::optional<Outcome> failure = house_check_.check_genesis(*genesis))
    return finish(failure->status, failure->message);
  report_manifest();
  genesis_ = std::move(*genesis);
  report_code();
  prepare_next();
}

void Member::join() {
  join_at_ = base::kNever;
  phase_ = Phase::kJoining;
  if (!std::exchange(house_is_checked_, false))
    return call({Ask::kHouseCheck}, "GET", house_check_.begin(), "");
  if (!media_) media_ = std::make_unique<MediaSession>(options_.media, peers_, source_, sink_);
  make_keys();
  v1::JoinRoomRequest request;
  request.set_sdp_offer(media_->create_offer(local_addresses_));
  if (authorization_.empty()) request.set_guest_name(options_.name);
  *request.mutable_keys() = keys_->join_keys();
  call({Ask::kJoin}, "POST", "/v1/rooms/" + room_id_ + "/join", request.SerializeAsString());
}

void Member::handle_join(Instant now, const Result<HttpAnswer>& answer) {
  if (phase_ != Phase::kJoining) return;
  const ApiResult<v1::JoinRoomResponse> response = parse_answer<v1::JoinRoomResponse>(answer);
  if (!response) return handle_join_refused(now, response.error());
  handle_join_accepted(now, *response);
}

void Member::handle_join_refused(Instant now, const ApiError& error) {
  if (joined_once_ && exit_status_of(error) == ExitStatus::kNetwork) {
    join_at_ = now + join_backoff_.next(random_);  // until give_up_at_
    return;
  }
  if (joined_once_ && error.http_status == 404)
    return finish(ExitStatus::kEnded, "The room is over.");
  const bool wait = error.http_status == 429 && error.retry_after_seconds != 0 &&
                    error.retry_after_seconds <= kLongestRetryAfter;
  if (!wait) return finish_by(error);
  report(
      "waiting",
      {{"reason", std::string("rate_limit")}, {"seconds", std::int64_t{error.retry_after_seconds}}},
      fmt::format("The server asks to wait {} s before joining.", error.retry_after_seconds));
  join_at_ = now + base::seconds(error.retry_after_seconds);
}

// The media connection comes up while somebody on the stage is asked.
void Member::handle_join_accepted(Instant now, const v1::JoinRoomResponse& response) {
  phase_ = Phase::kWaiting;
  join_token_ = response.join_token();
  if (response.has_guest_session()) {
    authorization_ = "Bearer " + response.guest_session().token();
    display_name_ = response.guest_session().account().display_name();
  }
  if (Result<void> allowed = options_.trust.guard->check_answer(response.sdp_answer()); !allowed)
    return finish(ExitStatus::kNotAllowed, allowed.error().message);
  if (Result<void> set = media_->set_answer(now, response.sdp_answer()); !set)
    return finish(ExitStatus::kMediaFailed,
                  "The relay's answer cannot be used: " + set.error().message);
  channel_was_live_ = false;
  relay_saw_us_ = false;
  channel_.start(now, join_token_);
  if (joined_once_ || give_up_at_ != base::kNever || media_was_connected_) return;
  notice_at_ = now + kNoMediaNotice;
  give_up_at_ = now + kNoMediaEnd;
  if (options_.stay != base::Duration::max()) leave_at_ = now + options_.stay;
}

void Member::enter_room(Instant now, const v1::RoomState& room) {
  if (!keys_->admitted())
    return finish(ExitStatus::kRefused,
                  "The server lets in without the proof that somebody in the room did.");
  const v1::Member before = room_.self();
  phase_ = Phase::kJoined;
  join_backoff_.reset();
  room_.set_state(room);
  media_->start_recording(now);
  const v1::Member& self = room_.self();
  if (joined_once_) {
    report_self(before);
  } else {
    joined_once_ = true;
    statistics_at_ = now + kStatisticsEvery;
    if (options_.stay != base::Duration::max()) leave_at_ = now + options_.stay;
    report("joined",
           {{"room_id", room_id_},
            {"title", room_.state().title()},
            {"member_id", std::int64_t{self.member_id()}},
            {"name", name_of(self)},
            {"role", std::string(role_name(self.role()))},
            {"seat", std::int64_t{self.seat()}},
            {"ms", milliseconds_since_start(now)}},
           fmt::format("You are in \"{}\" as {}, {}.", room_.state().title(), name_of(self),
                       room_.on_stage() ? "on the stage" : "listening"));
  }
  for (const v1::Member& member : room_.state().stage()) report_stage_member(member, true);
  report_hands({});
  act_by_itself(now);
  update_sending(now);
}

// The server has forgotten this join (it was restarted, or the member was away too long).
void Member::rejoin(Instant now) {
  if (!has_join()) return;
  const bool waited = phase_ == Phase::kWaiting;
  if (!joined_once_ && ++lost_waits_ > kMaxLostWaits)
    return finish(ExitStatus::kRefused, "The server does not keep this join until it is let in.");
  media_down_ = true;
  restart_pending_ = false;
  restart_at_ = base::kNever;
  for (const std::uint64_t connection : tcp_connections_)
    effects_.emplace_back(rtc::CloseTcpConnection{connection});
  tcp_connections_.clear();
  channel_.stop();
  phase_ = Phase::kJoining;
  update_reconnecting(now);
  // Not in a circle without a pause.
  if (waited) {
    join_at_ = now + join_backoff_.next(random_);
  } else {
    join();
  }
}

}  // namespace alcove::client
