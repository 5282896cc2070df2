#include "rtc/ice_full.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/hash.h"

namespace alcove::rtc {
namespace {

constexpr std::uint16_t kBestUdpPreference = 65'535;
constexpr std::uint16_t kTcpPreference = 8'191;

// RFC 8445, section 5.1.2.1, with the recommended type preference 110.
constexpr std::uint32_t peer_reflexive_priority(std::uint16_t local_preference) {
  return 110U << 24 | static_cast<std::uint32_t>(local_preference) << 8 | 255U;
}

// RFC 8445, section 6.1.2.3; ours is the controlling agent.
constexpr std::uint64_t pair_priority(std::uint64_t ours, std::uint64_t theirs) {
  return (std::min(ours, theirs) << 32) + 2 * std::max(ours, theirs) + (ours > theirs ? 1 : 0);
}

bool is_usable(const wire::IceCandidate& candidate) {
  const bool is_udp = candidate.protocol == base::TransportProtocol::kUdp;
  return candidate.component == 1 && candidate.address.port != 0 &&
         !candidate.address.ip.is_unspecified() &&
         (is_udp || candidate.tcp_type == wire::TcpType::kPassive);
}

// Addresses of different scopes do not reach each other.
bool is_reachable(const base::IpAddress& local, const base::IpAddress& remote) {
  if (local.is_v4() != remote.is_v4()) return false;
  if (local.is_unspecified()) return true;
  return local.is_loopback() == remote.is_loopback() &&
         local.is_link_local() == remote.is_link_local();
}

// True when what came by actual belongs to the pair of ours.
bool is_same_path(const base::Path& ours, const base::Path& actual) {
  if (ours.protocol != actual.protocol || ours.remote != actual.remote ||
      ours.connection != actual.connection)
    return false;
  if (ours.protocol == base::TransportProtocol::kTcp) return true;  // the connection says it all
  return ours.local.port == actual.local.port &&
         (ours.local.ip.is_unspecified() || ours.local.ip == actual.local.ip);
}

}  // namespace

IceFull::IceFull(base::RandomSource& random, std::vector<base::SocketAddress> local_addresses,
                 wire::IceCredentials local)
    : random_(random),
      tie_breaker_(random.next_u64()),
      local_addresses_(std::move(local_addresses)),
      next_local_(std::move(local)) {}

void IceFull::set_remote(base::Instant now, wire::IceCredentials remote,
                         const std::vector<wire::IceCandidate>& candidates) {
  drop_previous_path();
  previous_ = selected_;
  for (Pair& pair : pairs_)
    if (pair.path != previous_) close_tcp(pair);
  selected_pair_.reset();
  nominating_.reset();
  nominated_ = searching_ = false;
  settle_at_ = unanswered_since_ = base::kNever;
  check_until_ = now + kCheckFor;
  local_ = next_local_;
  remote_ = std::move(remote);
  form_pairs(now, candidates);
  if (!selected_) {
    consent_until_ = base::kNever;
    set_state(IceState::kChecking);
  }
  if (pairs_.empty()) fail();
}

void IceFull::restart(wire::IceCredentials local,
                      std::vector<base::SocketAddress> local_addresses) {
  next_local_ = std::move(local);
  local_addresses_ = std::move(local_addresses);
}

void IceFull::form_pairs(base::Instant now, const std::vector<wire::IceCandidate>& candidates) {
  pairs_.clear();
  for (const wire::IceCandidate& candidate : candidates) {
    if (!is_usable(candidate)) continue;
    if (candidate.protocol == base::TransportProtocol::kTcp) {
      add_pair(now, candidate, {}, kTcpPreference);
      continue;
    }
    std::uint16_t preference = kBestUdpPreference;
    for (const base::SocketAddress& local : local_addresses_)
      if (is_reachable(local.ip, candidate.address.ip))
        add_pair(now, candidate, local, preference--);
  }
  std::ranges::sort(pairs_, [](const Pair& a, const Pair& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.path < b.path;
  });
  if (pairs_.size() > kMaxPairs) pairs_.resize(kMaxPairs);
  const bool has_udp =
      std::ranges::find(pairs_, PairState::kChecking, &Pair::state) != pairs_.end();
  for (Pair& pair : pairs_)
    if (pair.state == PairState::kClosed && has_udp) pair.next_send = now + kTcpDelay;
}

void IceFull::add_pair(base::Instant now, const wire::IceCandidate& remote,
                       const base::SocketAddress& local, std::uint16_t local_preference) {
  Pair pair;
  pair.path.protocol = remote.protocol;
  pair.path.local = local;
  pair.path.remote = remote.address;
  if (std::ranges::find(pairs_, pair.path, &Pair::path) != pairs_.end()) return;
  pair.priority = pair_priority(wire::host_candidate_priority(local_preference), remote.priority);
  pair.peer_reflexive_priority = peer_reflexive_priority(local_preference);
  if (remote.protocol == base::TransportProtocol::kTcp) pair.state = PairState::kClosed;
  pair.next_send = now;
  pairs_.push_back(std::move(pair));
}

void IceFull::handle_stun(base::Instant now, const base::Path& path,
                          const wire::StunMessage& message) {
  // An error changes nothing: checks go on until their time is up. Most errors are not
  // authenticated, and a role conflict cannot be with a lite peer.
  if (message.message_class != wire::StunClass::kSuccess || message.method != wire::kStunBinding ||
      !message.has_fingerprint)
    return;
  for (std::size_t index = 0; index < pairs_.size(); ++index) {
    Pair& pair = pairs_[index];
    // An answer from elsewhere than the check went to does not count (section 7.2.5.2.1).
    if (!is_same_path(pair.path, path)) continue;
    const auto found = std::ranges::find(pair.transactions, message.transaction, &Transaction::id);
    if (found == pair.transactions.end()) continue;
    if (!wire::check_integrity(message, base::as_bytes(remote_.pwd), crypto::hmac_sha1)) return;
    const Transaction transaction = *found;
    pair.transactions.erase(found);
    handle_answer(now, index, transaction);
    return;
  }
}

void IceFull::handle_answer(base::Instant now, std::size_t index, const Transaction& transaction) {
  Pair& pair = pairs_[index];
  const bool is_stopped = pair.state == PairState::kStopped;
  pair.valid = true;
  pair.state = PairState::kSucceeded;
  pair.timeout = kFirstTimeout;
  if (nominating_ != index) pair.next_send = base::kNever;
  if (index == selected_pair_) {
    consent_until_ = now + kConsentFor;
    unanswered_since_ = base::kNever;
    round_trip_ = now - transaction.sent;
  }
  if (is_in_use(index)) {
    schedule_consent_check(now, pair);
    set_state(IceState::kConnected);
    if (searching_ && !nominating_) {
      searching_ = false;
      settle_at_ = base::kNever;
      stop_other_pairs();
    }
    return;
  }
  if (is_stopped) return;  // an answer that came after another pair was nominated
  if (transaction.nominates && nominating_ == index) {
    finish_nomination(now, index);
    round_trip_ = now - transaction.sent;
    return;
  }
  choose_pair(now);
}

void IceFull::choose_pair(base::Instant now) {
  if (nominating_ || (nominated_ && !searching_)) return;
  const std::optional<std::size_t> best = best_valid_pair();
  if (!best) {
    settle_at_ = base::kNever;
    return;
  }
  // Before a nomination the best that works is used; a path of the time before a restart is kept
  // until then, unless it is known not to work.
  const bool is_previous_dead = !selected_pair_ && state_ == IceState::kDisconnected;
  if (!selected_ || is_previous_dead || (selected_pair_ && !nominated_)) {
    select(now, *best);
    if (!nominated_) set_state(IceState::kConnected);
  }
  const bool is_udp = pairs_[*best].path.protocol == base::TransportProtocol::kUdp;
  settle_at_ = std::min(settle_at_, now + (is_udp ? kUdpSettle : kTcpSettle));
  if (now < settle_at_ && is_better_possible(*best)) return;
  nominating_ = best;
  nominate_until_ = now + kNominateFor;
  settle_at_ = base::kNever;
  pairs_[*best].timeout = kFirstTimeout;
  pairs_[*best].next_send = now;
}

std::optional<std::size_t> IceFull::best_valid_pair() const {
  for (std::size_t index = 0; index < pairs_.size(); ++index)  // by priority
    if (pairs_[index].valid) return index;
  return std::nullopt;
}

bool IceFull::is_better_possible(std::size_t index) const {
  return std::any_of(pairs_.begin(), pairs_.begin() + static_cast<std::ptrdiff_t>(index),
                     [](const Pair& pair) { return pair.state != PairState::kStopped; });
}

void IceFull::select(base::Instant now, std::size_t index) {
  if (selected_pair_ != index) consent_until_ = now + kConsentFor;
  selected_pair_ = index;
  if (selected_ == pairs_[index].path) return;
  selected_ = pairs_[index].path;
  events_.push_back({.kind = IceEvent::Kind::kPathSelected});
}

void IceFull::finish_nomination(base::Instant now, std::size_t index) {
  nominated_ = true;
  searching_ = false;
  nominating_.reset();
  settle_at_ = check_until_ = unanswered_since_ = base::kNever;
  select(now, index);
  consent_until_ = now + kConsentFor;
  schedule_consent_check(now, pairs_[index]);
  stop_other_pairs();
  // Over UDP packets under way on the old path still count.
  if (previous_ && previous_->protocol == base::TransportProtocol::kTcp) drop_previous_path();
  set_state(IceState::kConnected);
}

void IceFull::stop_other_pairs() {
  for (std::size_t index = 0; index < pairs_.size(); ++index) {
    Pair& pair = pairs_[index];
    if (index == selected_pair_) continue;
    close_tcp(pair);
    pair.next_send = base::kNever;
    pair.state = PairState::kStopped;
  }
}

bool IceFull::is_known_path(const base::Path& path) const {
  if (previous_ && is_same_path(*previous_, path)) return true;
  return std::ranges::any_of(pairs_,
                             [&path](const Pair& pair) { return is_same_path(pair.path, path); });
}

void IceFull::handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                                const base::Path& path) {
  CHECK(path.protocol == base::TransportProtocol::kTcp && path.connection != 0);
  for (Pair& pair : pairs_) {
    if (pair.state != PairState::kOpening || pair.path.remote != remote) continue;
    pair.path = path;
    pair.path.remote = remote;
    pair.state = PairState::kChecking;
    pair.timeout = kFirstTimeout;
    pair.next_send = now;
    return;
  }
  // Nobody waits for it any more.
  events_.push_back({.kind = IceEvent::Kind::kCloseTcp, .connection = path.connection});
}

void IceFull::handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) {
  for (Pair& pair : pairs_)
    if (pair.state == PairState::kOpening && pair.path.remote == remote) retry_tcp(now, pair);
}

void IceFull::handle_tcp_closed(base::Instant now, std::uint64_t connection) {
  if (connection == 0) return;
  if (previous_ && previous_->connection == connection) {
    if (selected_ == previous_) selected_.reset();
    previous_.reset();
  }
  for (std::size_t index = 0; index < pairs_.size(); ++index) {
    Pair& pair = pairs_[index];
    if (pair.path.connection != connection) continue;
    retry_tcp(now, pair);
    if (nominating_ == index) nominating_.reset();
    if (selected_pair_ == index) {
      selected_.reset();
      selected_pair_.reset();
      nominated_ = searching_ = false;
      consent_until_ = unanswered_since_ = settle_at_ = base::kNever;
      check_until_ = now + kCheckFor;
      restart_checks(now);
      set_state(IceState::kDisconnected);
    }
    return;
  }
}

void IceFull::retry_tcp(base::Instant now, Pair& pair) {
  pair.path.connection = 0;
  pair.path.local = {};
  pair.state = PairState::kClosed;
  pair.valid = false;
  pair.transactions.clear();
  pair.next_send = now + pair.timeout;
  pair.timeout = std::min(pair.timeout * 2, kLongestTimeout);
}

void IceFull::close_tcp(Pair& pair) {
  if (pair.path.connection == 0) return;
  events_.push_back({.kind = IceEvent::Kind::kCloseTcp, .connection = pair.path.connection});
  pair.path.connection = 0;
  pair.path.local = {};
  pair.valid = false;
  pair.transactions.clear();
}

void IceFull::drop_previous_path() {
  if (!previous_) return;
  if (previous_->connection != 0 && selected_ != previous_)
    events_.push_back({.kind = IceEvent::Kind::kCloseTcp, .connection = previous_->connection});
  previous_.reset();
}

void IceFull::set_state(IceState state) {
  if (state_ == state) return;
  state_ = state;
  events_.push_back({.kind = IceEvent::Kind::kStateChanged, .state = state});
}

std::vector<IceEvent> IceFull::take_events() { return std::exchange(events_, {}); }

}  // namespace alcove::rtc
