// The entries that a Keeper writes.

#include <algorithm>
#include <utility>

#include "e2ee/keeper.h"

namespace alcove::e2ee {

using base::Instant;
using base::WallTime;
using roomlog::Hash;

void Keeper::perform(Instant now, WallTime wall, Duty duty) {
  switch (duty) {
    case Duty::kEject:
      return write_eject(now, wall);
    case Duty::kWish:
      return write_wish(now, wall);
    case Duty::kGiveStage:
      return write_give_stage(now, wall);
    case Duty::kStageDepart:
      return write_stage_depart(now, wall);
    case Duty::kRoster:
      return write_roster(now, wall);
    case Duty::kFresh: {
      Draft draft;
      draft.advance = v1::ADVANCE_FRESH;
      if (!write(now, wall, duty, draft)) retry_at_ = now + kAskAgainAfter;
      return;
    }
    case Duty::kBeat:
      if (!write(now, wall, duty, {})) retry_at_ = now + kAskAgainAfter;
      return;
  }
}

bool Keeper::write(Instant now, WallTime wall, Duty duty, const Draft& draft) {
  if (!writer_.write(now, wall, member_.state, draft)) return false;
  written_ = duty;
  return true;
}

void Keeper::write_eject(Instant now, WallTime wall) {
  // Of several that wait, the last one's entry has the advance for all.
  const bool is_last = ejects_.size() == 1;
  Draft draft;
  draft.ops.push_back(ejects_.front().op);
  if (is_last && has_epoch()) draft.advance = v1::ADVANCE_FRESH;
  if (!write(now, wall, Duty::kEject, draft)) {
    ejects_.pop_front();
    tell_not_acknowledged("The room's log does not allow it any more.");
    return;
  }
  if (is_last) newest_eject_at_ = now;
}

void Keeper::fill_link(Draft& draft) {
  v1::LinkOp& op = *draft.ops.front().mutable_link();
  op.set_generation(member_.state.link_generation() + 1);
  op.clear_boxes();
  draft.link = member_.random.bytes<16>();
  for (const auto& [seat, other] : member_.state.stage()) {
    const Hash& leaf = other.certificate.leaf_hash;
    if (leaf == member_.leaf()) continue;
    const auto box = seal_link(other.certificate, *draft.link, op.generation());
    if (!box) continue;
    v1::LinkBox& sealed = *op.add_boxes();
    sealed.set_leaf(std::string(base::as_text(leaf)));
    sealed.set_box(std::string(base::as_text(*box)));
  }
}

std::optional<base::Buffer> Keeper::seal_link(const roomlog::Certificate& receiver,
                                              const roomlog::LinkSecret& secret,
                                              std::uint32_t generation) {
  return crypto::hpke_seal(receiver.encryption,
                           box_info(BoxKind::kLink, member_.room(), receiver.leaf_hash),
                           link_box_aad(generation), secret, member_.random);
}

void Keeper::write_wish(Instant now, WallTime wall) {
  Draft draft;
  draft.ops.push_back(wishes_.front().op);
  if (draft.ops.front().has_link()) fill_link(draft);
  if (write(now, wall, Duty::kWish, draft)) return;
  wishes_.pop_front();
  tell_not_acknowledged("The room's log does not allow it any more.");
}

void Keeper::write_give_stage(Instant now, WallTime wall) {
  const roomlog::LogState& state = member_.state;
  const Hash leaf = *give_stage_.begin();
  const roomlog::Certificate* certificate = state.member(leaf);
  const auto seat = state.next_free_seat();
  if (certificate == nullptr || !seat) {
    give_stage_.erase(leaf);
    return;
  }
  Draft draft;
  v1::RoleOp& op = *draft.ops.emplace_back().mutable_role();
  op.set_leaf(std::string(base::as_text(leaf)));
  op.set_role(v1::ROLE_SPEAKER);
  op.set_seat(*seat);
  *op.mutable_certificate() = certificate->object;
  // An older one would be the current one to its receiver.
  const bool has_link = member_.link_secret && member_.link_is_certain &&
                        member_.link_generation == state.link_generation() && !state.link_void();
  if (has_link)
    if (const auto box = seal_link(*certificate, *member_.link_secret, state.link_generation()))
      op.set_link_box(std::string(base::as_text(*box)));
  if (write(now, wall, Duty::kGiveStage, draft))
    allowed_.erase(leaf);
  else
    give_stage_.erase(leaf);
}

void Keeper::write_stage_depart(Instant now, WallTime wall) {
  const auto due =
      std::ranges::find_if(stage_departs_, [&](const auto& entry) { return entry.second <= now; });
  if (due == stage_departs_.end()) return;
  Draft draft;
  draft.ops.emplace_back().mutable_depart()->set_leaf(std::string(base::as_text(due->first)));
  if (has_epoch()) draft.advance = v1::ADVANCE_FRESH;
  // Too early by the rule of 30 s, mostly: tried again until it is allowed or not needed.
  if (!write(now, wall, Duty::kStageDepart, draft)) due->second = now + kAskAgainAfter;
}

void Keeper::write_roster(Instant now, WallTime wall) {
  Draft draft;
  for (const Hash& leaf : departs_) {
    if (draft.ops.size() >= (roster_alone_ ? 1 : kMaxDeparts)) break;
    draft.ops.emplace_back().mutable_depart()->set_leaf(std::string(base::as_text(leaf)));
  }
  if (holds_newest() && (draft.ops.empty() || !roster_alone_))
    candidates_.fill(draft, roster_alone_);
  if (draft.ops.empty()) return;
  // Who got a box before without coming in gets only what the entry itself makes.
  const bool wants_own = std::ranges::any_of(draft.joiners, [&](const JoinReceiver& joiner) {
    return writer_.needs_advance(joiner.certificate.leaf_hash);
  });
  if (wants_own && spaced(now) > now) {
    newest_roster_at_ = spaced(now) - Candidates::kCollect;
    return;
  }
  if (!draft.joiners.empty() && (wants_own || now - member_.newest_advance_at > kRatchetAfter))
    draft.advance = v1::ADVANCE_RATCHET;
  if (write(now, wall, Duty::kRoster, draft))
    newest_roster_at_ = now;
  else
    drop_first_of_roster();
}

}  // namespace alcove::e2ee
