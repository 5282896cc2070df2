// What changed in a room, to its members: stage events at once, the audience in batches, each
// encoded once for all who see the same.

#include <algorithm>
#include <utility>

#include "control/framing.h"
#include "control/house.h"
#include "control/outbox.h"

namespace alcove::control {
namespace {

constexpr base::Duration kBatchInterval = base::milliseconds(250);
constexpr std::size_t kMaxNamedReactions = 8;

// The audience's sample is some kilobytes for everybody, so large rooms get it less often: at 5,000
// members every 2 s, which is 2,500 messages a second.
base::Duration audience_interval(std::size_t members) {
  constexpr std::size_t kMembersPerInterval = 625;
  constexpr std::int64_t kMaxIntervals = 8;
  const auto intervals = static_cast<std::int64_t>(members / kMembersPerInterval);
  return kBatchInterval * std::clamp<std::int64_t>(intervals, 1, kMaxIntervals);
}

v1::RoomEvent stage_event(const rooms::Member& member) {
  v1::RoomEvent event;
  *event.mutable_stage_member_changed()->mutable_member() = to_proto(member, View::kMember);
  return event;
}

v1::RoomEvent stage_left_event(rooms::MemberId member) {
  v1::RoomEvent event;
  event.mutable_stage_member_left()->set_member_id(number(member));
  return event;
}

const char* text_of(rooms::EndCause cause) {
  switch (cause) {
    case rooms::EndCause::kEnded:
      return "ended";
    case rooms::EndCause::kEmpty:
      return "empty";
    case rooms::EndCause::kServer:
      return "server";
  }
  return "";
}

}  // namespace

void House::dispatch(const RoomRef& room, const rooms::Events& events) {
  Batch batch;
  for (const rooms::Event& event : events) collect(room, event, batch);
  deliver(*room, batch);
  for (auto& [membership, cause] : batch.leavers) {
    switch (cause) {
      case rooms::LeaveCause::kRemoved:
        send_removed(context_, membership, "removed");
        break;
      case rooms::LeaveCause::kGone:
        send_removed(context_, membership, "gone");
        break;
      case rooms::LeaveCause::kReplaced:
        send_removed(context_, membership, "replaced");
        break;
      case rooms::LeaveCause::kLeft:
        close_socket(membership);
        break;
    }
  }
  if (batch.ended) return end_room(room, *batch.ended);
  for (const roomlog::Hash& leaf : batch.to_depart) keepers_.open(room, TaskKind::kDepart, leaf);
  // Who left the stage keeps the room no longer.
  if (batch.stage_changed) review(room);
  schedule_batch(room);
}

void House::collect(const RoomRef& live, const rooms::Event& event, Batch& batch) {
  LiveRoom& room = *live;
  if (const auto* joined = std::get_if<rooms::MemberJoined>(&event)) {
    collect_joined(room, *joined, batch);
  } else if (const auto* leaving = std::get_if<rooms::MemberLeaving>(&event)) {
    collect_leaving(room, *leaving, batch);
  } else if (const auto* left = std::get_if<rooms::MemberLeft>(&event)) {
    collect_left(room, *left, batch);
  } else if (const auto* changed = std::get_if<rooms::MemberChanged>(&event)) {
    collect_changed(live, *changed, batch);
  } else if (std::holds_alternative<rooms::RaisedHandsChanged>(event)) {
    room.hands_dirty = true;
  } else if (std::holds_alternative<rooms::RoomChanged>(event)) {
    v1::RoomEvent out;
    out.mutable_room_changed()->set_title(room.state.title);
    out.mutable_room_changed()->set_locked(room.state.locked);
    batch.everyone.push_back(std::move(out));
  } else if (const auto* reaction = std::get_if<rooms::ReactionSent>(&event)) {
    ReactionTally& tally = room.reactions[reaction->reaction];
    ++tally.count;
    if (tally.members.size() < kMaxNamedReactions) tally.members.push_back(reaction->member);
  } else if (const auto* ended = std::get_if<rooms::RoomEnded>(&event)) {
    batch.ended = ended->cause;
  }
}

// Several changes may come at once: of somebody who is out at their end there is nothing to tell.
void House::collect_joined(LiveRoom& room, const rooms::MemberJoined& event, Batch& batch) {
  const rooms::Member* member = room.state.find(event.member);
  if (member == nullptr) return;
  if (const auto found = room.members.find(event.member); found != room.members.end())
    update_sending(context_, found->second, *member);
  if (member->on_stage())
    batch.everyone.push_back(stage_event(*member));
  else
    room.audience_dirty = true;
}

void House::collect_leaving(LiveRoom& room, const rooms::MemberLeaving& event, Batch& batch) {
  cut(room, event.member, event.leaf, event.cause, batch);
  // By its leaf: who comes after it in the same entry may have its member id.
  const rooms::Member* member = room.state.find(event.leaf);
  if (member == nullptr) return;
  keepers_.forget(room, event.leaf);
  batch.to_depart.push_back(event.leaf);
  batch.stage_changed = batch.stage_changed || member->on_stage();
  if (member->on_stage())
    batch.everyone.push_back(stage_event(*member));
  else
    room.audience_dirty = true;
}

void House::collect_left(LiveRoom& room, const rooms::MemberLeft& event, Batch& batch) {
  if (!event.was_leaving) cut(room, event.member, event.leaf, event.cause, batch);
  keepers_.forget(room, event.leaf);
  if (event.role_before != rooms::Role::kListener)
    batch.everyone.push_back(stage_left_event(event.member));
  else if (!event.was_leaving)
    room.audience_dirty = true;
}

void House::cut(LiveRoom& room, rooms::MemberId member, const roomlog::Hash& leaf,
                rooms::LeaveCause cause, Batch& batch) {
  const auto found = room.members.find(member);
  if (found == room.members.end() || found->second.leaf != leaf) return;
  auto node = room.members.extract(found);
  forget(node.mapped());
  close_endpoint(context_, node.mapped().join_id);
  batch.leavers.emplace_back(std::move(node.mapped()), cause);
}

void House::collect_changed(const RoomRef& live, const rooms::MemberChanged& event, Batch& batch) {
  LiveRoom& room = *live;
  const rooms::Member* found = room.state.find(event.member);
  if (found == nullptr) return;
  const rooms::Member& member = *found;
  if (const auto place = room.members.find(event.member); place != room.members.end())
    update_sending(context_, place->second, member);
  if (member.accepting)
    keepers_.open(live, TaskKind::kGiveStage, member.leaf);
  else
    keepers_.close(room, TaskKind::kGiveStage, member.leaf);
  const bool was_on_stage = event.role_before != rooms::Role::kListener;
  if (member.on_stage())
    batch.everyone.push_back(stage_event(member));
  else if (was_on_stage)
    batch.everyone.push_back(stage_left_event(member.id));
  if (!member.on_stage() || !was_on_stage) room.audience_dirty = true;
  std::vector<v1::RoomEvent>& personal = batch.personal[member.id];
  personal.push_back(self_event(room.state, member));
  const bool was_moderator = event.role_before == rooms::Role::kModerator;
  if (was_moderator != (member.role == rooms::Role::kModerator))
    personal.push_back(hands_event(room.state, view_of(member)));
}

void House::deliver(LiveRoom& room, const Batch& batch) {
  if (batch.everyone.empty() && batch.personal.empty()) return;
  const std::string shared = encode_events(batch.everyone);
  if (!shared.empty()) {
    const SharedBytes for_many = share(base::to_buffer(base::as_bytes(shared)));
    for (auto& [id, membership] : room.members) {
      const auto personal = batch.personal.find(id);
      if (personal == batch.personal.end())
        send_batch(context_, membership, for_many);
      else
        send_batch(context_, membership, shared, encode_events(personal->second));
    }
    return;
  }
  for (const auto& [id, events] : batch.personal)
    if (const auto found = room.members.find(id); found != room.members.end())
      send_batch(context_, found->second, {}, encode_events(events));
}

void House::end_room(const RoomRef& room, rooms::EndCause cause) {
  v1::RoomEvent event;
  event.mutable_room_ended()->set_cause(text_of(cause));
  const std::string shared = encode_events({&event, 1});
  for (auto& [id, membership] : room->members) {
    send_batch(context_, membership, shared, {});
    forget(membership);
    close_socket(membership);
  }
  room->members.clear();
  drop_candidates(room, to_api_error(rooms::Refusal::kEnded));
  keepers_.close_all(*room);
  context_.timers.cancel(room->batch_timer);
  context_.timers.cancel(room->opening_timer);
  v1::RelayCommand command;
  command.mutable_close_room()->set_relay_room(
      std::string(base::as_text(room->relay_room.bytes())));
  context_.relay.send(command);
  rooms_.erase(room->state.id);
}

void House::schedule_batch(const RoomRef& room) {
  base::Instant at = base::kNever;
  if (room->hands_dirty || !room->reactions.empty()) at = context_.now + kBatchInterval;
  if (room->audience_dirty)
    at = std::min(at, std::max(context_.now + kBatchInterval, room->audience_due));
  if (at == base::kNever || (room->batch_timer != 0 && room->batch_at <= at)) return;
  context_.timers.cancel(room->batch_timer);
  room->batch_at = at;
  room->batch_timer = context_.timers.schedule(at, [this, weak = std::weak_ptr(room)] {
    if (const RoomRef live = weak.lock()) flush_batch(live);
  });
}

void House::flush_batch(const RoomRef& room) {
  room->batch_timer = 0;
  const bool audience = room->audience_dirty && room->audience_due <= context_.now;
  const auto events_for = [&](View view) {
    std::vector<v1::RoomEvent> events;
    if (audience) events.push_back(audience_event(room->state, view));
    if (room->hands_dirty) events.push_back(hands_event(room->state, view));
    if (!room->reactions.empty()) events.push_back(reactions_event(room->reactions));
    return share(base::to_buffer(base::as_bytes(encode_events(events))));
  };
  const SharedBytes for_members = events_for(View::kMember);
  const SharedBytes for_moderators = events_for(View::kModerator);
  for (auto& [id, membership] : room->members) {
    const bool moderator = view_of(room->state.members.at(id)) == View::kModerator;
    send_batch(context_, membership, moderator ? for_moderators : for_members);
  }
  if (audience) {
    room->audience_dirty = false;
    room->audience_due = context_.now + audience_interval(room->state.members.size());
  }
  room->hands_dirty = false;
  room->reactions.clear();
  schedule_batch(room);
}

}  // namespace alcove::control
