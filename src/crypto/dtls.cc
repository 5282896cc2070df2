#include "crypto/dtls.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/datagram.h"
#include "crypto/dtls_handshake.h"
#include "crypto/dtls_records.h"

namespace alcove::crypto {
namespace {

using base::Duration;
using base::Instant;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirstResend = milliseconds(50);
constexpr Duration kLongestResend = milliseconds(1600);
constexpr Duration kGiveUp = seconds(30);
constexpr Duration kKeepLastFlight = seconds(60);
// A peer's repeated flight may be several datagrams, and the network doubles some: one answer for
// all.
constexpr Duration kLeastBetweenAnswers = milliseconds(10);

}  // namespace

struct DtlsSession::Impl {
  Impl(SslContext ssl_context, DtlsRole session_role, const Fingerprint& fingerprint)
      : context(std::move(ssl_context)), role(session_role), expected(fingerprint) {}

  void begin(Instant now);
  void advance(Instant now, base::Bytes datagram);
  void finish(Instant now);
  void fail(DtlsFailure reason);
  void send_last_flight(Instant now);
  void answer_repeat(Instant now);

  SslContext context;  // until the handshake begins
  DtlsRole role;
  Fingerprint expected;
  DtlsState state = DtlsState::kHandshaking;
  DtlsFailure failure = DtlsFailure::kNone;
  std::unique_ptr<DtlsHandshake> handshake;  // from the first datagram to the end of the handshake
  SrtpKeys keys;

  std::vector<base::Buffer> last_flight;
  std::vector<base::Buffer> outgoing;
  std::uint64_t next_outgoing_number = 0;
  Duration resend_after = kFirstResend;
  Instant last_sent;
  Instant next_resend = base::kNever;
  Instant flight_ends = base::kNever;  // handshaking: give up; connected: forget the last flight
  // The highest plaintext message seen, and the highest one that last_flight answers.
  std::optional<std::uint16_t> seen;
  std::optional<std::uint16_t> answered;
};

void DtlsSession::Impl::begin(Instant now) {
  handshake = std::make_unique<DtlsHandshake>(context.get(), role, expected);
  context.reset();  // the SSL has its own reference
  flight_ends = now + kGiveUp;
}

void DtlsSession::Impl::advance(Instant now, base::Bytes datagram) {
  DtlsHandshake::Step step = handshake->advance(datagram);
  if (!step.datagrams.empty()) {
    last_flight = std::move(step.datagrams);
    answered = seen;
    resend_after = kFirstResend;
    send_last_flight(now);
  }
  switch (step.progress) {
    case DtlsHandshake::Progress::kWaiting:
      break;
    case DtlsHandshake::Progress::kDone:
      finish(now);
      break;
    case DtlsHandshake::Progress::kFailed:
      fail(step.failure);
      break;
  }
}

void DtlsSession::Impl::finish(Instant now) {
  keys = handshake->export_keys();
  handshake.reset();
  state = DtlsState::kConnected;
  next_resend = base::kNever;  // RFC 6347, section 4.2.4: the last flight only answers
  flight_ends = now + kKeepLastFlight;
  if (role == DtlsRole::kClient) {
    // The server's Finished, which ended the handshake, acknowledges it.
    last_flight = {};
    flight_ends = base::kNever;
  }
}

void DtlsSession::Impl::fail(DtlsFailure reason) {
  state = DtlsState::kFailed;
  failure = reason;
  handshake.reset();
  last_flight = {};
  next_resend = base::kNever;
  flight_ends = base::kNever;
}

void DtlsSession::Impl::send_last_flight(Instant now) {
  for (base::Buffer& datagram : last_flight) {
    renumber_plaintext_records(datagram, next_outgoing_number);
    outgoing.push_back(datagram);
  }
  last_sent = now;
  if (state == DtlsState::kHandshaking) next_resend = now + resend_after;
}

void DtlsSession::Impl::answer_repeat(Instant now) {
  if (!last_flight.empty() && now - last_sent >= kLeastBetweenAnswers) send_last_flight(now);
}

DtlsSession::DtlsSession(const DtlsContext& context, DtlsRole role, const Fingerprint& expected) {
  SSL_CTX* shared = context.impl().ssl_context.get();
  CHECK(SSL_CTX_up_ref(shared) == 1);
  impl_ = std::make_unique<Impl>(SslContext(shared), role, expected);
}
DtlsSession::DtlsSession(DtlsSession&&) noexcept = default;
DtlsSession& DtlsSession::operator=(DtlsSession&&) noexcept = default;
DtlsSession::~DtlsSession() = default;

void DtlsSession::start(Instant now) {
  CHECK(impl_->role == DtlsRole::kClient && impl_->handshake == nullptr &&
        impl_->state == DtlsState::kHandshaking);
  impl_->begin(now);
  impl_->advance(now, {});
}

void DtlsSession::handle_datagram(Instant now, base::Bytes datagram) {
  if (datagram.size() > base::kMaxDatagram) return;
  const DtlsDatagramInfo info = inspect_dtls_datagram(datagram);
  if (impl_->state == DtlsState::kConnected) {
    // Whatever handshake the peer still sends, it lacks our last flight.
    if (info.has_handshake) impl_->answer_repeat(now);
    return;
  }
  if (impl_->state == DtlsState::kFailed) return;
  if (impl_->handshake == nullptr) {
    // 75 KB only for what looks like a ClientHello.
    if (impl_->role == DtlsRole::kClient || !info.lowest_message) return;
    impl_->begin(now);
  }
  const bool repeated =
      impl_->answered && info.lowest_message && *info.lowest_message <= *impl_->answered;
  if (info.highest_message) impl_->seen = std::max(impl_->seen.value_or(0), *info.highest_message);
  impl_->advance(now, datagram);
  if (repeated && impl_->state == DtlsState::kHandshaking) impl_->answer_repeat(now);
}

void DtlsSession::handle_timeout(Instant now) {
  if (now >= impl_->flight_ends) {
    if (impl_->state == DtlsState::kHandshaking) {
      impl_->fail(DtlsFailure::kTimeout);
    } else {
      confirm_peer_received();
    }
    return;
  }
  if (now < impl_->next_resend) return;
  impl_->resend_after = std::min(impl_->resend_after * 2, kLongestResend);
  impl_->send_last_flight(now);
}

Instant DtlsSession::next_deadline() const {
  return std::min(impl_->next_resend, impl_->flight_ends);
}

std::vector<base::Buffer> DtlsSession::take_outgoing() {
  return std::exchange(impl_->outgoing, {});
}

DtlsState DtlsSession::state() const { return impl_->state; }
DtlsFailure DtlsSession::failure() const { return impl_->failure; }

const DtlsSession::SrtpKeys& DtlsSession::srtp_keys() const {
  CHECK(impl_->state == DtlsState::kConnected);
  return impl_->keys;
}

void DtlsSession::confirm_peer_received() {
  if (impl_->state != DtlsState::kConnected || impl_->last_flight.empty()) return;
  impl_->last_flight = {};
  impl_->flight_ends = base::kNever;
}

}  // namespace alcove::crypto
