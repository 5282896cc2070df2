#include "e2ee/writer.h"

#include <algorithm>
#include <utility>

namespace alcove::e2ee {
namespace {

using base::Instant;
using roomlog::Hash;

std::string to_field(base::Bytes bytes) { return std::string(base::as_text(bytes)); }

// The roster after an entry with these ops: what each is sealed to.
std::map<Hash, crypto::HpkePublicKey> receivers_after(const roomlog::LogState& state,
                                                      const std::vector<v1::LogOp>& ops) {
  std::map<Hash, crypto::HpkePublicKey> receivers;
  for (const auto& [leaf, certificate] : state.roster())
    receivers.emplace_hint(receivers.end(), leaf, certificate.encryption);
  const auto take_out = [&](const std::string& field) {
    Hash leaf{};
    if (field.size() != leaf.size()) return;
    std::memcpy(leaf.data(), field.data(), leaf.size());
    receivers.erase(leaf);
  };
  for (const v1::LogOp& op : ops) {
    if (op.has_depart()) take_out(op.depart().leaf());
    if (op.has_eject()) take_out(op.eject().leaf());
    if (!op.has_admit()) continue;
    const auto certificate =
        roomlog::parse_certificate(state.fingerprint(), op.admit().certificate());
    if (!certificate) continue;
    if (const roomlog::Certificate* old = state.member_of(certificate->identity))
      receivers.erase(old->leaf_hash);
    receivers.emplace(certificate->leaf_hash, certificate->encryption);
  }
  return receivers;
}

}  // namespace

std::optional<Writer::Advance> Writer::make_advance(const v1::LogEntry& body) {
  if (body.advance() == v1::ADVANCE_NONE) return std::nullopt;
  Advance advance;
  if (body.advance() == v1::ADVANCE_FRESH) advance.fresh = member_.random.bytes<32>();
  const auto& known = member_.epochs.known();
  const Secret chain = body.resume() || known.empty() ? kNoSecret : chain_of(known.back().secret);
  const Hash body_hash = crypto::sha256(base::as_bytes(body.SerializeAsString()));
  advance.epoch = derive_epoch(chain, advance.fresh, body_hash);
  return advance;
}

std::expected<roomlog::Entry, roomlog::LogError> Writer::write(Instant now, base::WallTime wall,
                                                               const roomlog::LogState& state,
                                                               const Draft& draft) {
  CHECK(!on_the_way_);
  auto body = state.draft(member_.leaf(), draft.ops, draft.advance, draft.resume,
                          wall.time_since_epoch().count());
  if (!body) return std::unexpected(body.error());
  const auto advance = make_advance(*body);
  const Hash body_hash = crypto::sha256(base::as_bytes(body->SerializeAsString()));
  base::Buffer confirm;
  if (advance) confirm = base::to_buffer(confirm_of(advance->epoch, body_hash));
  const crypto::Ed25519PrivateKey& key = draft.resume ? member_.identity : member_.leaf_key;
  roomlog::Entry entry =
      roomlog::make_entry(state.fingerprint(), *std::move(body), confirm,
                          [&](base::Bytes message) { return key.sign(message); });
  CHECK(entry.body_hash == body_hash);
  v1::AppendEntry& append = *member_.send().mutable_append();
  append.set_request(next_request_++);
  *append.mutable_entry() = entry.object;
  if (draft.advance == v1::ADVANCE_FRESH) add_boxes(state, draft, entry, advance->fresh, append);
  const auto& known = member_.epochs.known();
  if (!draft.joiners.empty())
    add_join_boxes(draft, entry, advance ? advance->epoch : known.back().secret, append);
  on_the_way_ = {.request = append.request(),
                 .hash = entry.hash,
                 .n = entry.body.n(),
                 .sent_at = now,
                 .exposed = {}};
  if (!advance)
    for (const JoinReceiver& joiner : draft.joiners)
      on_the_way_->exposed.push_back(joiner.certificate.leaf_hash);
  Member::OwnSecrets own{.n = entry.body.n(), .epoch = {}, .link = draft.link};
  if (advance) own.epoch = advance->epoch;
  member_.own_secrets.insert_or_assign(entry.hash, own);
  return entry;
}

void Writer::add_boxes(const roomlog::LogState& state, const Draft& draft,
                       const roomlog::Entry& entry, const Secret& fresh, v1::AppendEntry& append) {
  std::string& boxes = *append.mutable_boxes();
  const auto receivers = receivers_after(state, draft.ops);
  boxes.reserve(receivers.size() * kFreshBoxSize);
  for (const auto& [leaf, key] : receivers)
    if (leaf != member_.leaf())
      boxes += base::as_text(member_.prepared.seal(leaf, key, entry.body_hash, fresh));
}

void Writer::add_join_boxes(const Draft& draft, const roomlog::Entry& entry, const Secret& epoch,
                            v1::AppendEntry& append) {
  const auto plain = write_epoch({.number = entry.body.epoch(), .secret = epoch});
  for (const JoinReceiver& joiner : draft.joiners) {
    const auto box =
        crypto::hpke_seal(joiner.certificate.encryption,
                          box_info(BoxKind::kJoin, member_.room(), joiner.certificate.leaf_hash),
                          entry.hash, plain, member_.random);
    v1::JoinBox& join_box = *append.add_join_boxes();
    join_box.set_candidate(joiner.candidate);
    join_box.set_box(box ? to_field(*box) : std::string(kEpochBoxSize, '\0'));
  }
}

bool Writer::handle_applied(const Hash& hash) {
  free_at_ = {};
  // Where somebody else's entry has its place, the refusal follows and says so.
  if (!on_the_way_ || on_the_way_->hash != hash) return false;
  on_the_way_.reset();
  return true;
}

void Writer::give_up(Instant now, unsigned failures) {
  for (const Hash& leaf : on_the_way_->exposed) {
    exposed_.emplace(leaf, now + kExposedFor);
    if (failures_.size() < kMaxExposed) failures_[leaf] += failures;
  }
  on_the_way_.reset();
}

Writer::Refusal Writer::handle_refused(Instant now, const v1::AppendRefused& refused) {
  if (!on_the_way_ || on_the_way_->request != refused.request()) return Refusal::kNotOurs;
  const std::uint64_t n = on_the_way_->n;
  const bool is_conflict = refused.reason() == "log.conflict";
  // Who waits no longer is in the way of the others: like a conflict, it says nothing about them.
  const bool is_theirs = !is_conflict && refused.gone().empty();
  give_up(now, is_theirs ? kMaxFailures : 1);
  if (!is_conflict) return Refusal::kRefused;
  if (member_.state.n() < n) free_at_ = now + kConflictWait;
  return Refusal::kConflict;
}

bool Writer::handle_timeout(Instant now) {
  if (!on_the_way_ || now < on_the_way_->sent_at + kAcknowledgedWithin) return false;
  give_up(now, kMaxFailures);
  return true;
}

void Writer::abandon(Instant now) {
  if (on_the_way_) give_up(now, 1);
}

Instant Writer::next_deadline() const {
  return on_the_way_ ? on_the_way_->sent_at + kAcknowledgedWithin : base::kNever;
}

bool Writer::needs_advance(const Hash& leaf) const {
  const auto found = failures_.find(leaf);
  // Where they cannot all be remembered, everybody counts as one of them.
  return found == failures_.end() ? failures_.size() >= kMaxExposed : found->second >= kMaxFailures;
}

Instant Writer::exposed_due() const {
  Instant due = base::kNever;
  for (const auto& [leaf, at] : exposed_) due = std::min(due, at);
  return due;
}

}  // namespace alcove::e2ee
