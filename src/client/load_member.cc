#include "client/load_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/genesis.h"
#include "wire/demux.h"

namespace alcove::client {

using base::Instant;
using base::Result;
using base::WallTime;

LoadMember::LoadMember(const LoadRoom& room, base::RandomSource& random,
                       const MediaPeerFactory& peers, std::string name, bool sampled,
                       std::vector<base::SocketAddress> local)
    : room_(room),
      random_(random),
      peers_(peers),
      name_(std::move(name)),
      local_(std::move(local)),
      identity_(crypto::Ed25519PrivateKey::make(random)),
      room_path_("/v1/rooms/" + room.room.text()),
      channel_(random) {
  record_.sampled = sampled;
}

LoadMember::~LoadMember() = default;

void LoadMember::call(Call which, std::string method, std::string target, std::string body) {
  HttpCall request;
  request.id = which;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  effects_.emplace_back(std::move(request));
}

void LoadMember::start(Instant now) {
  CHECK(state_ == State::kNew);
  state_ = State::kJoining;
  record_.requested = now;
  give_up_at_ = now + kAdmissionTimeout;
  call(kRoom, "GET", room_path_, "");
}

void LoadMember::leave(Instant now) {
  if (state_ >= State::kLeaving) return;
  if (join_token_.empty()) return end();
  state_ = State::kLeaving;
  give_up_at_ = now + kLeaveTimeout;
  channel_.stop();
  take_channel_effects();
  v1::RoomCommand command;
  command.set_join_token(join_token_);
  command.mutable_leave();
  call(kLeave, "POST", room_path_ + "/commands", command.SerializeAsString());
}

void LoadMember::abandon() {
  if (state_ != State::kEnded) end();
}

// What counts is kept; what takes memory goes.
void LoadMember::end() {
  count_media(record_);
  channel_.stop();
  take_channel_effects();
  peer_.reset();
  keys_.reset();
  state_ = State::kEnded;
  give_up_at_ = base::kNever;
}

void LoadMember::take_channel_effects() {
  for (ChannelEffect& effect : channel_.take_effects())
    std::visit([this](auto& one) { effects_.emplace_back(std::move(one)); }, effect);
}

void LoadMember::fail(Instant now, std::string reason, std::string message) {
  if (had_failure() || state_ >= State::kLeaving) return;
  record_.failure = std::move(reason);
  record_.message = std::move(message);
  leave(now);
}

void LoadMember::fail_by(Instant now, const ApiError& error) {
  std::string reason = error.reason.empty() ? error.code : error.reason;
  const bool denied = exit_status_of(error) == ExitStatus::kNotAllowed;
  if (error.http_status == 0 && !denied) reason = "http";
  fail(now, std::move(reason), error.message);
}

void LoadMember::handle_answer(Instant now, WallTime wall, std::uint64_t id,
                               const Result<HttpAnswer>& answer) {
  if (state_ == State::kEnded) return;
  if (id == kLeave) return end();
  if (state_ != State::kJoining) return;
  if (const auto error = error_of(answer)) {
    fail_by(now, *error);
  } else if (id == kRoom) {
    handle_room(now, answer);
  } else {
    handle_join(now, answer);
  }
  settle(now, wall);
}

void LoadMember::handle_room(Instant now, const Result<HttpAnswer>& answer) {
  const ApiResult<v1::RoomSummary> summary = parse_answer<v1::RoomSummary>(answer);
  if (!summary) return fail_by(now, summary.error());
  std::optional<roomlog::Hash> fingerprint;
  if (room_.fragment) fingerprint = room_.fragment->fingerprint;
  Result<roomlog::Genesis> genesis = check_genesis(summary->genesis(), room_.room, fingerprint);
  if (!genesis) return fail(now, "keys", genesis.error().message);
  if (const auto failure = room_.house_check->check_genesis(*genesis))
    return fail(now, "manifest", failure->message);
  make_keys(*std::move(genesis));
  rtc::ClientPeerOptions peer;
  peer.local_addresses = local_;
  peer.slots = room_.slots;
  peer.use_tcp = false;
  peer.identity = room_.identity;
  peer.opened_share = record_.sampled ? 1 : room_.opened_share;
  peer_ = peers_(std::move(peer));
  v1::JoinRoomRequest request;
  request.set_sdp_offer(peer_->create_offer());
  request.set_guest_name(name_);
  *request.mutable_keys() = keys_->join_keys();
  call(kJoin, "POST", room_path_ + "/join", request.SerializeAsString());
}

void LoadMember::make_keys(roomlog::Genesis genesis) {
  e2ee::RoomKeysOptions options;
  options.account = "guest";
  options.display_name = name_;
  options.keep_log = false;
  if (room_.fragment) options.link_secret = room_.fragment->secret;
  keys_ =
      std::make_unique<e2ee::RoomKeys>(std::move(genesis), identity_, random_, std::move(options));
}

void LoadMember::handle_join(Instant now, const Result<HttpAnswer>& answer) {
  const ApiResult<v1::JoinRoomResponse> response = parse_answer<v1::JoinRoomResponse>(answer);
  if (!response) return fail_by(now, response.error());
  record_.answered = now;
  join_token_ = response->join_token();
  if (Result<void> allowed = room_.guard->check_answer(response->sdp_answer()); !allowed)
    return fail(now, "not_allowed", allowed.error().message);
  if (Result<void> set = peer_->set_answer(now, response->sdp_answer()); !set)
    return fail(now, "sdp", "The relay's answer cannot be used: " + set.error().message);
  channel_.start(now, join_token_);
}

void LoadMember::handle_websocket_opened(Instant now, WallTime wall, std::uint64_t id) {
  channel_.handle_opened(now, id);
  settle(now, wall);
}

void LoadMember::handle_websocket_message(Instant now, WallTime wall, std::uint64_t id,
                                          base::Bytes message) {
  lost_sockets_ = 0;
  channel_.handle_message(now, id, message);
  settle(now, wall);
}

void LoadMember::handle_websocket_closed(Instant now, WallTime wall, std::uint64_t id,
                                         const std::string& why) {
  channel_.handle_closed(now, id);
  // The answer may say more: the channel's goodbye came before.
  if (++lost_sockets_ >= kMaxLostSockets)
    fail(now, "events_lost", "The event connection does not come up: " + why);
  settle(now, wall);
}

bool LoadMember::handle_datagram(Instant now, const base::Path& path, base::Bytes datagram) {
  if (!peer_) return true;
  const bool is_sound = wire::classify_packet(datagram) == wire::PacketKind::kRtp;
  const bool in_order = is_sound && arrivals_.handle_packet(now, datagram);
  peer_->handle_datagram(now, path, datagram);
  return in_order && peer_->events().empty() && peer_->outgoing().empty();
}

void LoadMember::handle_timeout(Instant now, WallTime wall) {
  if (state_ == State::kEnded) return;
  channel_.handle_timeout(now);
  if (keys_) keys_->handle_timeout(now, wall);
  if (peer_ && peer_->next_deadline() <= now) peer_->handle_timeout(now);
  if (now >= give_up_at_) {
    give_up_at_ = base::kNever;
    if (state_ == State::kLeaving) return end();
    if (record_.answered == base::kNever)
      fail(now, "http", "The server did not answer the join in time.");
    else
      fail(now, "not_let_in", "Nobody on the stage has let the member in in time.");
  }
  settle(now, wall);
}

Instant LoadMember::next_deadline() const {
  if (state_ == State::kEnded) return base::kNever;
  Instant next = std::min(channel_.next_deadline(), give_up_at_);
  if (keys_) next = std::min(next, keys_->next_deadline());
  if (peer_) next = std::min(next, peer_->next_deadline());
  return next;
}

void LoadMember::settle(Instant now, WallTime wall) {
  if (state_ == State::kEnded) return;
  drain_channel(now, wall);
  drain_keys(now);
  drain_media(now);
  // In, and not one that follows: the log and the epochs are for others.
  if (state_ == State::kInside && !record_.sampled) keys_.reset();
  take_channel_effects();
}

void LoadMember::drain_channel(Instant now, WallTime wall) {
  for (const ChannelEvent& event : channel_.take_events()) {
    if (state_ == State::kEnded) return;
    std::visit([&](const auto& one) { handle_channel(now, wall, one); }, event);
  }
}

void LoadMember::handle_channel(Instant now, WallTime, const ChannelConnected&) {
  if (keys_) keys_->handle_connected(now);
}

void LoadMember::handle_channel(Instant now, WallTime, const ChannelLost&) {
  if (keys_) keys_->handle_disconnected(now);
}

void LoadMember::handle_channel(Instant now, WallTime wall, const v1::KeysFromServer& message) {
  if (keys_) keys_->handle_message(now, wall, message);
}

void LoadMember::handle_channel(Instant now, WallTime, const v1::Welcome&) {
  if (state_ != State::kJoining) return;
  if (!keys_->admitted())
    return fail(now, "keys", "The server lets in without the proof that somebody in the room did.");
  state_ = State::kInside;
  record_.admitted = now;
  give_up_at_ = base::kNever;
}

void LoadMember::handle_channel(Instant now, WallTime, const v1::EventBatch& batch) {
  for (const v1::RoomEvent& event : batch.events()) {
    if (event.has_room_ended())
      fail(now, "room_ended", "The room has ended.");
    else if (event.has_removed())
      fail(now, "removed." + event.removed().cause(),
           "The server took the member out of the room: " + event.removed().cause() + ".");
  }
}

void LoadMember::handle_channel(Instant now, WallTime, const v1::Goodbye& goodbye) {
  if (state_ == State::kLeaving) return;
  const v1::ErrorResponse& reason = goodbye.reason();
  fail(now, reason.reason().empty() ? reason.code() : reason.reason(), reason.message());
}

void LoadMember::drain_keys(Instant now) {
  if (!keys_) return;
  for (const e2ee::KeyEvent& event : keys_->take_events()) {
    const auto* warning = std::get_if<e2ee::WarningEvent>(&event);
    if (warning == nullptr || !warning->active) continue;
    if (warning->warning == e2ee::KeyWarning::kFork ||
        warning->warning == e2ee::KeyWarning::kFailedCheck)
      fail(now, "keys", "The room's log cannot be verified: " + warning->detail);
    if (!keys_) return;
  }
  for (v1::KeysFromClient& message : keys_->take_messages()) channel_.send_keys(std::move(message));
  for (const e2ee::HeldFrame& frame : keys_->take_released(now))
    ++(keys_->frames().open(frame.payload) ? record_.opened : record_.not_opened);
}

void LoadMember::drain_media(Instant now) {
  if (!peer_) return;
  rtc::PeerFailure failure = rtc::PeerFailure::kNone;
  for (const rtc::PeerEvent& event : peer_->events()) {
    if (const auto* frame = std::get_if<rtc::RemoteFrame>(&event)) {
      if (record_.sampled) open_frame(now, *frame);
    } else if (const auto* changed = std::get_if<rtc::PeerStateChanged>(&event)) {
      if (changed->state == rtc::PeerState::kConnected)
        record_.connected = std::min(record_.connected, now);
      if (changed->state == rtc::PeerState::kFailed) failure = changed->failure;
    }
  }
  peer_->clear_events();
  if (failure == rtc::PeerFailure::kNoPath)
    fail(now, "no_path", "The relay does not answer on its UDP port.");
  else if (failure == rtc::PeerFailure::kDtls)
    fail(now, "dtls", "The relay was reached, but the encrypted connection (DTLS) failed.");
  else if (failure == rtc::PeerFailure::kConsentExpired)
    fail(now, "media_lost", "The relay has not answered for 30 s.");
}

void LoadMember::open_frame(Instant now, const rtc::RemoteFrame& frame) {
  if (!keys_) return;
  const base::Bytes payload = peer_->payload(frame);
  const auto opened = keys_->frames().open(payload);
  if (opened) {
    ++record_.opened;
  } else if (opened.error() == e2ee::OpenFault::kDropped) {
    ++record_.not_opened;
  } else {
    keys_->hold(now, {frame.slot, frame.sequence, frame.timestamp, frame.marker,
                      base::to_buffer(payload), now});
  }
}

void LoadMember::begin_measuring() {
  record_.already = state_ == State::kInside;
  arrivals_.begin_measuring();
}

base::DatagramQueue& LoadMember::datagrams() { return peer_ ? peer_->outgoing() : nothing_; }

void LoadMember::count_media(LoadRecord& record) const {
  record.first_packet = arrivals_.first();
  record.worst_gap = arrivals_.worst();
  record.worst_gap_measured = arrivals_.worst_measured();
  record.audible_gaps = arrivals_.audible_gaps();
  if (!peer_) return;
  const rtc::ClientPeerStatistics statistics = peer_->statistics();
  record.unauthenticated = statistics.dropped_unauthenticated;
  for (const rtc::SlotStatistics& slot : statistics.slots) {
    record.packets += slot.packets;
    record.lost += std::max<std::int64_t>(slot.lost, 0);
    record.repaired += slot.repaired;
    record.duplicates += slot.duplicates;
    record.authenticated += slot.packets - slot.unopened;
    record.jitter = std::max(record.jitter, slot.jitter);
  }
}

LoadRecord LoadMember::record() const {
  LoadRecord record = record_;
  if (state_ != State::kEnded) count_media(record);
  return record;
}

}  // namespace alcove::client
