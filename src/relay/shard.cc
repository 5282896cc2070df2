#include "relay/shard.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "relay/shard_implementation.h"
#include "wire/demux.h"

namespace alcove::relay {
namespace {

// A path that one endpoint was checked on this recently is not another's: or else a member could
// take a stranger's traffic with one check from a forged address. Browsers check every 3 to 6
// seconds.
constexpr base::Duration kPathHold = base::seconds(10);

}  // namespace

Shard::Shard(ShardOptions options, const crypto::Certificate& certificate,
             base::RandomSource& random)
    : implementation_(std::make_unique<Implementation>(std::move(options), certificate, random)) {}
Shard::~Shard() = default;
Shard::Shard(Shard&&) noexcept = default;
Shard& Shard::operator=(Shard&&) noexcept = default;

void Shard::handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram,
                            ShardOutput& out) {
  implementation_->handle_datagram({now, out}, path, datagram, implementation_->index());
}
void Shard::handle_command(base::Instant now, const v1::RelayCommand& command, ShardOutput& out) {
  implementation_->handle_command({now, out}, command);
}
void Shard::handle_shard_message(base::Instant now, ShardMessage&& message, ShardOutput& out) {
  implementation_->handle_shard_message({now, out}, std::move(message));
}
void Shard::handle_connection_closed(base::Instant now, std::uint64_t connection,
                                     ShardOutput& out) {
  implementation_->handle_connection_closed({now, out}, connection);
}
void Shard::handle_timeout(base::Instant now, ShardOutput& out) {
  implementation_->handle_timeout({now, out});
}
void Shard::handle_batch_cost(base::Instant ended, base::Duration work) {
  implementation_->handle_batch_cost(ended, work);
}
base::Instant Shard::next_deadline() const { return implementation_->next_deadline(); }
const Load& Shard::load() const { return implementation_->load(); }
ShardCounters Shard::counters() const { return implementation_->counters(); }

unsigned home_shard(const base::RelayRoomId& room, unsigned count) {
  return static_cast<unsigned>(std::hash<base::RelayRoomId>()(room) % count);
}

Shard::Implementation::Implementation(ShardOptions options, const crypto::Certificate& certificate,
                                      base::RandomSource& random)
    : options_(std::move(options)),
      candidates_(make_candidates(options_.candidates)),
      dtls_context_(certificate),
      random_(random) {
  CHECK(options_.count > 0 && options_.count <= kMaxShards && options_.index < options_.count);
  CHECK(options_.slots > 0 && options_.slots <= kMaxSlots);
}

ShardCounters Shard::Implementation::counters() const {
  ShardCounters result = counters_;
  result.endpoints = endpoints_.size();
  result.rooms = rooms_.size();
  result.handshakes_waiting = handshakes_.size();
  return result;
}

// RFC 7983, section 7 (wire/demux.h quotes it): the first byte says which protocol it is.
void Shard::Implementation::handle_datagram(Turn turn, const base::Path& path, base::Bytes datagram,
                                            unsigned via) {
  if (via == options_.index) ++counters_.datagrams_received;
  batch_.only_handshakes = false;
  if (datagram.size() > base::kMaxDatagram)
    return drop_datagram(turn, path, DropReason::kOversized);
  switch (wire::classify_packet(datagram)) {
    case wire::PacketKind::kStun:
      return handle_stun(turn, path, datagram, via);
    case wire::PacketKind::kDtls:
    case wire::PacketKind::kRtp:
    case wire::PacketKind::kRtcp:
      return handle_protected(turn, path, datagram, via);
    case wire::PacketKind::kUnknown:
      return drop_datagram(turn, path, DropReason::kUnknownKind);
  }
}

void Shard::Implementation::handle_stun(Turn turn, const base::Path& path, base::Bytes datagram,
                                        unsigned via) {
  const auto message = wire::parse_stun(datagram);
  if (!message || message->message_class != wire::StunClass::kRequest || !message->username)
    return drop_datagram(turn, path, DropReason::kMalformedStun);
  // RFC 8445, section 7.2.2: "the username fragment provided by the peer [...] a colon, [...]".
  const std::string_view ufrag = message->username->substr(0, message->username->find(':'));
  const unsigned owner = shard_of_ufrag(ufrag);
  if (owner != options_.index && owner < options_.count && via == options_.index) {
    // The queues between shards carry media: strangers get a share of them.
    if (!routes_.contains(path) && !strangers_.take(turn.now, path.remote.ip))
      return drop_datagram(turn, path, DropReason::kLimitedStun);
    return forward_datagram(turn, path, datagram, owner);
  }
  const auto found = ufrags_.find(ufrag);
  if (found == ufrags_.end()) return drop_datagram(turn, path, DropReason::kUnknownUfrag);
  handle_check(turn, path, *message, datagram, via, *found->second);
}

void Shard::Implementation::handle_check(Turn turn, const base::Path& path,
                                         const wire::StunMessage& check, base::Bytes datagram,
                                         unsigned via, Endpoint& endpoint) {
  const auto held = paths_.find(path);
  const bool is_foreign = held != paths_.end() && held->second.endpoint != &endpoint;
  if (is_foreign && turn.now - held->second.last_check < kPathHold)
    return drop_datagram(turn, path, DropReason::kForeignPath);
  // Consent goes on where it was given: on a path of its own an endpoint is not limited.
  const bool is_proven = held != paths_.end() && !is_foreign;
  // The source alone does not decide: behind one address there may be many people.
  const bool has_failed = !endpoint.failed_checks.has(turn.now, kFailedCheckBurst);
  const bool is_limited = (has_failed && failed_checks_.is_exhausted(turn.now, path.remote.ip)) ||
                          !endpoint.failed_checks.has(turn.now, 1);
  if ((!is_proven && is_limited) || !endpoint.requests.has(turn.now, 1))
    return drop_datagram(turn, path, DropReason::kLimitedStun);
  const rtc::IceCheckOutcome outcome =
      endpoint.ice.handle_request(turn.now, path, check, datagram, turn.out.datagrams);
  // Of those that fail only what comes by the endpoint's own path: nobody else uses it up.
  const bool is_accepted = outcome.result == rtc::IceCheckResult::kAccepted;
  if (is_accepted || is_proven) endpoint.requests.take(turn.now, 1);
  if (!is_accepted) {
    if (!is_proven) failed_checks_.take(turn.now, path.remote.ip);
    endpoint.failed_checks.take(turn.now, 1);
    return drop_datagram(turn, path, DropReason::kRefusedStun);
  }

  if (is_foreign) {
    Endpoint& previous = *held->second.endpoint;
    previous.ice.remove_path(path);
    previous.room->set_path(previous);
    forget_path(turn, path, previous);
  }
  for (const base::Path& removed : outcome.paths_removed) {
    if (removed.protocol == base::TransportProtocol::kTcp)
      turn.out.close_connections.push_back(removed.connection);
    forget_path(turn, removed, endpoint);
  }
  add_path(turn, path, via, endpoint);
  if (outcome.restarted) {
    std::erase_if(endpoint.ufrags, [&](const std::string& ufrag) {
      if (ufrag == endpoint.ice.local().ufrag) return false;
      ufrags_.erase(ufrag);
      return true;
    });
  }
  if (outcome.selected_changed) endpoint.room->set_path(endpoint);
  if (!endpoint.was_checked) {
    endpoint.was_checked = true;
    emit_state(turn, endpoint, v1::EndpointStateChanged::STATE_CHECKED);
  }
  schedule(endpoint);
}

void Shard::Implementation::handle_protected(Turn turn, const base::Path& path,
                                             base::Bytes datagram, unsigned via) {
  const auto found = paths_.find(path);
  if (found == paths_.end()) {
    const auto route = routes_.find(path);
    if (route == routes_.end() || via != options_.index)
      return drop_datagram(turn, path, DropReason::kUnknownPath);
    return forward_datagram(turn, path, datagram, route->second);
  }
  Endpoint& endpoint = *found->second.endpoint;
  const wire::PacketKind kind = wire::classify_packet(datagram);
  if (kind == wire::PacketKind::kDtls) {
    return handle_dtls(turn, path, datagram, endpoint);
  }
  if (!endpoint.is_connected()) return counters_.drop(DropReason::kNotConnected);
  std::memcpy(scratch_.data(), datagram.data(), datagram.size());
  const base::MutableBytes packet = base::MutableBytes(scratch_).first(datagram.size());
  if (kind == wire::PacketKind::kRtp)
    handle_rtp(turn, endpoint, packet);
  else
    handle_rtcp(turn, endpoint, packet);
}

void Shard::Implementation::forward_datagram(Turn turn, const base::Path& path,
                                             base::Bytes datagram, unsigned owner) {
  ++counters_.datagrams_forwarded_to_shards;
  turn.out.to_shards.push_back(
      {owner, ForwardedDatagram{options_.index, turn.now, path, base::to_buffer(datagram)}});
}

// A TCP connection that nobody's check has validated is worth nothing after its first wrong frame.
void Shard::Implementation::drop_datagram(Turn turn, const base::Path& path, DropReason reason) {
  counters_.drop(reason);
  if (path.protocol == base::TransportProtocol::kTcp && !paths_.contains(path) &&
      !routes_.contains(path))
    turn.out.close_connections.push_back(path.connection);
}

void Shard::Implementation::add_path(Turn turn, const base::Path& path, unsigned via,
                                     Endpoint& endpoint) {
  const auto [entry, is_new] = paths_.try_emplace(path, ValidPath{&endpoint, via, turn.now});
  entry->second = {&endpoint, via, turn.now};
  if (is_new && path.protocol == base::TransportProtocol::kTcp)
    connections_.insert_or_assign(path.connection, path);
  // With each check again: the queues between shards are bounded, and one may have been lost.
  if (via != options_.index) tell(turn, via, RoutePath{path, options_.index});
}

void Shard::Implementation::forget_path(Turn turn, const base::Path& path,
                                        const Endpoint& endpoint) {
  const auto found = paths_.find(path);
  if (found == paths_.end() || found->second.endpoint != &endpoint) return;
  if (found->second.via != options_.index)
    tell(turn, found->second.via, UnroutePath{path, options_.index});
  if (path.protocol == base::TransportProtocol::kTcp) connections_.erase(path.connection);
  paths_.erase(found);
}

// The connection under the path is closed: its endpoint goes on by another, once it is checked.
void Shard::Implementation::end_path(Turn turn, const base::Path& path) {
  const auto found = paths_.find(path);
  if (found == paths_.end()) return;
  Endpoint& endpoint = *found->second.endpoint;
  endpoint.ice.remove_path(path);
  endpoint.room->set_path(endpoint);
  forget_path(turn, path, endpoint);
}

// Keys cost time: a handshake waits for its turn, which comes after all that has been read.
void Shard::Implementation::handle_dtls(Turn turn, const base::Path& path, base::Bytes datagram,
                                        Endpoint& endpoint) {
  if (endpoint.is_connected()) {  // at most the last flight again
    if (!endpoint.dtls_records.take(turn.now, 1))
      return counters_.drop(DropReason::kHandshakesQueued);
    endpoint.dtls.handle_datagram(turn.now, datagram);
    if (advance_dtls(turn, endpoint)) schedule(endpoint);
    return;
  }
  if (!handshakes_.push(endpoint.join_id, path.remote.ip, datagram))
    return counters_.drop(DropReason::kHandshakesQueued);
  handshakes_due_ = handshake_budget_.next_turn(turn.now);
}

// One flight a call, so that what has arrived meanwhile is read before the next.
void Shard::Implementation::serve_handshake(Turn turn) {
  const std::optional<HandshakeQueue::Flight> flight = handshakes_.pop();
  const auto found = flight ? endpoints_.find(flight->endpoint) : endpoints_.end();
  if (found != endpoints_.end()) {
    handshake_budget_.spend(turn.now);
    ++counters_.handshake_flights;
    ++batch_.flights;
    Endpoint& endpoint = *found->second;
    for (const base::Buffer& datagram : flight->datagrams)
      endpoint.dtls.handle_datagram(turn.now, datagram);
    if (advance_dtls(turn, endpoint)) schedule(endpoint);
  }
  handshakes_due_ = handshakes_.empty() ? base::kNever : handshake_budget_.next_turn(turn.now);
}

void Shard::Implementation::handle_batch_cost(base::Instant ended, base::Duration work) {
  const base::Duration spent = std::max(work, base::Duration::zero());
  if (batch_.only_handshakes) handshake_budget_.measure(batch_.flights, spent);
  const base::Duration handshakes = batch_.flights * handshake_budget_.cost();
  LoadMeter::Batch measured;
  measured.ended = ended;
  measured.work = std::max(spent - handshakes, base::Duration::zero());
  if (batch_.oldest_sent) measured.age = ended - *batch_.oldest_sent;
  batch_ = {};
  if (!load_meter_.add(measured)) return;
  const Load& load = load_meter_.load();
  base::log(load.overloaded ? base::LogLevel::kWarning : base::LogLevel::kInfo,
            load.overloaded ? base::Literal("relay_overloaded") : base::Literal("relay_relieved"),
            {{"shard", options_.index},
             {"busy_per_mille", load.busy},
             {"queue_age_ms", load.queue_age / base::milliseconds(1)},
             {"endpoints", endpoints_.size()}});
}

bool Shard::Implementation::advance_dtls(Turn turn, Endpoint& endpoint) {
  for (const base::Buffer& datagram : endpoint.dtls.take_outgoing()) {
    if (const auto& path = endpoint.ice.selected_path()) turn.out.datagrams.push(*path, datagram);
  }
  if (endpoint.is_connected()) return true;
  if (endpoint.dtls.state() == crypto::DtlsState::kFailed) {
    counters_.drop(DropReason::kRefusedDtls);
    lose_endpoint(turn, endpoint, "dtls");
    return false;
  }
  if (endpoint.dtls.state() == crypto::DtlsState::kConnected) connect(turn, endpoint);
  return true;
}

void Shard::Implementation::connect(Turn turn, Endpoint& endpoint) {
  const crypto::DtlsSession::SrtpKeys& keys = endpoint.dtls.srtp_keys();
  endpoint.sender.emplace(keys.local, options_.sealing);
  endpoint.receiver.emplace(keys.remote);
  if (endpoint.may_receive) endpoint.room->add_listener(endpoint, random_);
  // Spread over the interval, so that reports to a room that came at once do not leave at once.
  constexpr auto kIntervalMicroseconds = static_cast<std::uint32_t>(kSenderReportInterval.count());
  endpoint.report_at = turn.now + base::Duration(random_.below(kIntervalMicroseconds));
  ++counters_.endpoints_connected;
  emit_state(turn, endpoint, v1::EndpointStateChanged::STATE_CONNECTED);
}

void Shard::Implementation::emit_state(Turn turn, const Endpoint& endpoint,
                                       v1::EndpointStateChanged::State state) {
  v1::EndpointStateChanged& changed = *turn.out.events.emplace_back().mutable_state_changed();
  changed.set_join_id(std::string(base::as_text(endpoint.join_id.bytes())));
  changed.set_state(state);
}

}  // namespace alcove::relay
