// How a Member comes in: the server's configuration, the account, the room, the join.

#include <fmt/format.h>

#include <utility>

#include "alcove/v1/accounts.pb.h"
#include "client/member.h"

namespace alcove::client {

using base::Instant;
using base::Result;

namespace {

constexpr std::uint32_t kMaxSlots = 16;
// A rate limit at the join is waited for, within reason.
constexpr std::uint32_t kLongestRetryAfter = 30;

}  // namespace

void Member::handle_config(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::ServerConfig> config = parse_answer<v1::ServerConfig>(answer);
  if (!config) return finish_by(config.error());
  const bool usable = config->slots() >= 1 && config->slots() <= kMaxSlots &&
                      config->packet_bucket() >= e2ee::PaddedFrames::kMinBucket &&
                      config->packet_bucket() <= e2ee::PaddedFrames::kMaxBucket;
  if (!usable)
    return finish(ExitStatus::kNetwork, "The server's configuration is not one for this client.");
  config_ = *config;
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
  if (!options_.room) {
    v1::StartRoomRequest request;
    request.set_title(options_.title);
    request.set_kind(options_.kind);
    return call({Ask::kStartRoom}, "POST", "/v1/rooms", request.SerializeAsString());
  }
  join();
}

void Member::handle_log_in(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::SessionResponse> session = parse_answer<v1::SessionResponse>(answer);
  if (!session) return finish_by(session.error());
  authorization_ = "Bearer " + session->token();
  prepare_next();
}

void Member::handle_start_room(const Result<HttpAnswer>& answer) {
  const ApiResult<v1::StartRoomResponse> started = parse_answer<v1::StartRoomResponse>(answer);
  if (!started) return finish_by(started.error());
  options_.room = base::RoomId::parse(started->room().room_id());
  if (!options_.room) return finish(ExitStatus::kNetwork, "The server's answer cannot be read.");
  const std::string link = options_.server.origin() + started->link_path();
  report(
      "started",
      {{"link", link}, {"room_id", started->room().room_id()}, {"title", started->room().title()}},
      "The room's link is " + link);
  prepare_next();
}

void Member::join() {
  join_at_ = base::kNever;
  phase_ = Phase::kJoining;
  room_id_ = options_.room->text();
  if (!media_) {
    media_ = std::make_unique<MediaSession>(
        options_.media, peers_, std::make_unique<e2ee::PaddedFrames>(config_.packet_bucket()),
        source_, sink_);
  }
  v1::JoinRoomRequest request;
  request.set_sdp_offer(media_->create_offer(local_addresses_));
  if (authorization_.empty()) request.set_guest_name(options_.name);
  call({Ask::kJoin}, "POST", "/v1/rooms/" + room_id_ + "/join", request.SerializeAsString());
}

void Member::handle_join(Instant now, const Result<HttpAnswer>& answer) {
  if (phase_ != Phase::kJoining) return;
  const ApiResult<v1::JoinRoomResponse> response = parse_answer<v1::JoinRoomResponse>(answer);
  if (!response) return handle_join_refused(now, response.error());
  handle_joined(now, *response);
}

void Member::handle_join_refused(Instant now, const ApiError& error) {
  if (joined_once_ && exit_status_of(error.http_status) == ExitStatus::kNetwork) {
    join_at_ = now + join_backoff_.next(random_);  // until give_up_at_
    return;
  }
  if (joined_once_ && error.http_status == 404)
    return finish(ExitStatus::kEnded, "The room is over.");
  const bool wait = error.http_status == 429 && error.retry_after_seconds != 0 &&
                    error.retry_after_seconds <= kLongestRetryAfter;
  if (!wait) return finish_by(error);
  report("waiting", {{"seconds", std::int64_t{error.retry_after_seconds}}},
         fmt::format("The server asks to wait {} s before joining.", error.retry_after_seconds));
  join_at_ = now + base::seconds(error.retry_after_seconds);
}

void Member::handle_joined(Instant now, const v1::JoinRoomResponse& response) {
  const v1::Member before = room_.self();
  phase_ = Phase::kJoined;
  join_backoff_.reset();
  join_token_ = response.join_token();
  if (response.has_guest_session()) authorization_ = "Bearer " + response.guest_session().token();
  room_.set_state(response.room());
  if (Result<void> set = media_->set_answer(now, response.sdp_answer()); !set)
    return finish(ExitStatus::kMediaFailed,
                  "The relay's answer cannot be used: " + set.error().message);
  media_->start_recording(now);
  channel_was_live_ = false;
  relay_saw_us_ = false;
  channel_.start(now, join_token_);
  const v1::Member& self = room_.self();
  if (joined_once_) {
    report_self(before);
  } else {
    joined_once_ = true;
    notice_at_ = now + kNoMediaNotice;
    give_up_at_ = now + kNoMediaEnd;
    statistics_at_ = now + kStatisticsEvery;
    if (options_.stay != base::Duration::max()) leave_at_ = now + options_.stay;
    report("joined",
           {{"room_id", room_id_},
            {"title", room_.state().title()},
            {"member_id", std::int64_t{self.member_id()}},
            {"name", self.display_name()},
            {"role", std::string(role_name(self.role()))},
            {"seat", std::int64_t{self.seat()}},
            {"ms", milliseconds_since_start(now)}},
           fmt::format("You are in \"{}\" as {}, {}.", room_.state().title(), self.display_name(),
                       room_.on_stage() ? "on the stage" : "listening"));
  }
  for (const v1::Member& member : room_.state().stage()) report_stage_member(member, true);
  report_hands({});
  act_by_itself(now);
  update_sending(now);
}

// The server has forgotten this join (it was restarted, or the member was away too long).
void Member::rejoin(Instant now) {
  if (phase_ != Phase::kJoined) return;
  media_down_ = true;
  restart_pending_ = false;
  restart_at_ = base::kNever;
  for (const std::uint64_t connection : tcp_connections_)
    effects_.emplace_back(rtc::CloseTcpConnection{connection});
  tcp_connections_.clear();
  channel_.stop();
  update_reconnecting(now);
  join();
}

}  // namespace alcove::client
