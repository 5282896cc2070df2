// A Member's media connection: what it tells, and how it comes back.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "client/member.h"

namespace alcove::client {

using base::Instant;
using base::Result;

namespace {

std::string protocol_of(const rtc::ClientPeerStatistics& statistics) {
  if (!statistics.selected_path) return "";
  return statistics.selected_path->protocol == base::TransportProtocol::kUdp ? "udp" : "tcp";
}

double milliseconds_of(base::Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

}  // namespace

void Member::drain_media(Instant now) {
  if (!media_) return;
  if (keys_)
    for (e2ee::HeldFrame& frame : media_->take_unopened()) keys_->hold(now, std::move(frame));
  for (const MediaEvent& event : media_->take_events()) {
    if (phase_ == Phase::kFinished) return;
    std::visit([&](const auto& one) { handle_media(now, one); }, event);
  }
}

void Member::handle_media(Instant now, const rtc::PeerStateChanged& changed) {
  switch (changed.state) {
    case rtc::PeerState::kConnected:
      handle_media_connected(now);
      break;
    case rtc::PeerState::kDisconnected:
    case rtc::PeerState::kFailed:
      if (!has_join()) break;
      if (!media_was_connected_) {
        if (changed.state == rtc::PeerState::kFailed) {
          const Diagnosis diagnosis = diagnose();
          finish(ExitStatus::kMediaFailed,
                 changed.failure == rtc::PeerFailure::kDtls
                     ? "The relay was reached, but the encrypted connection "
                       "(DTLS) with it failed."
                     : diagnosis.message);
        }
        break;
      }
      media_down_ = true;
      update_reconnecting(now);
      restart_media(now);
      break;
    case rtc::PeerState::kNew:
    case rtc::PeerState::kChecking:
      break;
  }
}

void Member::handle_media_connected(Instant now) {
  media_down_ = false;
  restart_at_ = base::kNever;
  restart_backoff_.reset();
  notice_at_ = base::kNever;
  if (!media_was_connected_) {
    media_was_connected_ = true;
    if (phase_ < Phase::kDeparting && !reconnecting_) give_up_at_ = base::kNever;
    const rtc::ClientPeerStatistics statistics = media_->statistics();
    report("connected",
           {{"ms", milliseconds_since_start(now)},
            {"path", protocol_of(statistics)},
            {"srtp", std::string(statistics.srtp_profile)}},
           "Sound is connected.");
  }
  update_reconnecting(now);
  update_sending(now);
}

void Member::handle_media(Instant, const rtc::OpenTcpConnection& open) {
  effects_.emplace_back(open);
}

void Member::handle_media(Instant, const rtc::CloseTcpConnection& close) {
  tcp_connections_.erase(close.connection);
  effects_.emplace_back(close);
}

// The name is that of the key that opened the voice: the log's word, not the server's.
void Member::handle_media(Instant, const SpeakingChange& change) {
  const roomlog::StageMember* holder =
      keys_->admitted() ? keys_->state().at_seat(change.seat) : nullptr;
  const v1::Member* member = room_.stage_member_at(change.seat);
  const bool is_holder = member != nullptr && holder != nullptr &&
                         std::ranges::equal(base::as_bytes(member->leaf()),
                                            base::Bytes(holder->certificate.leaf_hash));
  const std::string name = holder == nullptr ? "" : holder->certificate.display_name;
  std::vector<std::pair<std::string, EventValue>> fields{
      {"seat", std::int64_t{change.seat}},
      {"member_id", std::int64_t{is_holder ? member->member_id() : 0}},
      {"name", name},
      {"speaking", change.speaking}};
  if (change.level_db > -96) fields.emplace_back("level_db", std::round(change.level_db * 10) / 10);
  report("speaking", std::move(fields),
         change.speaking && !name.empty() ? name + " is speaking." : "");
}

void Member::handle_media(Instant now, const FirstAudio&) {
  report("first_audio", {{"ms", milliseconds_since_start(now)}}, "");
}

void Member::handle_media(Instant, const SourceFinished&) {
  report("speak_finished", {}, "The sound to speak is at its end.");
}

void Member::handle_media(Instant, const SinkFailed& failed) {
  report_error("record", {0, "unavailable", "", failed.message, 0});
}

void Member::restart_media(Instant now) {
  if (restart_pending_ || !has_join()) return;
  const Result<std::string> offer = media_->create_restart_offer(local_addresses_);
  if (!offer) return rejoin(now);
  restart_pending_ = true;
  restart_at_ = base::kNever;
  v1::RestartRequest request;
  request.set_join_token(join_token_);
  request.set_sdp_offer(*offer);
  call({Ask::kRestart}, "POST", "/v1/rooms/" + room_id_ + "/restart", request.SerializeAsString());
}

void Member::handle_restart(Instant now, const Result<HttpAnswer>& answer) {
  restart_pending_ = false;
  if (!has_join()) return;
  const ApiResult<v1::RestartResponse> response = parse_answer<v1::RestartResponse>(answer);
  if (response) {
    Result<void> allowed = options_.trust.guard->check_answer(response->sdp_answer());
    if (!allowed) return finish(ExitStatus::kNotAllowed, allowed.error().message);
    if (!media_->set_restart_answer(now, response->sdp_answer())) return rejoin(now);
    // Once more, should the new path not come up; not when the old one went on all the time.
    if (media_down_) restart_at_ = now + restart_backoff_.next(random_);
    return;
  }
  const ExitStatus status = exit_status_of(response.error());
  if (status == ExitStatus::kNotAllowed) return finish_by(response.error());
  if (status == ExitStatus::kRefused && response.error().http_status != 429) return rejoin(now);
  restart_at_ = now + restart_backoff_.next(random_);
}

void Member::handle_media_deadlines(Instant now) {
  if (now >= notice_at_) {
    notice_at_ = base::kNever;
    const Diagnosis diagnosis = diagnose();
    report("no_media", {{"failed", diagnosis.failed}, {"message", diagnosis.message}},
           diagnosis.message + " Still trying.");
  }
  if (now >= restart_at_) {
    restart_at_ = base::kNever;
    restart_media(now);
  }
  if (now >= statistics_at_) report_statistics(now);
  if (now < give_up_at_ || phase_ >= Phase::kDeparting) return;
  give_up_at_ = base::kNever;
  if (!media_was_connected_) return finish(ExitStatus::kMediaFailed, diagnose().message);
  if (phase_ == Phase::kWaiting && channel_.answered())
    return finish(ExitStatus::kRefused, "Nobody has let you in again.");
  const bool server_is_there = phase_ == Phase::kJoined && channel_.live();
  finish(server_is_there ? ExitStatus::kMediaFailed : ExitStatus::kNetwork,
         server_is_there ? "The sound was lost and did not come back."
                         : "The connection to the server was lost and did not come back.");
}

void Member::update_reconnecting(Instant now) {
  if (channel_.live()) channel_was_live_ = true;
  const bool rejoining = joined_once_ && (phase_ == Phase::kJoining || phase_ == Phase::kWaiting);
  const bool channel_lost = phase_ == Phase::kJoined && channel_was_live_ && !channel_.live();
  const bool media_lost = joined_once_ && media_down_ && media_was_connected_;
  const bool lost = rejoining || channel_lost || media_lost;
  if (lost == reconnecting_) return;
  reconnecting_ = lost;
  update_sending(now);
  if (lost) {
    give_up_at_ = now + kReconnectFor;
    report("reconnecting", {{"media", media_down_}, {"events", rejoining || channel_lost}},
           "Reconnecting. Nothing is sent meanwhile.");
    return;
  }
  if (media_was_connected_) give_up_at_ = base::kNever;
  report("reconnected", {}, "Connected again.");
}

void Member::update_sending(Instant now) {
  if (!media_ || !keys_) return;
  may_send_ = keys_->may_send();
  const bool invited_in = may_send_ && room_.on_stage() && !room_.self().muted() && !muted_here_;
  const bool allowed =
      phase_ == Phase::kJoined && !reconnecting_ && (invited_in || options_.send_anyway);
  if (options_.send_anyway && !rogue_) rogue_.emplace(random_, config_.packet_bucket());
  media_->set_sending(now, allowed, options_.send_anyway && !may_send_ ? &*rogue_ : nullptr);
}

void Member::report_statistics(Instant now) {
  statistics_at_ = now + kStatisticsEvery;
  const rtc::ClientPeerStatistics statistics = media_->statistics();
  const JitterCounters played = media_->jitter_counters();
  const e2ee::FrameCounters frames = media_->frame_counters();
  std::int64_t received = 0;
  std::int64_t lost = 0;
  std::int64_t repaired = 0;
  for (const rtc::SlotStatistics& slot : statistics.slots) {
    received += static_cast<std::int64_t>(slot.packets);
    lost += slot.lost;
    repaired += static_cast<std::int64_t>(slot.repaired);
  }
  std::vector<std::pair<std::string, EventValue>> fields{
      {"sent", static_cast<std::int64_t>(statistics.packets_sent)},
      {"received", received},
      {"lost", lost},
      {"repaired", repaired},
      {"from_fec", static_cast<std::int64_t>(played.repaired)},
      {"concealed", static_cast<std::int64_t>(played.concealed + played.underruns)},
      {"late", static_cast<std::int64_t>(played.late)},
      {"dropped",
       static_cast<std::int64_t>(statistics.dropped_unauthenticated + statistics.dropped_malformed +
                                 frames.bad_size + frames.bad_header + frames.bad_seat +
                                 frames.bad_length + frames.bad_padding + frames.not_opened)},
      {"reported_loss", statistics.reported_loss},
      {"path", protocol_of(statistics)}};
  const auto round_trip = statistics.round_trip ? statistics.round_trip : statistics.ice_round_trip;
  if (round_trip) fields.emplace_back("round_trip_ms", milliseconds_of(*round_trip));
  report("media", std::move(fields), "");
}

Member::Diagnosis Member::diagnose() const {
  const rtc::ClientPeerStatistics statistics =
      media_ ? media_->statistics() : rtc::ClientPeerStatistics{};
  if (statistics.selected_path)
    return {"dtls",
            "The relay answers, but the encrypted connection (DTLS) with it does not come up."};
  const auto port = config_.media_port();
  if (relay_saw_us_)
    return {
        options_.media.use_udp ? "udp" : "tcp",
        fmt::format("The relay hears this computer, but its answers from port {} do not arrive: "
                    "something on the way blocks them.",
                    port)};
  if (!options_.media.use_tcp)
    return {"udp", fmt::format("The relay does not answer on UDP port {}: a firewall may block it. "
                               "Try without --udp-only.",
                               port)};
  if (!options_.media.use_udp)
    return {"tcp", fmt::format("The relay does not answer on TCP port {}: a firewall may block it. "
                               "Try without --tcp-only.",
                               port)};
  return {"udp_and_tcp",
          fmt::format("The relay answers neither on UDP port {0} nor on TCP port {0}: a firewall "
                      "may block both.",
                      port)};
}

}  // namespace alcove::client
