#include "rooms/room.h"

#include <algorithm>
#include <utility>

namespace alcove::rooms {

void Visitors::remember(const base::AccountId& account, MemberId member) {
  const auto [position, added] = visitors_.insert_or_assign(account, member);
  if (added) order_.push_back(account);
  // An account that was forgotten and remembered again stands in the order twice: it may go early.
  while (visitors_.size() > kMaxVisitors || order_.size() > 2 * kMaxVisitors) {
    visitors_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<MemberId> Visitors::find(const base::AccountId& account) const {
  const auto position = visitors_.find(account);
  if (position == visitors_.end()) return std::nullopt;
  return position->second;
}

const Member* Room::find(MemberId member) const {
  const auto position = members.find(member);
  return position == members.end() ? nullptr : &position->second;
}

const Member* Room::find(const base::AccountId& account) const {
  const auto position = by_account.find(account);
  return position == by_account.end() ? nullptr : find(position->second);
}

const Member* Room::find(const Leaf& leaf) const {
  const auto position = by_leaf.find(leaf);
  return position == by_leaf.end() ? nullptr : find(position->second);
}

std::size_t Room::audience_count() const {
  const auto hidden = std::ranges::count_if(
      leaving, [this](MemberId member) { return !members.at(member).shown(); });
  return members.size() - stage.size() - static_cast<std::size_t>(hidden);
}

std::vector<MemberId> Room::moderators() const {
  std::vector<MemberId> found;
  for (const MemberId member : stage)
    if (members.at(member).role == Role::kModerator) found.push_back(member);
  return found;
}

Room start(base::RoomId id, std::string title, RoomKind kind, base::AccountId host,
           RoomOptions options) {
  Room room;
  room.id = id;
  room.title = std::move(title);
  room.kind = kind;
  room.host = host;
  room.options = options;
  return room;
}

bool is_last_of_stage(const Room& room, const Member& member) {
  return member.on_stage() && std::ranges::all_of(room.stage, [&](MemberId id) {
           return id == member.id || room.members.at(id).leaving;
         });
}

std::expected<void, Refusal> check_join(const Room& room, const Join& join) {
  const base::AccountId& account = join.person.account;
  if (room.ended) return std::unexpected(Refusal::kEnded);
  if (room.blocked.contains(account)) return std::unexpected(Refusal::kBlocked);
  const Member* inside = room.find(account);
  if (inside != nullptr && inside->id != join.replaces && !join.as_moderator &&
      is_last_of_stage(room, *inside))
    return std::unexpected(Refusal::kOnStageElsewhere);
  if (inside != nullptr && inside->shown()) return {};
  // Those who are leaving are in the log's roster until somebody writes their departure.
  const bool replaces = room.find(join.replaces) != nullptr;
  if (!replaces && room.members.size() >= room.options.max_members)
    return std::unexpected(Refusal::kFull);
  if (account == room.host || inside != nullptr || room.visitors.find(account)) return {};
  if (room.locked) return std::unexpected(Refusal::kLocked);
  if (room.kind == RoomKind::kSocial && !join.followed_by_moderator)
    return std::unexpected(Refusal::kNotAdmitted);
  return {};
}

std::vector<std::string_view> allowed_commands(const Room& room, MemberId id) {
  std::vector<std::string_view> names;
  const Member* member = room.find(id);
  if (member == nullptr || room.ended) return names;
  for (const Permission& row : permissions()) {
    if ((row.actors & role_bit(member->role)) == 0) continue;
    const bool answer =
        row.action == Action::kAcceptInvitation || row.action == Action::kDeclineInvitation;
    if (answer && !member->invited) continue;
    if (row.action == Action::kAcceptInvitation && member->accepting) continue;
    if (row.action == Action::kRaiseHand && member->hand_raised) continue;
    if (row.action == Action::kLowerHand && !member->hand_raised) continue;
    names.push_back(row.name);
  }
  return names;
}

}  // namespace alcove::rooms
