#include "e2ee/room_keys.h"

#include <algorithm>
#include <utility>

#include "e2ee/follower.h"
#include "e2ee/frame_watch.h"
#include "e2ee/joining.h"
#include "e2ee/keeper.h"
#include "e2ee/member.h"
#include "e2ee/writer.h"

namespace alcove::e2ee {

using base::Instant;
using base::WallTime;

namespace {

constexpr std::size_t kMaxSlots = 64;

std::string to_field(base::Bytes bytes) { return std::string(base::as_text(bytes)); }

}  // namespace

class RoomKeys::Implementation {
 public:
  Implementation(roomlog::Genesis genesis, const crypto::Ed25519PrivateKey& identity,
                 base::RandomSource& random, RoomKeysOptions options)
      : member(std::move(genesis), identity, random, std::move(options)) {}

  void handle_message(Instant now, WallTime wall, const v1::KeysFromServer& message);
  void handle_admitted(Instant now, const v1::Admitted& admitted);
  void handle_delivery(Instant now, const v1::LogDelivery& delivery);
  void handle_refused(Instant now, const v1::AppendRefused& refused);
  void settle(Instant now, WallTime wall);

  Member member;
  Writer writer{member};
  Joining joining{member, writer};
  Follower follower{member};
  Keeper keeper{member, writer};
  FrameWatch watch{member};
  HeldFrames held{kMaxSlots};
};

void RoomKeys::Implementation::handle_admitted(Instant now, const v1::Admitted& admitted) {
  const auto entry = joining.handle_admitted(now, admitted);
  if (!entry) return;
  follower.begin(now, *entry);
  keeper.begin(now);
  if (member.missing_since) follower.miss_epoch(now);
}

void RoomKeys::Implementation::handle_delivery(Instant now, const v1::LogDelivery& delivery) {
  for (const v1::DeliveredEntry& delivered : delivery.entries()) {
    const auto applied = follower.handle_entry(now, delivered);
    if (!applied) continue;
    const bool is_own = writer.handle_applied(applied->entry.hash);
    keeper.handle_applied(now, *applied, is_own);
  }
}

void RoomKeys::Implementation::handle_refused(Instant now, const v1::AppendRefused& refused) {
  const Writer::Refusal refusal = writer.handle_refused(now, refused);
  if (refusal != Writer::Refusal::kNotOurs && refused.reason() == "log.clock_ahead")
    member.warnings.raise(KeyWarning::kClockAhead, {},
                          "This device's clock is more than five minutes ahead. Set it right: the "
                          "server takes nothing of it until then.");
  if (member.admitted)
    keeper.handle_refused(now, refusal, refused);
  else if (refusal != Writer::Refusal::kNotOurs)
    joining.handle_refused();
}

void RoomKeys::Implementation::handle_message(Instant now, WallTime wall,
                                              const v1::KeysFromServer& message) {
  switch (message.message_case()) {
    case v1::KeysFromServer::kWaiting:
      return joining.handle_waiting(message.waiting());
    case v1::KeysFromServer::kAdmitted:
      return handle_admitted(now, message.admitted());
    case v1::KeysFromServer::kDelivery:
      return handle_delivery(now, message.delivery());
    case v1::KeysFromServer::kTask:
      return keeper.handle_task(now, message.task());
    case v1::KeysFromServer::kRoster:
      return member.admitted ? follower.handle_roster(message.roster())
                             : joining.handle_roster(now, wall, message.roster());
    case v1::KeysFromServer::kBox:
      return follower.handle_box(now, message.box());
    case v1::KeysFromServer::kAppendRefused:
      return handle_refused(now, message.append_refused());
    case v1::KeysFromServer::kResume:
      return joining.handle_resume(now, wall, message.resume());
    case v1::KeysFromServer::MESSAGE_NOT_SET:
      return;
  }
}

// What time and the last message make due.
void RoomKeys::Implementation::settle(Instant now, WallTime wall) {
  member.epochs.handle_timeout(now);
  follower.handle_timeout(now);
  watch.handle_timeout(now);
  if (writer.handle_timeout(now)) keeper.handle_not_acknowledged(now);
  if (member.active()) {
    if (now >= member.turns.stale_at())
      member.warnings.raise(KeyWarning::kStale, {},
                            "Nothing of the room's log for 15 seconds: nothing is sent.");
    else
      member.warnings.clear(KeyWarning::kStale, {});
  }
  keeper.handle_timeout(now, wall);
  member.update_frames();
}

RoomKeys::RoomKeys(roomlog::Genesis genesis, const crypto::Ed25519PrivateKey& identity,
                   base::RandomSource& random, RoomKeysOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(genesis), identity, random,
                                                       std::move(options))) {}
RoomKeys::~RoomKeys() = default;

v1::JoinKeys RoomKeys::join_keys() const {
  const Member& member = implementation_->member;
  v1::JoinKeys keys;
  *keys.mutable_certificate() = member.certificate.object;
  if (member.options.link_secret)
    keys.set_link_mac(
        to_field(roomlog::link_mac(*member.options.link_secret, member.room(), member.leaf())));
  return keys;
}

const roomlog::Hash& RoomKeys::leaf_hash() const { return implementation_->member.leaf(); }

void RoomKeys::handle_connected(Instant now) {
  Member& member = implementation_->member;
  if (std::exchange(member.connected, true)) return;
  member.connected_at = now;
  implementation_->follower.handle_connected(now);
}

void RoomKeys::handle_disconnected(Instant now) {
  Member& member = implementation_->member;
  // A resume on the way is offered again, or its entry comes back: until then nothing is waited
  // for.
  if (!member.admitted) implementation_->writer.abandon(now);
  implementation_->keeper.handle_disconnected(now);
  member.connected = false;
  // What was not sent is not said to a new connection.
  member.messages.clear();
}

void RoomKeys::handle_message(Instant now, WallTime wall, const v1::KeysFromServer& message) {
  implementation_->handle_message(now, wall, message);
  implementation_->settle(now, wall);
}

void RoomKeys::handle_timeout(Instant now, WallTime wall) { implementation_->settle(now, wall); }

Instant RoomKeys::next_deadline() const {
  const Implementation& all = *implementation_;
  Instant deadline =
      std::min({all.member.epochs.next_deadline(), all.follower.next_deadline(),
                all.writer.next_deadline(), all.keeper.next_deadline(), all.watch.next_deadline()});
  if (all.member.active() && !all.member.warnings.is_active(KeyWarning::kStale, {}))
    deadline = std::min(deadline, all.member.turns.stale_at());
  return deadline;
}

std::vector<v1::KeysFromClient> RoomKeys::take_messages() {
  return std::exchange(implementation_->member.messages, {});
}

std::vector<KeyEvent> RoomKeys::take_events() {
  return std::exchange(implementation_->member.events, {});
}

bool RoomKeys::eject(Instant now, WallTime wall, const roomlog::Hash& leaf) {
  const roomlog::Certificate* certificate = implementation_->member.state.member(leaf);
  if (certificate == nullptr) return false;
  v1::LogOp op;
  op.mutable_eject()->set_leaf(to_field(leaf));
  op.mutable_eject()->set_identity(to_field(certificate->identity));
  return implementation_->keeper.wish(now, wall, std::move(op));
}

bool RoomKeys::set_role(Instant now, WallTime wall, const roomlog::Hash& leaf, v1::Role role) {
  if (role != v1::ROLE_LISTENER && role != v1::ROLE_MODERATOR) return false;
  v1::LogOp op;
  op.mutable_role()->set_leaf(to_field(leaf));
  op.mutable_role()->set_role(role);
  return implementation_->keeper.wish(now, wall, std::move(op));
}

bool RoomKeys::set_locked(Instant now, WallTime wall, bool locked) {
  v1::LogOp op;
  op.mutable_lock()->set_locked(locked);
  return implementation_->keeper.wish(now, wall, std::move(op));
}

bool RoomKeys::renew_link(Instant now, WallTime wall) {
  v1::LogOp op;
  op.mutable_link()->set_generation(implementation_->member.state.link_generation() + 1);
  return implementation_->keeper.wish(now, wall, std::move(op));
}

bool RoomKeys::invite_identities(Instant now, WallTime wall,
                                 const std::vector<crypto::Ed25519PublicKey>& identities) {
  v1::LogOp op;
  for (const crypto::Ed25519PublicKey& identity : identities)
    op.mutable_invite()->add_identities(to_field(identity));
  return implementation_->keeper.wish(now, wall, std::move(op));
}

bool RoomKeys::depart(Instant now, WallTime wall) {
  v1::LogOp op;
  op.mutable_depart()->set_leaf(to_field(implementation_->member.leaf()));
  return implementation_->keeper.wish(now, wall, std::move(op));
}

void RoomKeys::allow_stage(const roomlog::Hash& leaf) { implementation_->keeper.allow_stage(leaf); }

void RoomKeys::request_roster() {
  if (implementation_->member.active()) implementation_->follower.request_roster();
}

bool RoomKeys::admitted() const {
  return implementation_->member.admitted && !implementation_->member.out;
}
bool RoomKeys::may_send() const { return implementation_->member.may_send(); }
const roomlog::LogState& RoomKeys::state() const { return implementation_->member.state; }

std::vector<roomlog::Certificate> RoomKeys::roster() const {
  const Member& member = implementation_->member;
  if (!member.on_stage() || !member.state.is_full())
    return implementation_->follower.listener_roster();
  std::vector<roomlog::Certificate> roster;
  for (const auto& [leaf, certificate] : member.state.roster()) roster.push_back(certificate);
  return roster;
}

std::optional<roomlog::LinkFragment> RoomKeys::link() const {
  const Member& member = implementation_->member;
  if (!member.link_secret || member.state.link_void() ||
      member.link_generation != member.state.link_generation())
    return std::nullopt;
  return roomlog::LinkFragment{.fingerprint = member.room(), .secret = *member.link_secret};
}

RoomKeysOptions RoomKeys::options_for_next_join() const {
  const Member& member = implementation_->member;
  RoomKeysOptions next = member.options;
  if (!member.admitted) return next;
  next.was_inside = true;
  if (!member.link_secret) return next;
  next.link_secret = member.link_secret;
  next.link_generation.reset();
  if (member.link_is_certain) next.link_generation = member.link_generation;
  return next;
}

v1::LogExport RoomKeys::export_log() const { return implementation_->member.record.log(); }
FrameTransform& RoomKeys::frames() { return implementation_->member.frames; }

void RoomKeys::hold(Instant now, HeldFrame frame) {
  implementation_->held.hold(now, std::move(frame));
}

std::vector<HeldFrame> RoomKeys::take_released(Instant now) {
  return implementation_->held.take_released(now, [this](base::Bytes payload) {
    return implementation_->member.frames.can_open(payload);
  });
}

}  // namespace alcove::e2ee
