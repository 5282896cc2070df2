#include "control/turned_away.h"

#include <ranges>

namespace alcove::control {

rooms::Join likely_join(const LiveRoom& room, const rooms::Person& person,
                        bool followed_by_moderator, const roomlog::Certificate& certificate) {
  const crypto::Ed25519PublicKey& identity = certificate.identity;
  const roomlog::Certificate* inside = room.log.state().member_of(identity);
  const rooms::Member* old = inside == nullptr ? nullptr : room.state.find(inside->leaf_hash);
  return {.person = person,
          .followed_by_moderator = followed_by_moderator,
          .replaces = old == nullptr ? rooms::MemberId::kNone : old->id,
          .as_moderator = room.log.state().has_authority(identity)};
}

std::vector<TurnedAway> turned_away(const LiveRoom& room, const v1::AppendEntry& request) {
  const std::size_t inside = room.state.members.size();
  const std::size_t most = room.state.options.max_members;
  std::size_t free = most > inside ? most - inside : 0;
  std::vector<TurnedAway> result;
  for (const v1::JoinBox& box : std::views::take(request.join_boxes(), kMaxAdmits)) {
    const auto number = room.candidate_numbers.find(box.candidate());
    if (number == room.candidate_numbers.end()) continue;
    const Candidate& candidate = room.candidates.at(number->second);
    const rooms::Join join =
        likely_join(room, candidate.person, candidate.followed_by_moderator, candidate.certificate);
    if (const auto allowed = rooms::check_join(room.state, join); !allowed) {
      result.push_back({number->second, to_api_error(allowed.error())});
    } else if (join.replaces == rooms::MemberId::kNone) {
      // Who replaces has a place.
      if (free == 0)
        result.push_back({number->second, to_api_error(rooms::Refusal::kFull)});
      else
        --free;
    }
  }
  return result;
}

}  // namespace alcove::control
