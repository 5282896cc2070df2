// The half of IceFull that time drives: checks, consent, and giving up.

#include <algorithm>

#include "base/check.h"
#include "crypto/hash.h"
#include "rtc/ice_full.h"

namespace alcove::rtc {
namespace {

constexpr base::Duration kConsentInterval = base::seconds(4);  // and up to the spread more
constexpr std::uint32_t kConsentSpreadMicroseconds = 2'000'000;
constexpr std::size_t kMaxCheck = 700;  // two ufrags of 256 characters and the rest

}  // namespace

void IceFull::handle_timeout(base::Instant now, base::DatagramQueue& out) {
  if (state_ == IceState::kNew || state_ == IceState::kFailed) return;
  update_liveness(now);
  if (state_ == IceState::kFailed) return;
  for (Pair& pair : pairs_) {
    if (pair.state != PairState::kClosed || pair.next_send > now) continue;
    pair.state = PairState::kOpening;
    pair.next_send = base::kNever;
    events_.push_back({.kind = IceEvent::Kind::kOpenTcp, .remote = pair.path.remote});
  }
  if (now < next_slot_) return;
  const std::optional<std::size_t> due = due_pair(now);
  if (!due) return;
  next_slot_ = now + kPacing;
  send_check(now, *due, out);
}

base::Instant IceFull::next_deadline() const {
  if (state_ == IceState::kNew || state_ == IceState::kFailed) return base::kNever;
  base::Instant deadline = std::min({settle_at_, check_until_, consent_until_});
  if (nominating_) deadline = std::min(deadline, nominate_until_);
  for (const Pair& pair : pairs_) {
    if (pair.next_send == base::kNever) continue;
    const bool opens = pair.state == PairState::kClosed;
    deadline = std::min(deadline, opens ? pair.next_send : std::max(pair.next_send, next_slot_));
  }
  if (unanswered_since_ != base::kNever) {
    if (!searching_) deadline = std::min(deadline, unanswered_since_ + kSearchAfter);
    if (state_ == IceState::kConnected)
      deadline = std::min(deadline, unanswered_since_ + kDisconnectAfter);
  }
  return deadline;
}

void IceFull::update_liveness(base::Instant now) {
  if (now >= check_until_) return fail();
  if (now >= consent_until_) {
    if (selected_pair_) return fail();
    // That of the path before a restart; checks for the new one go on.
    consent_until_ = base::kNever;
    selected_.reset();
    drop_previous_path();
    set_state(IceState::kDisconnected);
  }
  if (unanswered_since_ != base::kNever) {
    if (!searching_ && now >= unanswered_since_ + kSearchAfter) {
      searching_ = true;
      restart_checks(now);
    }
    if (now >= unanswered_since_ + kDisconnectAfter) set_state(IceState::kDisconnected);
  }
  if (nominating_ && now >= nominate_until_) {
    pairs_[*nominating_].valid = false;
    nominating_.reset();
    choose_pair(now);
  }
  if (now >= settle_at_) choose_pair(now);
}

void IceFull::restart_checks(base::Instant now) {
  for (std::size_t index = 0; index < pairs_.size(); ++index) {
    Pair& pair = pairs_[index];
    pair.valid = false;
    if (index == selected_pair_) continue;
    pair.checked = false;
    pair.timeout = kFirstTimeout;
    const bool is_open =
        pair.path.protocol == base::TransportProtocol::kUdp || pair.path.connection != 0;
    if (pair.state == PairState::kOpening || pair.state == PairState::kClosed) {
      // Under way, or about to be.
      if (pair.state == PairState::kClosed)
        pair.next_send = std::min(pair.next_send, now + kFirstTimeout);
      continue;
    }
    pair.state = is_open ? PairState::kChecking : PairState::kClosed;
    pair.next_send = now;
  }
}

void IceFull::fail() {
  for (Pair& pair : pairs_) {
    close_tcp(pair);
    pair.next_send = base::kNever;
    pair.state = PairState::kStopped;
    pair.valid = false;
  }
  selected_.reset();
  selected_pair_.reset();
  drop_previous_path();
  nominating_.reset();
  nominated_ = searching_ = false;
  settle_at_ = check_until_ = consent_until_ = unanswered_since_ = base::kNever;
  set_state(IceState::kFailed);
}

std::optional<std::size_t> IceFull::due_pair(base::Instant now) const {
  if (nominating_ && pairs_[*nominating_].next_send <= now) return nominating_;
  std::optional<std::size_t> due;
  for (std::size_t index = 0; index < pairs_.size(); ++index) {
    const Pair& pair = pairs_[index];
    if (pair.next_send > now) continue;
    if (!pair.checked) return index;  // the highest of those that had no check yet
    if (!due || pair.next_send < pairs_[*due].next_send) due = index;
  }
  return due;
}

void IceFull::send_check(base::Instant now, std::size_t index, base::DatagramQueue& out) {
  Pair& pair = pairs_[index];
  const Transaction transaction{
      .id = random_.bytes<12>(), .sent = now, .nominates = nominating_ == index};
  wire::StunWriter writer(out.reserve(kMaxCheck));
  writer.begin(wire::StunClass::kRequest, wire::kStunBinding, transaction.id);
  writer.add_username(remote_.ufrag + ":" + local_.ufrag);
  writer.add_priority(pair.peer_reflexive_priority);
  writer.add_ice_controlling(tie_breaker_);
  // Consent checks nominate as well: after a change of address or of a NAT's mapping they come from
  // elsewhere, and the relay sends there from then on. Not while another pair is being nominated.
  if (transaction.nominates || (is_in_use(index) && !nominating_)) writer.add_use_candidate();
  writer.add_integrity(base::as_bytes(remote_.pwd), crypto::hmac_sha1);
  writer.add_fingerprint();
  const std::size_t size = writer.finish().size();
  CHECK(size != 0);
  out.commit(pair.path, size);

  if (pair.transactions.size() == kMaxTransactions)
    pair.transactions.erase(pair.transactions.begin());
  pair.transactions.push_back(transaction);
  pair.checked = true;
  if (is_in_use(index) && unanswered_since_ == base::kNever) unanswered_since_ = now;
  pair.next_send = now + pair.timeout;
  pair.timeout = std::min(pair.timeout * 2, kLongestTimeout);
}

void IceFull::schedule_consent_check(base::Instant now, Pair& pair) {
  // Random, so that many clients of one server do not fall into step (RFC 7675, section 5.1).
  pair.next_send =
      now + kConsentInterval + base::Duration(random_.below(kConsentSpreadMicroseconds));
}

}  // namespace alcove::rtc
