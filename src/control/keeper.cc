#include "control/keeper.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "control/outbox.h"

namespace alcove::control {
namespace {

constexpr base::Duration kAnswerTime = base::milliseconds(500);
constexpr base::Duration kDepartTime = base::seconds(2);
// Between two rounds in which nobody did it.
constexpr base::Duration kRoundPause = base::seconds(2);

std::string text_of(const roomlog::Hash& hash) { return std::string(base::as_text(hash)); }

const Membership* membership_of(const LiveRoom& room, const roomlog::Hash& leaf) {
  const rooms::Member* member = room.state.find(leaf);
  if (member == nullptr) return nullptr;
  const auto found = room.members.find(member->id);
  return found == room.members.end() ? nullptr : &found->second;
}

// Those who can be asked for this, in order.
std::vector<const Membership*> eligible(const LiveRoom& room, TaskKind kind,
                                        const roomlog::Hash& leaf) {
  std::vector<const Membership*> keepers = Keepers::connected(room);
  std::erase_if(keepers, [&](const Membership* keeper) { return keeper->leaf == leaf; });
  if (kind != TaskKind::kGiveStage) return keepers;
  std::erase_if(keepers, [&](const Membership* keeper) {
    return room.log.state().on_stage(keeper->leaf)->role != v1::ROLE_MODERATOR;
  });
  const rooms::Member* member = room.state.find(leaf);
  if (member == nullptr) return keepers;
  // Who invited is first.
  const auto inviter = std::ranges::find(keepers, member->invited_by, &Membership::member);
  if (inviter != keepers.end()) std::rotate(keepers.begin(), inviter, inviter + 1);
  return keepers;
}

bool is_known(const LiveRoom& room, const Candidate& candidate) {
  const base::AccountId& account = candidate.person.account;
  if (room.state.visitors.find(account) || room.state.find(account) != nullptr) return true;
  return room.state.kind == rooms::RoomKind::kSocial &&
         (candidate.followed_by_moderator || account == room.state.host);
}

}  // namespace

std::vector<const Membership*> Keepers::connected(const LiveRoom& room) {
  struct Ranked {
    const Membership* membership;
    const roomlog::StageMember* stage;
  };
  const roomlog::LogState& log = room.log.state();
  std::vector<Ranked> ranked;
  std::vector<Ranked> replaced;
  for (const auto& [seat, stage] : log.stage()) {
    const bool is_replaced = room.candidate_identities.contains(stage.certificate.identity);
    // It can go on by itself where nobody is left.
    if (is_replaced && log.has_authority(stage.certificate.identity)) continue;
    const Membership* membership = membership_of(room, stage.certificate.leaf_hash);
    if (membership == nullptr || membership->socket == nullptr || !membership->admitted_sent)
      continue;
    (is_replaced ? replaced : ranked).push_back({membership, &stage});
  }
  if (ranked.empty()) ranked = std::move(replaced);
  std::ranges::sort(ranked, {}, [](const Ranked& each) {
    return std::tuple(each.stage->role != v1::ROLE_MODERATOR, each.stage->since, each.stage->seat);
  });
  std::vector<const Membership*> keepers;
  keepers.reserve(ranked.size());
  for (const Ranked& each : ranked) keepers.push_back(each.membership);
  return keepers;
}

bool Keepers::can_ask(const LiveRoom& room, TaskKind kind, const roomlog::Hash& leaf) {
  const auto task = room.tasks.find({kind, leaf});
  return std::ranges::any_of(eligible(room, kind, leaf), [&](const Membership* keeper) {
    return task == room.tasks.end() || !task->second.cannot.contains(keeper->leaf);
  });
}

bool Keepers::was_asked(const LiveRoom& room, TaskKind kind, const roomlog::Hash& leaf,
                        const roomlog::Hash& keeper) {
  const auto task = room.tasks.find({kind, leaf});
  return task != room.tasks.end() && task->second.trusted.contains(keeper) &&
         !task->second.cannot.contains(keeper);
}

void Keepers::open(const RoomRef& room, TaskKind kind, const roomlog::Hash& leaf) {
  const Key key{kind, leaf};
  if (room->tasks.try_emplace(key).second) ask_next(room, key);
}

void Keepers::close(LiveRoom& room, TaskKind kind, const roomlog::Hash& leaf) {
  auto node = room.tasks.extract({kind, leaf});
  if (!node.empty()) context_.timers.cancel(node.mapped().timer);
}

void Keepers::forget(LiveRoom& room, const roomlog::Hash& leaf) {
  for (const TaskKind kind : {TaskKind::kDepart, TaskKind::kGiveStage, TaskKind::kRebox})
    close(room, kind, leaf);
}

void Keepers::close_all(LiveRoom& room) {
  for (auto& [key, task] : room.tasks) context_.timers.cancel(task.timer);
  room.tasks.clear();
}

void Keepers::pass_on(const RoomRef& room, TaskKind kind, const roomlog::Hash& leaf,
                      const roomlog::Hash& keeper) {
  const auto task = room->tasks.find({kind, leaf});
  if (task == room->tasks.end()) return;
  if (!task->second.cannot.insert(keeper).second) return;
  ask_next(room, task->first);
}

void Keepers::review(const RoomRef& room) {
  std::vector<Key> idle;
  for (const auto& [key, task] : room->tasks)
    if (task.timer == 0) idle.push_back(key);
  for (const Key& key : idle) ask_next(room, key);
}

bool Keepers::forget_refusals(LiveRoom& room) {
  bool forgotten = false;
  for (auto& [key, task] : room.tasks) {
    forgotten = forgotten || !task.cannot.empty();
    task.cannot.clear();
  }
  return forgotten;
}

void Keepers::ask_next(const RoomRef& room, const Key& key) {
  const auto found = room->tasks.find(key);
  if (found == room->tasks.end()) return;
  const auto [kind, leaf] = key;
  KeeperTaskState& task = found->second;
  context_.timers.cancel(task.timer);
  std::vector<const Membership*> keepers = eligible(*room, kind, leaf);
  std::erase_if(keepers, [&](const Membership* each) { return task.cannot.contains(each->leaf); });
  const auto next = std::ranges::find_if(
      keepers, [&](const Membership* each) { return !task.asked.contains(each->leaf); });
  if (next == keepers.end()) {
    // A box is asked for again by who misses it.
    if (kind == TaskKind::kRebox) return close(*room, kind, leaf);
    task.asked.clear();
    if (keepers.empty()) return;  // until review()
    if (kind != TaskKind::kDepart) return schedule(room, key, kRoundPause);
  }
  const Membership& keeper = next == keepers.end() ? *keepers.front() : **next;
  task.asked.insert(keeper.leaf);
  task.trusted.insert(keeper.leaf);
  schedule(room, key, kind == TaskKind::kDepart ? kDepartTime : kAnswerTime);
  send(*room, key, keeper);
}

void Keepers::schedule(const RoomRef& room, const Key& key, base::Duration after) {
  room->tasks.at(key).timer =
      context_.timers.schedule(context_.now + after, [this, weak = std::weak_ptr(room), key] {
        const RoomRef live = weak.lock();
        if (!live) return;
        if (const auto task = live->tasks.find(key); task != live->tasks.end()) {
          task->second.timer = 0;
          ask_next(live, key);
        }
      });
}

void Keepers::send(const LiveRoom& room, const Key& key, const Membership& keeper) {
  const auto& [kind, leaf] = key;
  v1::KeysFromServer keys;
  v1::KeeperTask& task = *keys.mutable_task();
  switch (kind) {
    case TaskKind::kAdmit: {
      const auto candidate = room.candidates.find(leaf);
      if (candidate == room.candidates.end()) return;
      task.mutable_admit()->set_candidate(candidate->second.join.candidate);
      *task.mutable_admit()->mutable_keys() = candidate->second.keys;
      task.mutable_admit()->set_known(is_known(room, candidate->second));
      break;
    }
    case TaskKind::kDepart:
      task.mutable_depart()->set_leaf(text_of(leaf));
      break;
    case TaskKind::kGiveStage:
      task.mutable_give_stage()->set_leaf(text_of(leaf));
      break;
    case TaskKind::kRebox:
      task.mutable_rebox()->set_leaf(text_of(leaf));
      break;
  }
  send_keys(context_, keeper, std::move(keys));
}

}  // namespace alcove::control
