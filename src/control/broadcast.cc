// What changed in a room, to its members: stage events at once, the audience in batches, each
// encoded once for all who see the same.

#include <algorithm>
#include <utility>

#include "control/framing.h"
#include "control/house.h"

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
  for (const rooms::Event& event : events) collect(*room, event, batch);
  deliver(*room, batch);
  for (auto& [membership, cause] : batch.leavers) {
    if (cause == rooms::LeaveCause::kRemoved) send_removed(membership, "removed");
    if (cause == rooms::LeaveCause::kGone) send_removed(membership, "gone");
    if (MemberSocket* socket = std::exchange(membership.socket, nullptr)) socket->close();
  }
  if (batch.ended) return end_room(room, *batch.ended);
  schedule_batch(room);
}

void House::collect(LiveRoom& room, const rooms::Event& event, Batch& batch) {
  if (const auto* joined = std::get_if<rooms::MemberJoined>(&event)) {
    collect_joined(room, *joined, batch);
  } else if (const auto* left = std::get_if<rooms::MemberLeft>(&event)) {
    collect_left(room, *left, batch);
  } else if (const auto* changed = std::get_if<rooms::MemberChanged>(&event)) {
    collect_changed(room, *changed, batch);
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

void House::collect_joined(LiveRoom& room, const rooms::MemberJoined& event, Batch& batch) {
  const rooms::Member& member = room.state.members.at(event.member);
  update_sending(room.members.at(event.member), member);
  if (member.on_stage())
    batch.everyone.push_back(stage_event(member));
  else
    room.audience_dirty = true;
}

void House::collect_left(LiveRoom& room, const rooms::MemberLeft& event, Batch& batch) {
  auto node = room.members.extract(event.member);
  CHECK(!node.empty());
  forget(node.mapped());
  close_endpoint(node.mapped().join_id);
  batch.leavers.emplace_back(node.mapped(), event.cause);
  if (event.role_before == rooms::Role::kListener)
    room.audience_dirty = true;
  else
    batch.everyone.push_back(stage_left_event(event.member));
}

void House::collect_changed(LiveRoom& room, const rooms::MemberChanged& event, Batch& batch) {
  const rooms::Member& member = room.state.members.at(event.member);
  update_sending(room.members.at(event.member), member);
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

void House::update_sending(Membership& membership, const rooms::Member& member) {
  if (membership.may_send == member.may_send()) return;
  membership.may_send = member.may_send();
  v1::RelayCommand command;
  v1::AllowSending& allow = *command.mutable_allow_sending();
  allow.set_join_id(std::string(base::as_text(membership.join_id.bytes())));
  allow.set_allowed(membership.may_send);
  context_.relay.send(command);
}

void House::deliver(LiveRoom& room, const Batch& batch) {
  if (batch.everyone.empty() && batch.personal.empty()) return;
  const std::string shared = encode_events(batch.everyone);
  if (!shared.empty()) {
    for (auto& [id, membership] : room.members) {
      const auto personal = batch.personal.find(id);
      send_batch(
          membership, shared,
          personal == batch.personal.end() ? std::string() : encode_events(personal->second));
    }
    return;
  }
  for (const auto& [id, events] : batch.personal)
    if (const auto found = room.members.find(id); found != room.members.end())
      send_batch(found->second, {}, encode_events(events));
}

void House::send_batch(Membership& membership, std::string_view shared, std::string_view personal) {
  if (membership.socket == nullptr || (shared.empty() && personal.empty())) return;
  base::Buffer message = frame_batch(++membership.revision, shared, personal);
  context_.metrics.count_message(message.size());
  membership.socket->send(std::move(message));
}

void House::send_removed(Membership& membership, const char* cause) {
  v1::RoomEvent event;
  event.mutable_removed()->set_cause(cause);
  send_batch(membership, {}, encode_events({&event, 1}));
  if (MemberSocket* socket = std::exchange(membership.socket, nullptr)) socket->close();
}

void House::end_room(const RoomRef& room, rooms::EndCause cause) {
  v1::RoomEvent event;
  event.mutable_room_ended()->set_cause(text_of(cause));
  const std::string shared = encode_events({&event, 1});
  for (auto& [id, membership] : room->members) {
    send_batch(membership, shared, {});
    forget(membership);
    if (MemberSocket* socket = std::exchange(membership.socket, nullptr)) socket->close();
  }
  room->members.clear();
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
    return encode_events(events);
  };
  const std::string for_members = events_for(View::kMember);
  const std::string for_moderators = events_for(View::kModerator);
  for (auto& [id, membership] : room->members) {
    const bool moderator = view_of(room->state.members.at(id)) == View::kModerator;
    send_batch(membership, moderator ? for_moderators : for_members, {});
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
