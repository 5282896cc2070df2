#include "control/views.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace alcove::control {
namespace {

constexpr std::size_t kMaxStageNames = 6;
constexpr int kMaxAudienceSample = 48;

constexpr std::array kKinds = {
    std::pair{rooms::RoomKind::kOpen, v1::ROOM_KIND_OPEN},
    std::pair{rooms::RoomKind::kSocial, v1::ROOM_KIND_SOCIAL},
    std::pair{rooms::RoomKind::kClosed, v1::ROOM_KIND_CLOSED},
};
constexpr std::array kRoles = {
    std::pair{rooms::Role::kListener, v1::ROLE_LISTENER},
    std::pair{rooms::Role::kSpeaker, v1::ROLE_SPEAKER},
    std::pair{rooms::Role::kModerator, v1::ROLE_MODERATOR},
};
constexpr std::array kReactions = {
    std::pair{rooms::Reaction::kClap, v1::REACTION_CLAP},
    std::pair{rooms::Reaction::kHeart, v1::REACTION_HEART},
    std::pair{rooms::Reaction::kLaugh, v1::REACTION_LAUGH},
    std::pair{rooms::Reaction::kWow, v1::REACTION_WOW},
    std::pair{rooms::Reaction::kThumbsUp, v1::REACTION_THUMBS_UP},
};

template <typename Pairs>
auto second_of(const Pairs& pairs, auto first) {
  for (const auto& pair : pairs)
    if (pair.first == first) return pair.second;
  base::check_failed("every value is in the schema", __FILE__, __LINE__);
}

template <typename Pairs>
auto first_of(const Pairs& pairs, auto second) -> std::optional<decltype(pairs[0].first)> {
  for (const auto& pair : pairs)
    if (pair.second == second) return pair.first;
  return std::nullopt;
}

// The listeners who have been inside the longest: it changes least.
void add_sample(const rooms::Room& room, View view,
                google::protobuf::RepeatedPtrField<v1::Member>& sample) {
  for (const auto& [id, member] : room.members) {
    if (member.on_stage() || !member.shown()) continue;
    if (sample.size() >= kMaxAudienceSample) return;
    *sample.Add() = to_proto(member, view);
  }
}

}  // namespace

View view_of(const rooms::Member& member) {
  return member.role == rooms::Role::kModerator ? View::kModerator : View::kMember;
}

v1::RoomKind to_proto(rooms::RoomKind kind) { return second_of(kKinds, kind); }
v1::Reaction to_proto(rooms::Reaction reaction) { return second_of(kReactions, reaction); }
std::optional<rooms::RoomKind> from_proto(v1::RoomKind kind) { return first_of(kKinds, kind); }
std::optional<rooms::Reaction> from_proto(v1::Reaction reaction) {
  return first_of(kReactions, reaction);
}

v1::Member to_proto(const rooms::Member& member, View view, bool own) {
  v1::Member out;
  out.set_member_id(number(member.id));
  out.set_display_name(member.person.display_name);
  out.set_username(member.person.username);
  out.set_role(second_of(kRoles, member.role));
  if (own || view == View::kModerator) {
    out.set_hand_raised(member.hand_raised);
    out.set_invited(member.invited);
  }
  out.set_muted(member.muted);
  out.set_seat(member.seat);
  out.set_guest(member.person.guest);
  out.set_connected(member.connected);
  out.set_leaf(std::string(base::as_text(member.leaf)));
  return out;
}

v1::RoomSummary summary_of(const LiveRoom& room) {
  v1::RoomSummary summary;
  summary.set_room_id(room.state.id.text());
  summary.set_title(room.state.title);
  summary.set_kind(to_proto(room.state.kind));
  summary.set_member_count(static_cast<std::uint32_t>(room.state.member_count()));
  for (const rooms::MemberId id : room.state.stage) {
    if (static_cast<std::size_t>(summary.stage_names_size()) >= kMaxStageNames) break;
    summary.add_stage_names(room.state.members.at(id).person.display_name);
  }
  summary.set_started_at_ms(room.started_at.time_since_epoch().count());
  summary.set_locked(room.state.locked);
  return summary;
}

v1::RoomState state_of(const LiveRoom& room, const Membership& membership) {
  const rooms::Room& state = room.state;
  const rooms::Member* self = state.find(membership.member);
  CHECK(self != nullptr);
  const View view = view_of(*self);
  v1::RoomState out;
  out.set_room_id(state.id.text());
  out.set_title(state.title);
  out.set_kind(to_proto(state.kind));
  out.set_locked(state.locked);
  for (const rooms::MemberId id : state.stage)
    *out.add_stage() = to_proto(state.members.at(id), view);
  out.set_audience_count(static_cast<std::uint32_t>(state.audience_count()));
  add_sample(state, view, *out.mutable_audience_sample());
  out.set_raised_hand_count(static_cast<std::uint32_t>(state.raised_hands.size()));
  if (view == View::kModerator)
    for (const rooms::MemberId id : state.raised_hands)
      *out.add_raised_hands() = to_proto(state.members.at(id), view);
  out.set_started_at_ms(room.started_at.time_since_epoch().count());
  *out.mutable_self() = to_proto(*self, view, true);
  out.set_revision(membership.revision);
  for (const std::string_view name : rooms::allowed_commands(state, self->id))
    out.add_allowed_commands(std::string(name));
  return out;
}

v1::RoomEvent audience_event(const rooms::Room& room, View view) {
  v1::RoomEvent event;
  v1::AudienceChanged& audience = *event.mutable_audience_changed();
  audience.set_audience_count(static_cast<std::uint32_t>(room.audience_count()));
  add_sample(room, view, *audience.mutable_audience_sample());
  return event;
}

v1::RoomEvent hands_event(const rooms::Room& room, View view) {
  v1::RoomEvent event;
  v1::RaisedHandsChanged& hands = *event.mutable_raised_hands_changed();
  hands.set_raised_hand_count(static_cast<std::uint32_t>(room.raised_hands.size()));
  if (view == View::kModerator)
    for (const rooms::MemberId id : room.raised_hands)
      *hands.add_raised_hands() = to_proto(room.members.at(id), view);
  return event;
}

v1::RoomEvent self_event(const rooms::Room& room, const rooms::Member& member) {
  v1::RoomEvent event;
  v1::SelfChanged& self = *event.mutable_self_changed();
  *self.mutable_self() = to_proto(member, view_of(member), true);
  for (const std::string_view name : rooms::allowed_commands(room, member.id))
    self.add_allowed_commands(std::string(name));
  return event;
}

v1::RoomEvent reactions_event(const std::map<rooms::Reaction, ReactionTally>& reactions) {
  v1::RoomEvent event;
  for (const auto& [reaction, tally] : reactions) {
    v1::ReactionsSent::One& one = *event.mutable_reactions_sent()->add_reactions();
    one.set_reaction(to_proto(reaction));
    one.set_count(tally.count);
    for (const rooms::MemberId id : tally.members) one.add_member_ids(number(id));
  }
  return event;
}

}  // namespace alcove::control
