// Every change of a room: who may, what the room itself changes, and several commands as one.

#include <algorithm>
#include <iterator>
#include <utility>

#include "rooms/change.h"

namespace alcove::rooms {

Change::Outcome Change::run(const Command& command) {
  if (room_.ended) return std::unexpected(Refusal::kEnded);
  if (const std::optional<Request> request = request_of(command, by_)) {
    if (const Outcome allowed = check_permission(*request); !allowed) return allowed;
  }
  return std::visit([this](const auto& each) { return handle(each); }, command);
}

Change::Outcome Change::check_permission(const Request& request) const {
  const Member* actor = room_.find(by_);
  if (actor == nullptr || actor->leaving) return std::unexpected(Refusal::kNotMember);
  const Permission& row = permission(request.action);
  if ((row.actors & role_bit(actor->role)) == 0) return std::unexpected(Refusal::kNotAllowed);
  if (row.targets == 0) return {};
  const Member* target = room_.find(request.target);
  if (target == nullptr) return std::unexpected(Refusal::kMemberNotFound);
  if ((row.targets & role_bit(target->role)) == 0) return std::unexpected(Refusal::kWrongRole);
  if (!row.to_host && target->person.account == room_.host && target->id != by_)
    return std::unexpected(Refusal::kHostProtected);
  return {};
}

Change::Outcome Change::handle(const SetLocked& command) {
  if (room_.locked == command.locked) return {};
  room_.locked = command.locked;
  events_.emplace_back(RoomChanged{});
  return {};
}

Change::Outcome Change::handle(const React& command) {
  events_.emplace_back(ReactionSent{by_, command.reaction});
  return {};
}

Change::Outcome Change::handle(const End&) {
  end(EndCause::kEnded);
  return {};
}

Change::Outcome Change::handle(const Close& command) {
  end(command.cause);
  return {};
}

void Change::settle() {
  if (!room_.opened || room_.ended) return;
  if (std::ranges::all_of(room_.stage, [&](MemberId id) { return member(id).leaving; }))
    return end(EndCause::kEmpty);
  if (!room_.moderators().empty()) return;
  Member& heir = member(room_.stage.front());
  heir.role = Role::kModerator;
  changed(heir, Role::kSpeaker);
}

void Change::end(EndCause cause) {
  room_.ended = true;
  events_.emplace_back(RoomEnded{cause});
}

std::expected<Events, Refusal> apply(Room& room, const Command& command, MemberId by,
                                     base::Instant now) {
  Change change(room, by, now);
  if (const auto outcome = change.run(command); !outcome) return std::unexpected(outcome.error());
  change.settle();
  return change.take_events();
}

std::expected<void, Refusal> Transaction::apply(const Command& command, MemberId by) {
  if (!after_) after_ = *before_;
  Change change(*after_, by, now_);
  if (const auto outcome = change.run(command); !outcome) return std::unexpected(outcome.error());
  std::ranges::move(change.take_events(), std::back_inserter(events_));
  return {};
}

Events Transaction::commit(Room& room) && {
  if (after_) room = *std::move(after_);
  Change change(room, MemberId::kNone, now_);
  change.settle();
  std::ranges::move(change.take_events(), std::back_inserter(events_));
  return std::move(events_);
}

}  // namespace alcove::rooms
