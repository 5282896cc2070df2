#include "e2ee/turns.h"

#include <algorithm>

namespace alcove::e2ee {

using base::Instant;
using roomlog::Hash;

unsigned Turns::rank_of(const Stage& stage, std::uint8_t seat) const {
  // How far after the author, going round; the author's own seat comes last.
  const auto distance = [&](std::uint8_t of) {
    return static_cast<std::uint8_t>(of - turn_seat_ - 1);
  };
  unsigned rank = 0;
  for (const auto& [other, member] : stage)
    if (distance(other) < distance(seat)) ++rank;
  return std::min(rank, kMaxRank);
}

void Turns::begin(Instant now) {
  newest_ = turn_at_ = own_entry_at_ = now;
  turn_seat_ = 0;
  knows_turn_ = false;
}

void Turns::note_resume(Instant now, std::uint8_t author_seat) {
  newest_ = turn_at_ = now;
  turn_seat_ = author_seat;
  knows_turn_ = true;
}

bool Turns::begins_turn(Instant now, const Stage& stage, std::uint8_t author_seat) const {
  // Moderators alone write between the turns.
  const auto author = stage.find(author_seat);
  const bool may_be_between = author != stage.end() && author->second.role == v1::ROLE_MODERATOR;
  return !knows_turn_ || !may_be_between || now >= turn_at_ + kBeatAfter - kPassedOverAfter;
}

std::vector<Hash> Turns::note_beat(Instant now, Instant connected_at, const Stage& before,
                                   std::uint8_t author_seat) {
  newest_ = now;
  if (!begins_turn(now, before, author_seat)) return {};
  std::vector<Hash> told;
  if (knows_turn_) told = pass_over(now, connected_at, before, author_seat);
  turn_at_ = now;
  turn_seat_ = author_seat;
  knows_turn_ = true;
  return told;
}

std::vector<Hash> Turns::pass_over(Instant now, Instant connected_at, const Stage& before,
                                   std::uint8_t author_seat) {
  std::vector<Hash> told;
  const unsigned author_rank = rank_of(before, author_seat);
  for (const auto& [seat, member] : before) {
    const unsigned rank = rank_of(before, seat);
    if (rank >= author_rank) continue;
    const Instant turn = turn_at_ + kBeatAfter + base::seconds(rank);
    if (turn < connected_at || now < turn + kPassedOverAfter) continue;
    if (++misses_[member.certificate.leaf_hash] == kMissesTold)
      told.push_back(member.certificate.leaf_hash);
  }
  return told;
}

bool Turns::note_entry(const Hash& author) {
  const auto found = misses_.find(author);
  if (found == misses_.end()) return false;
  const bool told = found->second >= kMissesTold;
  misses_.erase(found);
  return told;
}

void Turns::forget_others(const Stage& stage) {
  std::erase_if(misses_, [&](const auto& entry) {
    return std::ranges::none_of(
        stage, [&](const auto& seat) { return seat.second.certificate.leaf_hash == entry.first; });
  });
}

Instant Turns::beat_due(const Stage& stage, const roomlog::StageMember& own) const {
  const Instant due = turn_at_ + kBeatAfter + base::seconds(rank_of(stage, own.seat));
  if (own.role != v1::ROLE_MODERATOR) return due;
  const Instant between = own_entry_at_ + kOwnBeatAfter;
  const bool is_early = between <= turn_at_ + kOwnBeatWithin;
  return std::min(due, is_early ? between : own_entry_at_ + kOwnBeatAtLatest);
}

}  // namespace alcove::e2ee
