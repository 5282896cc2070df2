#include "roomlog/op_trial.h"

#include <algorithm>
#include <utility>

#include "roomlog/bounds.h"

namespace alcove::roomlog {

namespace {
constexpr std::unexpected<LogError> kRefused{LogError::kNotPermitted};
}  // namespace

std::expected<void, LogError> OpTrial::apply(const v1::LogEntry& body) {
  author_ = to_hash(body.author());
  n_ = body.n();
  time_ms_ = body.time_ms();
  for (int i = 0; i < body.ops_size(); ++i) {
    const bool is_resume = i == 0 && body.resume();
    // An author that an op before took off the stage writes no more.
    if (!is_resume && !author_is_on_stage()) return kRefused;
    const Result result = is_resume ? admit_for_resume(body.ops(0).admit()) : apply_op(body.ops(i));
    if (!result) return result;
  }
  succeed();
  return {};
}

std::expected<void, LogError> OpTrial::apply_op(const v1::LogOp& op) {
  switch (op.op_case()) {
    case v1::LogOp::kAdmit:
      return admit(op.admit());
    case v1::LogOp::kDepart:
      return depart(to_hash(op.depart().leaf()));
    case v1::LogOp::kEject:
      return eject(op.eject());
    case v1::LogOp::kRole:
      return change_role(op.role());
    case v1::LogOp::kLock:
      return set_locked(op.lock());
    case v1::LogOp::kLink:
      return renew_link(op.link());
    case v1::LogOp::kInvite:
      return invite(op.invite());
    case v1::LogOp::OP_NOT_SET:
      break;
  }
  return kRefused;
}

// A listener's certificate is checked by whoever has the roster: others take it as it is, since
// only its hash enters what they know, and a joiner's chain may name many.
std::expected<Certificate, LogError> OpTrial::check_admitted(const v1::AdmitOp& op) const {
  auto certificate = read_certificate(genesis_.fingerprint, op.certificate());
  const bool is_listener =
      certificate && op.seat() == 0 && !stage_state().find_identity(certificate->identity);
  if (!is_listener || roster_.is_known())
    certificate = parse_certificate(genesis_.fingerprint, op.certificate());
  if (!certificate) return std::unexpected(LogError::kBadCertificate);
  if (stage_state().blocked.contains(certificate->identity)) return kRefused;
  if (stage_state().find_leaf(certificate->leaf_hash) || roster_.find(certificate->leaf_hash))
    return kRefused;
  return *std::move(certificate);
}

std::expected<void, LogError> OpTrial::admit(const v1::AdmitOp& op) {
  const auto certificate = check_admitted(op);
  if (!certificate) return std::unexpected(certificate.error());
  if (const StageMember* member = stage_state().find_identity(certificate->identity)) {
    if (op.seat() != 0) return kRefused;
    replace_on_stage(*member, *certificate, member->role);
    return {};
  }
  const auto old_leaf = roster_.leaf_of(certificate->identity);
  if (old_leaf) {
    if (op.seat() != 0) return kRefused;
    roster_.remove(*old_leaf);
  } else {
    // Without the roster the identity may be in it.
    if (stage_state().locked && !author_is_moderator() && roster_.is_known()) return kRefused;
    if (roster_.is_known() && roster_.size() >= kMaxRoster) return kRefused;
  }
  if (op.seat() == 0) {
    roster_.add(*certificate);
    changes_.emplace_back(Admitted{.certificate = *certificate, .replaced = old_leaf});
    return {};
  }
  if (!stage_state().authority.contains(certificate->identity) || !author_is_moderator() ||
      stage_state().seats.next_free() != op.seat())
    return kRefused;
  roster_.add(*certificate);
  seat(*certificate, v1::ROLE_MODERATOR);
  changes_.emplace_back(Admitted{.certificate = *certificate,
                                 .seat = static_cast<std::uint8_t>(op.seat()),
                                 .role = v1::ROLE_MODERATOR});
  return {};
}

std::expected<void, LogError> OpTrial::admit_for_resume(const v1::AdmitOp& op) {
  const auto certificate = check_admitted(op);
  if (!certificate) return std::unexpected(certificate.error());
  if (const StageMember* member = stage_state().find_identity(certificate->identity)) {
    if (op.seat() != 0) return kRefused;
    replace_on_stage(*member, *certificate, v1::ROLE_MODERATOR);
    return {};
  }
  if (stage_state().seats.next_free() != op.seat()) return kRefused;
  const auto old_leaf = roster_.leaf_of(certificate->identity);
  if (old_leaf) roster_.remove(*old_leaf);
  if (roster_.is_known() && roster_.size() >= kMaxRoster) return kRefused;
  roster_.add(*certificate);
  seat(*certificate, v1::ROLE_MODERATOR);
  changes_.emplace_back(Admitted{.certificate = *certificate,
                                 .replaced = old_leaf,
                                 .seat = static_cast<std::uint8_t>(op.seat()),
                                 .role = v1::ROLE_MODERATOR});
  return {};
}

bool OpTrial::may_depart(const StageMember& member) const {
  if (member.certificate.leaf_hash == author_) return true;
  if (author_is_moderator() && member.role != v1::ROLE_MODERATOR) return true;
  return time_ms_ - member.last_entry_ms >= kDepartAfterMs;
}

std::expected<void, LogError> OpTrial::depart(const Hash& leaf) {
  Departed departed{.leaf = leaf};
  const StageMember* member = stage_state().find_leaf(leaf);
  if (roster_.is_known() && !roster_.find(leaf)) return kRefused;
  if (member) {
    if (!may_depart(*member)) return kRefused;
    departed.seat = member->seat;
    leave_stage(member->seat);
  }
  roster_.remove(leaf);
  changes_.emplace_back(departed);
  return {};
}

std::expected<void, LogError> OpTrial::eject(const v1::EjectOp& op) {
  const Hash leaf = to_hash(op.leaf());
  const crypto::Ed25519PublicKey identity = to_hash(op.identity());
  if (!author_is_moderator() || leaf == author_ || identity == genesis_.host) return kRefused;
  const Certificate* certificate = roster_.find(leaf);
  if (roster_.is_known() && (!certificate || certificate->identity != identity)) return kRefused;
  Departed departed{.leaf = leaf, .ejected = true};
  const StageMember* member = stage_state().find_leaf(leaf);
  if (member != stage_state().find_identity(identity)) return kRefused;
  if (member) {
    departed.seat = member->seat;
    leave_stage(member->seat);
  }
  roster_.remove(leaf);
  StageState& state = edit();
  state.blocked.insert(identity);
  state.authority.erase(identity);
  changes_.emplace_back(departed);
  if (!std::exchange(state.link_void, true))
    changes_.emplace_back(LinkChanged{.generation = state.link_generation, .voided = true});
  return {};
}

std::expected<void, LogError> OpTrial::change_role(const v1::RoleOp& op) {
  switch (op.role()) {
    case v1::ROLE_LISTENER:
      return make_listener(to_hash(op.leaf()));
    case v1::ROLE_SPEAKER:
      return make_speaker(op);
    case v1::ROLE_MODERATOR:
      return make_moderator(to_hash(op.leaf()));
    default:
      return kRefused;
  }
}

std::expected<void, LogError> OpTrial::make_listener(const Hash& leaf) {
  const StageMember* member = stage_state().find_leaf(leaf);
  if (!member) return kRefused;
  const crypto::Ed25519PublicKey identity = member->certificate.identity;
  if (leaf != author_ && (!author_is_moderator() || identity == genesis_.host)) return kRefused;
  changes_.emplace_back(RoleChanged{.leaf = leaf, .before = member->role, .seat = member->seat});
  leave_stage(member->seat);
  edit().authority.erase(identity);
  return {};
}

std::expected<void, LogError> OpTrial::make_speaker(const v1::RoleOp& op) {
  const auto certificate = parse_certificate(genesis_.fingerprint, op.certificate());
  if (!certificate || certificate->leaf_hash != to_hash(op.leaf()))
    return std::unexpected(LogError::kBadCertificate);
  const StageState& state = stage_state();
  if (!author_is_moderator() || state.blocked.contains(certificate->identity) ||
      state.find_identity(certificate->identity) || state.seats.next_free() != op.seat())
    return kRefused;
  if (roster_.is_known() && !roster_.find(certificate->leaf_hash)) return kRefused;
  seat(*certificate, v1::ROLE_SPEAKER);
  changes_.emplace_back(RoleChanged{.leaf = certificate->leaf_hash,
                                    .after = v1::ROLE_SPEAKER,
                                    .seat = static_cast<std::uint8_t>(op.seat())});
  return {};
}

std::expected<void, LogError> OpTrial::make_moderator(const Hash& leaf) {
  const StageMember* member = stage_state().find_leaf(leaf);
  if (!author_is_moderator() || !member || member->role != v1::ROLE_SPEAKER) return kRefused;
  changes_.emplace_back(RoleChanged{
      .leaf = leaf, .before = v1::ROLE_SPEAKER, .after = v1::ROLE_MODERATOR, .seat = member->seat});
  StageMember& moderator = edit().stage.at(member->seat);
  moderator.role = v1::ROLE_MODERATOR;
  edit().authority.insert(moderator.certificate.identity);
  return {};
}

std::expected<void, LogError> OpTrial::set_locked(const v1::LockOp& op) {
  if (!author_is_moderator()) return kRefused;
  edit().locked = op.locked();
  changes_.emplace_back(Locked{.locked = op.locked()});
  return {};
}

std::expected<void, LogError> OpTrial::renew_link(const v1::LinkOp& op) {
  const std::uint64_t generation = std::uint64_t{stage_state().link_generation} + 1;
  if (!author_is_moderator() || op.generation() != generation) return kRefused;
  edit().link_generation = op.generation();
  edit().link_void = false;
  changes_.emplace_back(LinkChanged{.generation = op.generation()});
  return {};
}

std::expected<void, LogError> OpTrial::invite(const v1::InviteOp& op) {
  if (!author_is_moderator()) return kRefused;
  for (const std::string& identity : op.identities()) edit().invited.insert(to_hash(identity));
  if (stage_state().invited.size() > kMaxInvites) return kRefused;
  return {};
}

void OpTrial::succeed() {
  if (stage_state().stage.empty() || stage_state().has_moderator()) return;
  // By seat, so of equally long ones the lower seat.
  const auto longest = std::ranges::min_element(
      stage_state().stage, {}, [](const auto& entry) { return entry.second.since; });
  StageMember& member = edit().stage.at(longest->first);
  member.role = v1::ROLE_MODERATOR;
  edit().authority.insert(member.certificate.identity);
  changes_.emplace_back(RoleChanged{.leaf = member.certificate.leaf_hash,
                                    .before = v1::ROLE_SPEAKER,
                                    .after = v1::ROLE_MODERATOR,
                                    .seat = member.seat,
                                    .by_rule = true});
}

bool OpTrial::author_is_on_stage() const { return stage_state().find_leaf(author_) != nullptr; }

bool OpTrial::author_is_moderator() const {
  const StageMember* author = stage_state().find_leaf(author_);
  return author && author->role == v1::ROLE_MODERATOR;
}

StageState& OpTrial::edit() {
  if (!changed_) changed_ = current_;
  return *changed_;
}

void OpTrial::replace_on_stage(const StageMember& member, const Certificate& certificate,
                               v1::Role role) {
  const Hash old_leaf = member.certificate.leaf_hash;
  const std::uint8_t seat_number = member.seat;
  roster_.remove(old_leaf);
  roster_.add(certificate);
  StageMember& replaced = edit().stage.at(seat_number);
  replaced.certificate = certificate;
  replaced.role = role;
  replaced.last_entry_ms = time_ms_;
  changes_.emplace_back(Admitted{
      .certificate = certificate, .replaced = old_leaf, .seat = seat_number, .role = role});
}

void OpTrial::seat(const Certificate& certificate, v1::Role role) {
  StageState& state = edit();
  const std::uint8_t number = *state.seats.next_free();
  state.seats.take();
  state.stage.emplace(number, StageMember{.seat = number,
                                          .role = role,
                                          .certificate = certificate,
                                          .since = n_,
                                          .last_entry_ms = time_ms_});
}

void OpTrial::leave_stage(std::uint8_t seat_number) {
  StageState& state = edit();
  state.stage.erase(seat_number);
  state.seats.give_back(seat_number);
}

}  // namespace alcove::roomlog
