// Commands of the control plane, and the deadlines of endpoints.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "relay/shard_implementation.h"
#include "rtc/ice_credentials.h"

namespace alcove::relay {
namespace {

void refuse(ShardOutput& out, const std::string& join_id, v1::EndpointRefused::Reason reason,
            std::string detail) {
  v1::EndpointRefused& refused = *out.events.emplace_back().mutable_refused();
  refused.set_join_id(join_id);
  refused.set_reason(reason);
  refused.set_detail(std::move(detail));
}

}  // namespace

void Shard::Implementation::handle_command(Turn turn, const v1::RelayCommand& command) {
  batch_.only_handshakes = false;
  switch (command.command_case()) {
    case v1::RelayCommand::kOpen:
      return open_endpoint(turn, command.open());
    case v1::RelayCommand::kClose:
      return close_endpoint(turn, command.close());
    case v1::RelayCommand::kAllowSending:
      return allow_sending(turn, command.allow_sending());
    case v1::RelayCommand::kAllowReceiving:
      return allow_receiving(command.allow_receiving());
    case v1::RelayCommand::kRestart:
      return restart_endpoint(turn, command.restart());
    case v1::RelayCommand::kCloseRoom:
      return close_room(turn, command.close_room());
    case v1::RelayCommand::COMMAND_NOT_SET:
      break;
  }
}

void Shard::Implementation::open_endpoint(Turn turn, const v1::OpenEndpoint& command) {
  const auto join_id = base::JoinId::from_bytes(base::as_bytes(command.join_id()));
  const auto room_id = base::RelayRoomId::from_bytes(base::as_bytes(command.relay_room()));
  if (!join_id || !room_id)
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_BAD_OFFER,
                  "join_id and relay_room are 16 bytes each");
  if (endpoints_.contains(*join_id))
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_BAD_OFFER,
                  "this join is open already");
  if (endpoints_.size() >= options_.max_endpoints)
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_FULL,
                  "the relay is full");
  if (load().overloaded && !command.needed()) {
    ++counters_.refused_overloaded;
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_OVERLOADED,
                  "the relay has as much to do as it can");
  }
  const auto offer = accept_offer(command.sdp_offer(), options_.slots);
  if (!offer)
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_BAD_OFFER,
                  offer.error());

  auto owned = std::make_unique<Endpoint>(turn.now, dtls_context_, *offer, make_credentials());
  Endpoint& endpoint = *owned;
  endpoints_.emplace(*join_id, std::move(owned));
  endpoint.join_id = *join_id;
  endpoint.may_send = command.may_send();
  endpoint.may_receive = !command.receive_later();
  endpoint.connect_by = turn.now + kConnectTimeout;
  endpoint.send_payload_type = offer->send_payload_type;
  endpoint.slot_payload_types = offer->slot_payload_types;
  endpoint.session_id = random_.next_u64() >> 2;
  choose_streams(endpoint);
  endpoint.ufrags.push_back(endpoint.ice.local().ufrag);
  ufrags_.emplace(endpoint.ufrags.front(), &endpoint);
  endpoint.room = &enter_room(turn, *room_id);
  ++counters_.endpoints_opened;
  schedule(endpoint);

  v1::EndpointOpened& opened = *turn.out.events.emplace_back().mutable_opened();
  opened.set_join_id(command.join_id());
  opened.set_sdp_answer(make_answer(endpoint, offer->description));
  base::log(base::LogLevel::kDebug, "relay_endpoint_opened", {{"shard", options_.index}});
}

void Shard::Implementation::restart_endpoint(Turn turn, const v1::RestartEndpoint& command) {
  Endpoint* endpoint = find_endpoint(command.join_id());
  if (endpoint == nullptr)
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_UNKNOWN,
                  "the endpoint is gone: join again");
  auto offer = accept_offer(command.sdp_offer(), options_.slots);
  if (offer && offer->fingerprint != endpoint->fingerprint)
    offer = std::unexpected("the fingerprint has changed: DTLS goes on after an ICE restart");
  // A packet that is sent again must be the same, byte for byte: it has the same nonce.
  if (offer && (offer->send_payload_type != endpoint->send_payload_type ||
                offer->slot_payload_types != endpoint->slot_payload_types))
    offer = std::unexpected("the payload types have changed: they stay after an ICE restart");
  if (!offer)
    return refuse(turn.out, command.join_id(), v1::EndpointRefused::REASON_BAD_OFFER,
                  offer.error());

  const wire::IceCredentials local = make_credentials();
  if (endpoint->ufrags.size() > 1) {  // an earlier restart that nothing came of
    ufrags_.erase(endpoint->ufrags.back());
    endpoint->ufrags.pop_back();
  }
  endpoint->ufrags.push_back(local.ufrag);
  ufrags_.emplace(local.ufrag, endpoint);
  endpoint->ice.restart(local, offer->ice);
  ++endpoint->session_version;

  v1::EndpointOpened& opened = *turn.out.events.emplace_back().mutable_opened();
  opened.set_join_id(command.join_id());
  opened.set_sdp_answer(make_answer(*endpoint, offer->description));
}

void Shard::Implementation::close_endpoint(Turn turn, const v1::CloseEndpoint& command) {
  if (Endpoint* endpoint = find_endpoint(command.join_id())) remove_endpoint(turn, *endpoint);
}

void Shard::Implementation::allow_sending(Turn turn, const v1::AllowSending& command) {
  Endpoint* endpoint = find_endpoint(command.join_id());
  if (endpoint == nullptr || endpoint->may_send == command.allowed()) return;
  endpoint->may_send = command.allowed();
  if (!endpoint->may_send) stop_speaker(turn, *endpoint);
  schedule(*endpoint);
}

void Shard::Implementation::allow_receiving(const v1::AllowReceiving& command) {
  Endpoint* endpoint = find_endpoint(command.join_id());
  if (endpoint == nullptr || std::exchange(endpoint->may_receive, true)) return;
  if (endpoint->is_connected()) endpoint->room->add_listener(*endpoint, random_);
}

void Shard::Implementation::close_room(Turn turn, const v1::CloseRelayRoom& command) {
  const auto id = base::RelayRoomId::from_bytes(base::as_bytes(command.relay_room()));
  if (!id) return;
  std::vector<Endpoint*> members;
  for (const auto& [join_id, endpoint] : endpoints_) {
    if (endpoint->room->id() == *id) members.push_back(endpoint.get());
  }
  for (Endpoint* endpoint : members) remove_endpoint(turn, *endpoint);
}

Endpoint* Shard::Implementation::find_endpoint(std::string_view join_id) const {
  const auto id = base::JoinId::from_bytes(base::as_bytes(join_id));
  if (!id) return nullptr;
  const auto found = endpoints_.find(*id);
  return found == endpoints_.end() ? nullptr : found->second.get();
}

wire::IceCredentials Shard::Implementation::make_credentials() {
  const char prefix = ufrag_prefix(options_.index);
  while (true) {
    wire::IceCredentials credentials = rtc::make_ice_credentials(random_, {&prefix, 1});
    if (!ufrags_.contains(credentials.ufrag)) return credentials;
  }
}

void Shard::Implementation::choose_streams(Endpoint& endpoint) {
  for (unsigned slot = 0; slot < options_.slots; ++slot) {
    const auto chosen = std::span(endpoint.ssrcs).first(slot);
    std::uint32_t ssrc = 0;
    do ssrc = random_.next_u32();
    while (ssrc == 0 || std::ranges::find(chosen, ssrc) != chosen.end());
    endpoint.ssrcs[slot] = ssrc;
  }
  endpoint.cname = base::to_base64url(random_.bytes<12>());
  // Receivers compare the NTP times of one sender only, and how long this machine has been up is
  // nobody's business.
  endpoint.clock = rtc::NtpClock(base::seconds(random_.next_u32() >> 1));
}

std::string Shard::Implementation::make_answer(const Endpoint& endpoint,
                                               const wire::SdpDescription& offer) const {
  wire::AnswerOptions answer;
  answer.session_id = endpoint.session_id;
  answer.session_version = endpoint.session_version;
  answer.ice = endpoint.ice.local();
  answer.fingerprint = dtls_context_.fingerprint();
  answer.candidates = candidates_;
  for (unsigned slot = 0; slot < options_.slots; ++slot)
    answer.slots.push_back({endpoint.ssrcs[slot], endpoint.cname});
  return wire::write_answer(offer, answer);
}

LocalRoom& Shard::Implementation::enter_room(Turn turn, const base::RelayRoomId& id) {
  std::unique_ptr<LocalRoom>& room = rooms_[id];
  if (!room) {
    room = std::make_unique<LocalRoom>(id, options_.slots, options_.hold_packets);
    tell(turn, home_of(id), RoomPresence{id, options_.index, true});
  }
  room->add_endpoint();
  return *room;
}

void Shard::Implementation::leave_room(Turn turn, Endpoint& endpoint) {
  stop_speaker(turn, endpoint);
  LocalRoom& room = *endpoint.room;
  const base::RelayRoomId id = room.id();
  release(turn, room);  // what is held may name the endpoint
  room.remove_listener(endpoint);
  room.remove_endpoint();
  if (room.has_endpoints()) return;
  rooms_.erase(id);
  tell(turn, home_of(id), RoomPresence{id, options_.index, false});
}

void Shard::Implementation::remove_endpoint(Turn turn, Endpoint& endpoint) {
  for (const base::Path& path : endpoint.ice.valid_paths()) {
    if (path.protocol == base::TransportProtocol::kTcp)
      turn.out.close_connections.push_back(path.connection);
    forget_path(turn, path, endpoint);
  }
  for (const std::string& ufrag : endpoint.ufrags) ufrags_.erase(ufrag);
  leave_room(turn, endpoint);
  deadlines_.remove(endpoint);
  handshakes_.remove(endpoint.join_id);
  if (endpoint.is_connected()) --counters_.endpoints_connected;
  const base::JoinId join_id = endpoint.join_id;
  endpoints_.erase(join_id);
}

void Shard::Implementation::lose_endpoint(Turn turn, Endpoint& endpoint, base::Literal why) {
  ++counters_.endpoints_gone;
  emit_state(turn, endpoint, v1::EndpointStateChanged::STATE_GONE);
  base::log(base::LogLevel::kInfo, "relay_endpoint_gone",
            {{"shard", options_.index}, {"cause", why}});
  remove_endpoint(turn, endpoint);
}

void Shard::Implementation::handle_timeout(Turn turn) {
  while (Timer* timer = releases_.earliest()) {
    if (timer->deadline() > turn.now) break;
    note_sent(timer->deadline());
    release(turn, static_cast<LocalRoom&>(*timer));
  }
  while (Timer* timer = deadlines_.earliest()) {
    if (timer->deadline() > turn.now) break;
    batch_.only_handshakes = false;
    serve_deadline(turn, static_cast<Endpoint&>(*timer));
  }
  if (handshakes_due_ <= turn.now) serve_handshake(turn);
}

void Shard::Implementation::serve_deadline(Turn turn, Endpoint& endpoint) {
  if (turn.now >= endpoint.ice.consent_expires_at())
    return lose_endpoint(
        turn, endpoint,
        endpoint.was_checked ? base::Literal("consent") : base::Literal("unchecked"));
  if (!endpoint.is_connected() && turn.now >= endpoint.connect_by)
    return lose_endpoint(turn, endpoint, "no_keys");
  if (turn.now >= endpoint.dtls.next_deadline()) {
    endpoint.dtls.handle_timeout(turn.now);
    if (!advance_dtls(turn, endpoint)) return;
  }
  if (turn.now >= endpoint.report_at) {
    endpoint.report_at = turn.now + kSenderReportInterval;
    send_sender_report(turn, endpoint);
    const base::RelayRoomId& room = endpoint.room->id();
    if (endpoint.room->announce(turn.now))
      tell(turn, home_of(room), RoomPresence{room, options_.index, true});
  }
  if (turn.now >= endpoint.ingress.next_deadline()) {
    if (endpoint.ingress.is_report_due(turn.now)) send_receiver_report(turn, endpoint);
    send_nack(turn, endpoint);
  }
  schedule(endpoint);
  // Whatever a part has left due, it does not hold this loop.
  if (endpoint.deadline() <= turn.now) deadlines_.set(endpoint, turn.now + base::milliseconds(1));
}

void Shard::Implementation::schedule(Endpoint& endpoint) {
  base::Instant deadline =
      std::min({endpoint.ice.consent_expires_at(), endpoint.dtls.next_deadline(),
                endpoint.report_at, endpoint.ingress.next_deadline()});
  if (!endpoint.is_connected()) deadline = std::min(deadline, endpoint.connect_by);
  deadlines_.set(endpoint, deadline);
}

}  // namespace alcove::relay
