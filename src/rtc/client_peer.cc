#include "rtc/client_peer.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "rtc/client_answer.h"
#include "rtc/client_media.h"
#include "rtc/ice_credentials.h"
#include "rtc/ice_full.h"
#include "wire/demux.h"
#include "wire/sdp.h"

namespace alcove::rtc {
namespace {

wire::SdpSource make_source(base::RandomSource& random) {
  std::uint32_t ssrc = 0;
  while (ssrc == 0) ssrc = random.next_u32();
  // Any text of our own; it is new for each join.
  return {.ssrc = ssrc, .cname = make_ice_credentials(random).ufrag};
}

}  // namespace

class ClientPeer::Impl {
 public:
  Impl(base::RandomSource& random, ClientPeerOptions options)
      : random_(random),
        options_(std::move(options)),
        identity_(options_.identity ? options_.identity
                                    : std::make_shared<const ClientIdentity>(
                                          random, options_.wall_time, options_.tls_key_log)),
        source_(make_source(random)),
        session_id_(random.next_u64() >> 1),
        ice_(random, local_addresses(), make_ice_credentials(random)) {}

  std::string create_offer() const {
    return wire::write_offer({.session_id = session_id_,
                              .session_version = session_version_,
                              .ice = ice_.local(),
                              .fingerprint = identity_->certificate.fingerprint(),
                              .source = source_,
                              .slots = options_.slots});
  }

  base::Result<void> set_answer(base::Instant now, std::string_view sdp) {
    if (answer_)
      return base::fail(base::ErrorCode::kFailedPrecondition, "There was an answer already.");
    auto answer = parse_client_answer(sdp, options_.slots);
    if (!answer) return std::unexpected(answer.error());
    answer_ = std::move(*answer);
    dtls_.emplace(identity_->context, crypto::DtlsRole::kClient, answer_->fingerprint);
    begin_checks(now);
    return {};
  }

  base::Result<std::string> create_restart_offer(std::vector<base::SocketAddress> addresses) {
    if (!answer_)
      return base::fail(base::ErrorCode::kFailedPrecondition, "There was no answer yet.");
    options_.local_addresses = std::move(addresses);
    ice_.restart(make_ice_credentials(random_), local_addresses());
    ++session_version_;
    return create_offer();
  }

  base::Result<void> set_restart_answer(base::Instant now, std::string_view sdp) {
    if (!answer_ || ice_.local() == used_local_)
      return base::fail(base::ErrorCode::kFailedPrecondition, "There was no restart offer.");
    auto answer = parse_client_answer(sdp, options_.slots);
    if (!answer) return std::unexpected(answer.error());
    // DTLS goes on, so the relay has to be the same one.
    if (answer->fingerprint != answer_->fingerprint)
      return base::fail(base::ErrorCode::kFailedPrecondition,
                        "The relay is another one now: join again.");
    answer_->ice = std::move(answer->ice);
    answer_->candidates = std::move(answer->candidates);
    begin_checks(now);
    return {};
  }

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;
  bool send_frame(base::Instant now, base::Bytes payload, std::uint32_t timestamp, bool marker);
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path) {
    ice_.handle_tcp_opened(now, remote, path);
    update(now);
  }
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) {
    ice_.handle_tcp_failed(now, remote);
    update(now);
  }
  void handle_tcp_closed(base::Instant now, std::uint64_t connection) {
    ice_.handle_tcp_closed(now, connection);
    update(now);
  }

  base::DatagramQueue& outgoing() { return outgoing_; }
  std::span<const PeerEvent> events() const { return events_; }
  base::Bytes payload(const RemoteFrame& frame) const {
    CHECK(frame.payload_offset + frame.payload_size <= payloads_.size());
    return base::Bytes(payloads_).subspan(frame.payload_offset, frame.payload_size);
  }
  void clear_events() {
    events_.clear();
    payloads_.clear();
  }
  PeerState state() const { return state_; }
  ClientPeerStatistics statistics() const;

 private:
  std::vector<base::SocketAddress> local_addresses() const {
    return options_.use_udp ? options_.local_addresses : std::vector<base::SocketAddress>{};
  }
  // There is no way back from it.
  bool is_dtls_failed() const { return dtls_ && dtls_->state() == crypto::DtlsState::kFailed; }
  void begin_checks(base::Instant now);
  void handle_rtp(base::Instant now, base::Bytes datagram);
  void handle_rtcp(base::Instant now, base::Bytes datagram);
  // After every call: carries ICE's and DTLS's effects over into ours.
  void update(base::Instant now);
  void take_ice_events();
  void update_dtls(base::Instant now);
  void update_state();
  void set_state(PeerState state, PeerFailure failure = PeerFailure::kNone);

  base::RandomSource& random_;
  ClientPeerOptions options_;
  std::shared_ptr<const ClientIdentity> identity_;
  wire::SdpSource source_;
  std::uint64_t session_id_;
  std::uint64_t session_version_ = 1;
  IceFull ice_;
  wire::IceCredentials used_local_;  // those that the last answer answered
  std::optional<ClientAnswer> answer_;
  std::optional<crypto::DtlsSession> dtls_;
  bool dtls_started_ = false;
  std::optional<ClientMedia> media_;

  PeerState state_ = PeerState::kNew;
  base::DatagramQueue outgoing_;
  std::vector<PeerEvent> events_;
  base::Buffer payloads_;  // of the frames in events_
  std::uint64_t unknown_path_ = 0;
  std::uint64_t malformed_ = 0;
};

void ClientPeer::Impl::begin_checks(base::Instant now) {
  std::vector<wire::IceCandidate> candidates = answer_->candidates;
  if (!options_.use_tcp)
    std::erase_if(candidates, [](const wire::IceCandidate& candidate) {
      return candidate.protocol == base::TransportProtocol::kTcp;
    });
  used_local_ = ice_.local();
  ice_.set_remote(now, answer_->ice, candidates);
  update(now);
}

void ClientPeer::Impl::handle_datagram(base::Instant now, const base::Path& path,
                                       base::Bytes datagram) {
  if (!answer_ || datagram.size() > base::kMaxDatagram) return;
  if (!ice_.is_known_path(path)) {
    ++unknown_path_;
    return;
  }
  switch (wire::classify_packet(datagram)) {
    case wire::PacketKind::kStun:
      if (const auto message = wire::parse_stun(datagram))
        ice_.handle_stun(now, path, *message);
      else
        ++malformed_;
      break;
    case wire::PacketKind::kDtls:
      if (dtls_started_) dtls_->handle_datagram(now, datagram);
      break;
    case wire::PacketKind::kRtp:
      return handle_rtp(now, datagram);
    case wire::PacketKind::kRtcp:
      return handle_rtcp(now, datagram);
    case wire::PacketKind::kUnknown:
      ++malformed_;
      return;
  }
  update(now);
}

void ClientPeer::Impl::handle_rtp(base::Instant now, base::Bytes datagram) {
  if (!media_ || media_->count_unopened(now, datagram)) return;
  const std::size_t offset = payloads_.size();
  payloads_.insert(payloads_.end(), datagram.begin(), datagram.end());
  auto frame = media_->handle_rtp(now, base::MutableBytes(payloads_).subspan(offset));
  if (!frame) {
    payloads_.resize(offset);
    return;
  }
  frame->payload_offset += offset;
  payloads_.resize(frame->payload_offset + frame->payload_size);
  events_.emplace_back(*frame);
}

void ClientPeer::Impl::handle_rtcp(base::Instant now, base::Bytes datagram) {
  if (!media_) return;
  std::array<std::uint8_t, base::kMaxDatagram> packet;
  std::ranges::copy(datagram, packet.begin());
  media_->handle_rtcp(now, base::MutableBytes(packet).first(datagram.size()), ice_.send_path(),
                      outgoing_);
}

void ClientPeer::Impl::handle_timeout(base::Instant now) {
  if (is_dtls_failed()) return;
  ice_.handle_timeout(now, outgoing_);
  if (dtls_started_) dtls_->handle_timeout(now);
  if (media_ && now >= media_->next_deadline())
    media_->handle_timeout(now, ice_.send_path(), outgoing_);
  update(now);
}

base::Instant ClientPeer::Impl::next_deadline() const {
  if (is_dtls_failed()) return base::kNever;
  base::Instant deadline = ice_.next_deadline();
  if (dtls_started_) deadline = std::min(deadline, dtls_->next_deadline());
  if (media_) deadline = std::min(deadline, media_->next_deadline());
  return deadline;
}

bool ClientPeer::Impl::send_frame(base::Instant now, base::Bytes payload, std::uint32_t timestamp,
                                  bool marker) {
  CHECK(payload.size() <= kMaxFramePayload);
  if (!media_ || !ice_.send_path()) return false;
  media_->send_frame(now, *ice_.send_path(), payload, timestamp, marker, outgoing_);
  return true;
}

void ClientPeer::Impl::update(base::Instant now) {
  take_ice_events();
  if (dtls_) update_dtls(now);
  update_state();
}

void ClientPeer::Impl::take_ice_events() {
  for (const IceEvent& event : ice_.take_events()) {
    if (event.kind == IceEvent::Kind::kOpenTcp)
      events_.emplace_back(OpenTcpConnection{event.remote});
    else if (event.kind == IceEvent::Kind::kCloseTcp)
      events_.emplace_back(CloseTcpConnection{event.connection});
  }
}

void ClientPeer::Impl::update_dtls(base::Instant now) {
  // Before nomination: the relay takes DTLS on any path that it has validated.
  if (!dtls_started_ && ice_.send_path()) {
    dtls_started_ = true;
    dtls_->start(now);
  }
  if (!dtls_started_) return;
  for (const base::Buffer& datagram : dtls_->take_outgoing())
    if (ice_.send_path()) outgoing_.push(*ice_.send_path(), datagram);  // lost ones are resent
  if (!media_ && dtls_->state() == crypto::DtlsState::kConnected)
    media_.emplace(random_, now, dtls_->srtp_keys(), source_, *answer_, options_.opened_share);
  if (media_ && ice_.round_trip()) media_->set_round_trip(*ice_.round_trip());
}

void ClientPeer::Impl::update_state() {
  if (is_dtls_failed()) return set_state(PeerState::kFailed, PeerFailure::kDtls);
  switch (ice_.state()) {
    case IceState::kNew:
      return;
    case IceState::kChecking:
      return set_state(PeerState::kChecking);
    case IceState::kConnected:
      return set_state(media_ ? PeerState::kConnected : PeerState::kChecking);
    case IceState::kDisconnected:
      return set_state(media_ ? PeerState::kDisconnected : PeerState::kChecking);
    case IceState::kFailed:
      // Without DTLS no path has really worked; with it one has, and its consent is gone.
      return set_state(PeerState::kFailed,
                       media_ ? PeerFailure::kConsentExpired : PeerFailure::kNoPath);
  }
}

void ClientPeer::Impl::set_state(PeerState state, PeerFailure failure) {
  if (state == state_) return;
  state_ = state;
  events_.emplace_back(PeerStateChanged{state, failure});
}

ClientPeerStatistics ClientPeer::Impl::statistics() const {
  ClientPeerStatistics statistics;
  statistics.selected_path = ice_.send_path();
  statistics.ice_round_trip = ice_.round_trip();
  statistics.dropped_unauthenticated = unknown_path_;
  statistics.dropped_malformed = malformed_;
  if (media_)
    media_->add_statistics(statistics);
  else
    statistics.slots.resize(options_.slots);
  return statistics;
}

std::unique_ptr<ClientPeer> ClientPeer::create(base::RandomSource& random,
                                               ClientPeerOptions options) {
  CHECK(options.slots < wire::kMaxSdpMedia);
  return std::unique_ptr<ClientPeer>(
      new ClientPeer(std::make_unique<Impl>(random, std::move(options))));
}

ClientPeer::ClientPeer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientPeer::~ClientPeer() = default;

std::string ClientPeer::create_offer() const { return impl_->create_offer(); }
base::Result<void> ClientPeer::set_answer(base::Instant now, std::string_view sdp) {
  return impl_->set_answer(now, sdp);
}
base::Result<std::string> ClientPeer::create_restart_offer(
    std::vector<base::SocketAddress> local_addresses) {
  return impl_->create_restart_offer(std::move(local_addresses));
}
base::Result<void> ClientPeer::set_restart_answer(base::Instant now, std::string_view sdp) {
  return impl_->set_restart_answer(now, sdp);
}
void ClientPeer::handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) {
  impl_->handle_datagram(now, path, datagram);
}
void ClientPeer::handle_timeout(base::Instant now) { impl_->handle_timeout(now); }
base::Instant ClientPeer::next_deadline() const { return impl_->next_deadline(); }
void ClientPeer::handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                                   const base::Path& path) {
  impl_->handle_tcp_opened(now, remote, path);
}
void ClientPeer::handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) {
  impl_->handle_tcp_failed(now, remote);
}
void ClientPeer::handle_tcp_closed(base::Instant now, std::uint64_t connection) {
  impl_->handle_tcp_closed(now, connection);
}
bool ClientPeer::send_frame(base::Instant now, base::Bytes payload, std::uint32_t timestamp,
                            bool marker) {
  return impl_->send_frame(now, payload, timestamp, marker);
}
base::DatagramQueue& ClientPeer::outgoing() { return impl_->outgoing(); }
std::span<const PeerEvent> ClientPeer::events() const { return impl_->events(); }
base::Bytes ClientPeer::payload(const RemoteFrame& frame) const { return impl_->payload(frame); }
void ClientPeer::clear_events() { impl_->clear_events(); }
PeerState ClientPeer::state() const { return impl_->state(); }
ClientPeerStatistics ClientPeer::statistics() const { return impl_->statistics(); }

}  // namespace alcove::rtc
