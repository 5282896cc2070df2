#include "e2ee/turns.h"

#include <algorithm>

namespace alcove::e2ee {

using base::Instant;
using roomlog::Hash;

unsigned Turns::rank_of(const Stage& stage, std::uint8_t seat) const {
  // How far after the author, going round; the author's own seat comes last.
  const auto distance = [&](std::uint8_t of) {
    return static_cast<std::uint8_t>(of - author_seat_ - 1);
  };
  unsigned rank = 0;
  for (const auto& [other, member] : stage)
    if (distance(other) < distance(seat)) ++rank;
  return std::min(rank, kMaxRank);
}

std::vector<Hash> Turns::note_beat(Instant now, Instant connected_at, const Stage& before,
                                   std::uint8_t author_seat) {
  std::vector<Hash> told;
  const unsigned author_rank = rank_of(before, author_seat);
  for (const auto& [seat, member] : before) {
    const unsigned rank = rank_of(before, seat);
    if (rank >= author_rank) continue;
    const Instant turn = newest_ + kBeatAfter + base::seconds(rank);
    if (turn < connected_at || now < turn + kPassedOverAfter) continue;
    if (++misses_[member.certificate.leaf_hash] == kMissesTold)
      told.push_back(member.certificate.leaf_hash);
  }
  return told;
}

void Turns::note_fresh(Instant now, std::uint8_t author_seat) {
  newest_ = now;
  author_seat_ = author_seat;
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
  const Instant due = newest_ + kBeatAfter + base::seconds(rank_of(stage, own.seat));
  if (own.role != v1::ROLE_MODERATOR) return due;
  return std::min(due, own_entry_at_ + kOwnBeatAfter);
}

}  // namespace alcove::e2ee
