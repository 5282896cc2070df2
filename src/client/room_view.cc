#include "client/room_view.h"

#include <algorithm>
#include <charconv>

namespace alcove::client {

namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::uint32_t> parse_member_id(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == 0) return std::nullopt;
  return id;
}

}  // namespace

std::string_view role_name(v1::Role role) {
  switch (role) {
    case v1::ROLE_MODERATOR:
      return "moderator";
    case v1::ROLE_SPEAKER:
      return "speaker";
    default:
      return "listener";
  }
}

bool RoomView::on_stage() const {
  return (self().role() == v1::ROLE_SPEAKER || self().role() == v1::ROLE_MODERATOR) && seat() != 0;
}

std::uint8_t RoomView::seat() const {
  return self().seat() <= 255 ? static_cast<std::uint8_t>(self().seat()) : std::uint8_t{0};
}

bool RoomView::may(std::string_view command) const {
  return std::ranges::find(state_.allowed_commands(), command) != state_.allowed_commands().end();
}

const v1::Member* RoomView::stage_member_at(std::uint8_t seat) const {
  for (const v1::Member& member : state_.stage())
    if (member.seat() == seat) return &member;
  return nullptr;
}

const v1::Member* RoomView::stage_member(std::uint32_t member_id) const {
  for (const v1::Member& member : state_.stage())
    if (member.member_id() == member_id) return &member;
  return nullptr;
}

void RoomView::change_stage_member(const v1::Member& member) {
  for (v1::Member& one : *state_.mutable_stage()) {
    if (one.member_id() != member.member_id()) continue;
    one = member;
    return;
  }
  *state_.add_stage() = member;
}

void RoomView::remove_stage_member(std::uint32_t member_id) {
  auto& stage = *state_.mutable_stage();
  const auto gone = std::remove_if(stage.begin(), stage.end(), [&](const v1::Member& member) {
    return member.member_id() == member_id;
  });
  stage.erase(gone, stage.end());
}

void RoomView::apply(const v1::RoomEvent& event) {
  switch (event.event_case()) {
    case v1::RoomEvent::kStageMemberChanged:
      change_stage_member(event.stage_member_changed().member());
      break;
    case v1::RoomEvent::kStageMemberLeft:
      remove_stage_member(event.stage_member_left().member_id());
      break;
    case v1::RoomEvent::kAudienceChanged:
      state_.set_audience_count(event.audience_changed().audience_count());
      *state_.mutable_audience_sample() = event.audience_changed().audience_sample();
      break;
    case v1::RoomEvent::kSelfChanged:
      *state_.mutable_self() = event.self_changed().self();
      *state_.mutable_allowed_commands() = event.self_changed().allowed_commands();
      break;
    case v1::RoomEvent::kRaisedHandsChanged:
      state_.set_raised_hand_count(event.raised_hands_changed().raised_hand_count());
      *state_.mutable_raised_hands() = event.raised_hands_changed().raised_hands();
      break;
    case v1::RoomEvent::kRoomChanged:
      state_.set_title(event.room_changed().title());
      state_.set_locked(event.room_changed().locked());
      break;
    case v1::RoomEvent::kReactionsSent:
    case v1::RoomEvent::kRoomEnded:
    case v1::RoomEvent::kRemoved:
    case v1::RoomEvent::kMediaChanged:
    case v1::RoomEvent::EVENT_NOT_SET:
      break;
  }
}

std::optional<v1::Member> find_member(const google::protobuf::RepeatedPtrField<v1::Member>& members,
                                      std::string_view name_or_id) {
  if (const auto id = parse_member_id(name_or_id)) {
    for (const v1::Member& member : members)
      if (member.member_id() == *id) return member;
  }
  const v1::Member* found = nullptr;
  for (const v1::Member& member : members) {
    const bool meant =
        equal_without_case(member.display_name(), name_or_id) ||
        (!member.username().empty() && equal_without_case(member.username(), name_or_id));
    if (!meant) continue;
    if (found != nullptr) return std::nullopt;
    found = &member;
  }
  return found == nullptr ? std::nullopt : std::optional(*found);
}

}  // namespace alcove::client
