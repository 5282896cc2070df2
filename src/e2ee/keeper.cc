#include "e2ee/keeper.h"

#include <algorithm>
#include <utility>

namespace alcove::e2ee {
namespace {

using base::Instant;
using base::WallTime;
using roomlog::Hash;

Hash to_hash(const std::string& field) {
  Hash hash{};
  if (field.size() == hash.size()) std::memcpy(hash.data(), field.data(), hash.size());
  return hash;
}

}  // namespace

void Keeper::handle_task(Instant now, const v1::KeeperTask& task) {
  if (task.has_admit()) return candidates_.add(task.admit());
  if (!member_.is_keeper()) return;
  if (task.has_depart()) add_depart(now, to_hash(task.depart().leaf()));
  if (task.has_rebox()) give_rebox(to_hash(task.rebox().leaf()));
  if (!task.has_give_stage()) return;
  // Only who was invited by this client: the server does not choose who speaks.
  const Hash leaf = to_hash(task.give_stage().leaf());
  if (member_.is_moderator() && allowed_.contains(leaf)) give_stage_.insert(leaf);
}

void Keeper::add_depart(Instant now, const Hash& leaf) {
  if (leaf == member_.leaf() || member_.state.member(leaf) == nullptr) return;
  if (member_.state.on_stage(leaf) == nullptr)
    departs_.insert(leaf);
  else
    stage_departs_.emplace(leaf, now);
}

void Keeper::give_rebox(const Hash& leaf) {
  const roomlog::Certificate* receiver = member_.state.member(leaf);
  if (receiver == nullptr || leaf == member_.leaf() || !holds_newest()) return;
  const Epochs::Epoch& epoch = member_.epochs.known().back();
  const auto box = crypto::hpke_seal(
      receiver->encryption, box_info(BoxKind::kRebox, member_.room(), leaf),
      member_.newest_advance->hash, write_epoch({.number = epoch.number, .secret = epoch.secret}),
      member_.random);
  if (!box) return;
  v1::MemberBox& message = *member_.send().mutable_box();
  message.set_leaf(std::string(base::as_text(leaf)));
  message.set_box(std::string(base::as_text(*box)));
}

void Keeper::handle_applied(Instant now, const Applied& applied, bool is_own) {
  const bool is_closed = member_.state.genesis().body.kind() == v1::ROOM_KIND_CLOSED;
  fresh_.handle_applied(now, applied, is_closed);
  if (applied.entry.body.advance() == v1::ADVANCE_FRESH) writer_.forget_all_exposed();
  for (const roomlog::Change& change : applied.changes) {
    if (const auto* admitted = std::get_if<roomlog::Admitted>(&change)) {
      candidates_.forget(admitted->certificate.leaf_hash);
      writer_.forget_exposed(admitted->certificate.leaf_hash);
    }
    if (const auto* departed = std::get_if<roomlog::Departed>(&change))
      allowed_.erase(departed->leaf);
  }
  if (is_own) {
    drop_written();
    roster_alone_ = false;
    member_.warnings.clear(KeyWarning::kNotAcknowledged, {});
    member_.warnings.clear(KeyWarning::kClockAhead, {});
  }
  prune();
}

void Keeper::prune() {
  if (!member_.active() || !member_.on_stage()) {
    ejects_.clear();
    wishes_.clear();
    candidates_.clear();
    departs_.clear();
    stage_departs_.clear();
    give_stage_.clear();
    allowed_.clear();
    return;
  }
  const roomlog::LogState& state = member_.state;
  if (!state.is_full()) return;
  const auto is_gone = [&](const Hash& leaf) { return state.member(leaf) == nullptr; };
  std::erase_if(departs_, [&](const Hash& leaf) {
    // Given a seat in between, it is for the stage's rules.
    if (state.on_stage(leaf) != nullptr) stage_departs_.emplace(leaf, Instant::min());
    return is_gone(leaf) || state.on_stage(leaf) != nullptr;
  });
  std::erase_if(stage_departs_, [&](const auto& entry) {
    if (!is_gone(entry.first) && state.on_stage(entry.first) == nullptr)
      departs_.insert(entry.first);
    return is_gone(entry.first) || state.on_stage(entry.first) == nullptr;
  });
  std::erase_if(give_stage_, [&](const Hash& leaf) {
    return is_gone(leaf) || state.on_stage(leaf) != nullptr || !member_.is_moderator();
  });
  if (written_ != Duty::kEject)
    std::erase_if(ejects_,
                  [&](const Wish& wish) { return is_gone(to_hash(wish.op.eject().leaf())); });
}

void Keeper::drop_written() {
  if (written_ == Duty::kEject && !ejects_.empty()) ejects_.pop_front();
  if (written_ == Duty::kWish && !wishes_.empty()) wishes_.pop_front();
  written_.reset();
}

void Keeper::handle_refused(Instant now, Writer::Refusal refusal,
                            const v1::AppendRefused& refused) {
  if (refusal == Writer::Refusal::kNotOurs) return;
  const auto duty = written_;
  if (refusal == Writer::Refusal::kConflict || !duty) {
    written_.reset();
    return;
  }
  // Those who are left are written again.
  if (duty == Duty::kRoster && candidates_.drop_gone(refused)) return drop_written();
  retry_at_ = now + kAskAgainAfter;
  switch (*duty) {
    case Duty::kEject:
    case Duty::kWish:
      tell_not_acknowledged("The server refused it: " + refused.reason().substr(0, 64));
      break;
    case Duty::kGiveStage:
      if (!give_stage_.empty()) give_stage_.erase(give_stage_.begin());
      break;
    case Duty::kRoster:
      drop_first_of_roster();
      break;
    case Duty::kStageDepart:
      for (auto& [leaf, at] : stage_departs_) at = now + kAskAgainAfter;
      break;
    case Duty::kFresh:
    case Duty::kBeat:
      break;
  }
  drop_written();
}

void Keeper::drop_first_of_roster() {
  // Of several, one may be in the way of the others.
  if (!std::exchange(roster_alone_, true)) return;
  if (!departs_.empty())
    departs_.erase(departs_.begin());
  else
    candidates_.refuse_first();
}

void Keeper::tell_not_acknowledged(const std::string& detail) {
  member_.warnings.tell(KeyWarning::kNotAcknowledged, {}, detail);
}

void Keeper::handle_not_acknowledged(Instant now) {
  retry_at_ = now + kAskAgainAfter;
  if (written_ == Duty::kEject || written_ == Duty::kWish)
    tell_not_acknowledged("The server has not confirmed it: it did not go through.");
  else
    member_.warnings.raise(KeyWarning::kNotAcknowledged, {},
                           "The server does not take what this client writes into the room's log.");
  // The server has asked somebody else by now.
  if (written_ == Duty::kRoster) candidates_.clear();
  drop_written();
}

void Keeper::handle_disconnected(Instant now) {
  // A wish is told of when it does not come back; the rest the log asks for again.
  if (!written_ || written_ == Duty::kEject || written_ == Duty::kWish) return;
  writer_.abandon(now);
  written_.reset();
}

bool Keeper::may_write(Instant now) const {
  return member_.is_keeper() && !writer_.busy() && now >= writer_.free_at();
}

Instant Keeper::spaced(Instant due) const {
  return due == base::kNever ? due : std::max(due, member_.newest_advance_at + kAdvancesApart);
}

Instant Keeper::roster_due() const {
  const std::size_t admits = holds_newest() ? candidates_.size() : 0;
  if (departs_.empty() && admits == 0) return base::kNever;
  if (admits >= Candidates::kMaxInEntry) return Instant::min();
  return newest_roster_at_ + Candidates::kCollect;
}

Instant Keeper::due(Duty duty) const {
  switch (duty) {
    case Duty::kEject:
      if (ejects_.empty()) return base::kNever;
      return newest_eject_at_ ? std::max(ejects_.front().asked, *newest_eject_at_ + kEjectsTogether)
                              : ejects_.front().asked;
    case Duty::kWish:
      return wishes_.empty() ? base::kNever : wishes_.front().asked;
    case Duty::kGiveStage:
      return give_stage_.empty() ? base::kNever : retry_at_;
    case Duty::kStageDepart: {
      Instant first = base::kNever;
      for (const auto& [leaf, at] : stage_departs_) first = std::min(first, at);
      return spaced(first);
    }
    case Duty::kRoster:
      return roster_due();
    case Duty::kFresh:
      if (!has_epoch()) return base::kNever;
      return std::max(retry_at_,
                      spaced(std::min(fresh_.due(member_.own_rank(), member_.missing_since),
                                      writer_.exposed_due())));
    case Duty::kBeat:
      return std::max(retry_at_,
                      member_.turns.beat_due(member_.state.stage(), *member_.own_seat()));
  }
  return base::kNever;
}

void Keeper::handle_timeout(Instant now, WallTime wall) {
  if (!member_.is_keeper()) return;
  if (prepare_at_ <= now && member_.prepared.wants_more()) {
    member_.prepared.prepare(kPreparedAtOnce);
    prepare_at_ = now + kPrepareEvery;
  }
  for (const Duty duty : kDuties) {
    if (!may_write(now)) return;
    if (due(duty) <= now) perform(now, wall, duty);
  }
}

Instant Keeper::next_deadline() const {
  if (!member_.is_keeper()) return base::kNever;
  Instant deadline = member_.prepared.wants_more() ? prepare_at_ : base::kNever;
  if (writer_.busy()) return deadline;
  for (const Duty duty : kDuties)
    deadline = std::min(deadline, std::max(due(duty), writer_.free_at()));
  return deadline;
}

bool Keeper::may_op(WallTime wall, const v1::LogOp& op) const {
  if (!member_.is_keeper()) return false;
  return member_.state
      .draft(member_.leaf(), {op}, v1::ADVANCE_NONE, false, wall.time_since_epoch().count())
      .has_value();
}

bool Keeper::wish(Instant now, WallTime wall, v1::LogOp op) {
  if (ejects_.size() + wishes_.size() >= kMaxWishes || !may_op(wall, op)) return false;
  if (op.has_eject())
    ejects_.push_back({.op = std::move(op), .asked = now});
  else
    wishes_.push_back({.op = std::move(op), .asked = now});
  return true;
}

}  // namespace alcove::e2ee
