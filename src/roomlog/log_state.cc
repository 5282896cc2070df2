#include "roomlog/log_state.h"

#include <algorithm>
#include <utility>

#include "roomlog/bounds.h"
#include "roomlog/op_trial.h"

namespace alcove::roomlog {

namespace {

std::string to_string(const Hash& hash) { return std::string(base::as_text(hash)); }

bool is_hash(const std::string& field, const Hash& hash) { return base::as_text(hash) == field; }

// The identity that an admit names, not verified; nullopt where there is none.
std::optional<crypto::Ed25519PublicKey> claimed_identity(const v1::AdmitOp& op) {
  v1::Certificate body;
  if (!body.ParseFromString(op.certificate().body()) || body.identity().size() != sizeof(Hash))
    return std::nullopt;
  return to_hash(body.identity());
}

}  // namespace

std::string_view to_text(LogError error) {
  switch (error) {
    case LogError::kFork:
      return "fork";
    case LogError::kBadAuthor:
      return "bad_author";
    case LogError::kBadSignature:
      return "bad_signature";
    case LogError::kNotPermitted:
      return "not_permitted";
    case LogError::kBadCertificate:
      return "bad_certificate";
    case LogError::kWrongState:
      return "wrong_state";
    case LogError::kLogFull:
      return "log_full";
    case LogError::kBadObject:
      return "bad_object";
  }
  return "unknown";
}

LogState::LogState(Genesis genesis)
    : genesis_(std::move(genesis)),
      roster_hash_(crypto::sha256({})),
      last_(genesis_.fingerprint),
      last_short_(genesis_.fingerprint),
      last_authority_(genesis_.fingerprint) {
  stage_state_.authority.insert(genesis_.host);
}

EntryClass LogState::class_of(const v1::LogEntry& body) const {
  EntryClass result{.advance = body.advance() != v1::ADVANCE_NONE, .resume = body.resume()};
  result.beat = body.ops_size() == 0 && !result.advance;
  result.authority = std::ranges::any_of(body.ops(), [this](const v1::LogOp& op) {
    if (op.has_depart()) return on_stage(to_hash(op.depart().leaf())) != nullptr;
    if (!op.has_admit()) return true;
    if (op.admit().seat() != 0) return true;
    const auto identity = claimed_identity(op.admit());
    return identity && stage_state_.find_identity(*identity);
  });
  return result;
}

std::expected<void, LogError> LogState::check_links(const v1::LogEntry& body, Follow follow) const {
  const bool follows = is_hash(body.prev_authority(), last_authority_) &&
                       (follow == Follow::kChain || is_hash(body.prev_short(), last_short_)) &&
                       (follow != Follow::kFull || is_hash(body.prev(), last_));
  if (!follows) return std::unexpected(LogError::kFork);
  return {};
}

std::expected<void, LogError> LogState::check_numbers(const v1::LogEntry& body,
                                                      Follow follow) const {
  const bool is_next = body.n() == n_ + 1;
  const bool n_is_right = follow == Follow::kFull || n_ == 0 ? is_next : body.n() > n_;
  const std::uint64_t least = std::uint64_t{epoch_} + (body.advance() == v1::ADVANCE_NONE ? 0 : 1);
  // A chain leaves out entries with an advance.
  const bool epoch_is_right =
      follow == Follow::kChain ? body.epoch() >= least : body.epoch() == least;
  if (!n_is_right || !epoch_is_right || body.time_ms() < time_ms_)
    return std::unexpected(LogError::kWrongState);
  return {};
}

std::expected<crypto::Ed25519PublicKey, LogError> LogState::author_key(
    const v1::LogEntry& body) const {
  const Hash author = to_hash(body.author());
  if (!body.resume()) {
    const StageMember* member = on_stage(author);
    if (!member) return std::unexpected(LogError::kBadAuthor);
    return member->certificate.leaf;
  }
  const auto certificate =
      parse_certificate(genesis_.fingerprint, body.ops(0).admit().certificate());
  if (!certificate) return std::unexpected(LogError::kBadCertificate);
  if (certificate->leaf_hash != author || !has_authority(certificate->identity))
    return std::unexpected(LogError::kBadAuthor);
  return certificate->identity;
}

std::expected<void, LogError> LogState::check_author(const Entry& entry) const {
  const auto key = author_key(entry.body);
  if (!key) return std::unexpected(key.error());
  crypto::Ed25519Signature signature;
  CHECK(entry.object.signature().size() == signature.size());
  std::ranges::copy(base::as_bytes(entry.object.signature()), signature.begin());
  const base::Buffer message =
      signed_bytes(entry.body.resume() ? "resume" : "entry", fingerprint(),
                   base::as_bytes(entry.object.body()), base::as_bytes(entry.object.confirm()));
  if (!crypto::ed25519_verify(*key, message, signature))
    return std::unexpected(LogError::kBadSignature);
  return {};
}

std::expected<LogState::Checked, LogError> LogState::try_ops(const v1::LogEntry& body,
                                                             Follow follow) const {
  Checked outcome;
  outcome.entry_class = class_of(body);
  if (outcome.entry_class.is_authority() && authority_entries_ >= kMaxAuthorityEntries)
    return std::unexpected(LogError::kLogFull);
  const bool is_full = follow == Follow::kFull;
  OpTrial trial(genesis_, stage_state_, is_full ? RosterView(roster_, leaf_of_) : RosterView());
  if (const auto result = trial.apply(body); !result) return std::unexpected(result.error());
  outcome.stage_hash = trial.stage_state().hash();
  if (is_full) {
    outcome.roster_size = trial.roster().size();
    const auto& roster_changes = trial.roster().changes();
    outcome.roster_hash = roster_changes.empty() ? roster_hash_ : trial.roster().hash();
    outcome.roster_changes = roster_changes;
  }
  outcome.stage_state = trial.take_changed_stage_state();
  outcome.changes = trial.take_changes();
  return outcome;
}

std::expected<LogState::Checked, LogError> LogState::check(const Entry& entry,
                                                           Follow follow) const {
  const v1::LogEntry& body = entry.body;
  const bool is_full = follow == Follow::kFull;
  if (is_full && !is_full_) return std::unexpected(LogError::kWrongState);
  if (const auto result = check_links(body, follow); !result)
    return std::unexpected(result.error());
  if (const auto result = check_numbers(body, follow); !result)
    return std::unexpected(result.error());
  if (const auto result = check_author(entry); !result) return std::unexpected(result.error());
  auto outcome = try_ops(body, follow);
  if (!outcome) return outcome;
  const bool roster_is_right = !is_full || (body.roster_size() == outcome->roster_size &&
                                            is_hash(body.roster_hash(), outcome->roster_hash));
  if (!roster_is_right || !is_hash(body.stage_hash(), outcome->stage_hash))
    return std::unexpected(LogError::kWrongState);
  outcome->follow = follow;
  outcome->entry = entry.hash;
  outcome->after = last_;
  return outcome;
}

std::expected<std::vector<Change>, LogError> LogState::apply(const Entry& entry, Follow follow) {
  auto checked = check(entry, follow);
  if (!checked) return std::unexpected(checked.error());
  return apply(entry, *std::move(checked));
}

std::vector<Change> LogState::apply(const Entry& entry, Checked checked) {
  CHECK(checked.entry == entry.hash && checked.after == last_);
  if (checked.stage_state) stage_state_ = *std::move(checked.stage_state);
  if (checked.follow == Follow::kFull)
    change_roster(std::move(checked.roster_changes));
  else
    forget_roster();
  roster_size_ = entry.body.roster_size();
  roster_hash_ = to_hash(entry.body.roster_hash());
  n_ = entry.body.n();
  epoch_ = entry.body.epoch();
  time_ms_ = entry.body.time_ms();
  last_ = entry.hash;
  if (checked.entry_class.is_authority()) {
    last_authority_ = entry.hash;
    ++authority_entries_;
  }
  if (checked.entry_class.is_short()) {
    last_short_ = entry.hash;
    for (auto& [seat, member] : stage_state_.stage)
      if (is_hash(entry.body.author(), member.certificate.leaf_hash))
        member.last_entry_ms = time_ms_;
  }
  return std::move(checked.changes);
}

void LogState::change_roster(std::map<Hash, std::optional<Certificate>> changes) {
  // Out before in: a replaced identity is in both.
  for (const auto& [leaf, certificate] : changes) {
    const auto found = roster_.find(leaf);
    if (certificate || found == roster_.end()) continue;
    leaf_of_.erase(found->second.identity);
    roster_.erase(found);
  }
  for (auto& [leaf, certificate] : changes) {
    if (!certificate) continue;
    leaf_of_[certificate->identity] = leaf;
    roster_.insert_or_assign(leaf, *std::move(certificate));
  }
}

void LogState::forget_roster() {
  is_full_ = false;
  roster_.clear();
  leaf_of_.clear();
}

std::expected<v1::LogEntry, LogError> LogState::draft(const Hash& author,
                                                      std::vector<v1::LogOp> ops,
                                                      v1::Advance advance, bool resume,
                                                      std::int64_t time_ms) const {
  if (!is_full_) return std::unexpected(LogError::kWrongState);
  v1::LogEntry body;
  body.set_n(n_ + 1);
  body.set_prev(to_string(last_));
  body.set_prev_short(to_string(last_short_));
  body.set_prev_authority(to_string(last_authority_));
  body.set_author(to_string(author));
  body.set_epoch(epoch_ + (advance == v1::ADVANCE_NONE ? 0 : 1));
  body.set_time_ms(std::max(time_ms, time_ms_));
  body.set_advance(advance);
  for (v1::LogOp& op : ops) *body.add_ops() = std::move(op);
  body.set_resume(resume);
  body.set_roster_hash(to_string(roster_hash_));
  body.set_stage_hash(to_string(stage_hash()));
  if (!is_within_bounds(body)) return std::unexpected(LogError::kNotPermitted);
  if (const auto key = author_key(body); !key) return std::unexpected(key.error());
  const auto outcome = try_ops(body, Follow::kFull);
  if (!outcome) return std::unexpected(outcome.error());
  body.set_roster_size(static_cast<std::uint32_t>(outcome->roster_size));
  body.set_roster_hash(to_string(outcome->roster_hash));
  body.set_stage_hash(to_string(outcome->stage_hash));
  if (body.ByteSizeLong() > kMaxEntryBody) return std::unexpected(LogError::kNotPermitted);
  return body;
}

}  // namespace alcove::roomlog
