// A Member in its room: what others do, and what it does.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/member.h"

namespace alcove::client {

using base::Instant;
using base::Result;

namespace {

constexpr unsigned kMaxPages = 200;

bool on_stage(const v1::Member& member) {
  return member.role() == v1::ROLE_SPEAKER || member.role() == v1::ROLE_MODERATOR;
}

void set_member(v1::RoomCommand& command, std::uint32_t member_id) {
  switch (command.command_case()) {
    case v1::RoomCommand::kInviteToStage:
      return command.mutable_invite_to_stage()->set_member_id(member_id);
    case v1::RoomCommand::kSetMuted:
      return command.mutable_set_muted()->set_member_id(member_id);
    case v1::RoomCommand::kDismissHand:
      return command.mutable_dismiss_hand()->set_member_id(member_id);
    default:
      return;
  }
}

std::set<std::uint32_t> raised_hands(const RoomView& room) {
  std::set<std::uint32_t> ids;
  for (const v1::Member& member : room.state().raised_hands()) ids.insert(member.member_id());
  return ids;
}

// Cursors are the server's: what is not safe in a query goes as %XX.
std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

void Member::drain_channel(Instant now) {
  for (const ChannelEvent& event : channel_.take_events()) {
    if (phase_ == Phase::kFinished) return;
    std::visit([&](const auto& one) { handle_channel(now, one); }, event);
  }
  if (phase_ == Phase::kJoined) update_reconnecting(now);
}

void Member::handle_channel(Instant now, const ChannelConnected&) { keys_->handle_connected(now); }

void Member::handle_channel(Instant now, const ChannelLost&) {
  keys_->handle_disconnected(now);
  if (phase_ == Phase::kDeparting) send_leave(now);
}

void Member::handle_channel(Instant now, const v1::KeysFromServer& message) {
  keys_->handle_message(now, wall(now), message);
}

void Member::handle_channel(Instant now, const v1::Welcome& welcome) {
  if (phase_ == Phase::kWaiting) return enter_room(now, welcome.room());
  if (phase_ != Phase::kJoined) return;
  const v1::Member before = room_.self();
  const std::set<std::uint32_t> hands = raised_hands(room_);
  room_.set_state(welcome.room());
  report_self(before);
  report_hands(hands);
  act_by_itself(now);
  update_sending(now);
}

void Member::handle_channel(Instant now, const v1::EventBatch& batch) {
  if (phase_ != Phase::kJoined || room_.is_repetition(batch)) return;
  if (!room_.follows(batch)) return channel_.resync();
  room_.set_revision(batch.revision());
  for (const v1::RoomEvent& event : batch.events()) {
    handle_room_event(now, event);
    if (phase_ == Phase::kFinished) return;
  }
  act_by_itself(now);
  update_sending(now);
}

void Member::handle_channel(Instant now, const v1::Goodbye& goodbye) {
  const v1::ErrorResponse& reason = goodbye.reason();
  if (phase_ == Phase::kDeparting) return send_leave(now);
  // The join is no longer known: another one may be welcome.
  if (reason.code() == "unauthenticated" || reason.code() == "not_found") return rejoin(now);
  if (reason.code() == "permission_denied" || reason.code() == "already_exists" ||
      reason.code() == "failed_precondition")
    return finish(joined_once_ ? ExitStatus::kEnded : ExitStatus::kRefused, reason.message());
  // Too slow, or a server that goes down: the channel comes back by itself.
}

void Member::handle_room_event(Instant now, const v1::RoomEvent& event) {
  const v1::Member before = room_.self();
  const std::set<std::uint32_t> hands = raised_hands(room_);
  if (event.has_stage_member_left()) {
    const v1::Member* member = room_.stage_member(event.stage_member_left().member_id());
    if (member != nullptr) report_stage_member(*member, false);
  }
  room_.apply(event);
  switch (event.event_case()) {
    case v1::RoomEvent::kStageMemberChanged:
      report_stage_member(event.stage_member_changed().member(), true);
      break;
    case v1::RoomEvent::kSelfChanged:
      report_self(before);
      break;
    case v1::RoomEvent::kRaisedHandsChanged:
      report_hands(hands);
      break;
    case v1::RoomEvent::kRoomChanged:
      report("room", {{"title", room_.state().title()}, {"locked", room_.state().locked()}},
             room_.state().locked() ? "The room is locked." : "");
      break;
    case v1::RoomEvent::kReactionsSent:
      for (const v1::ReactionsSent::One& one : event.reactions_sent().reactions()) {
        report(
            "reaction",
            {{"reaction", v1::Reaction_Name(one.reaction())}, {"count", std::int64_t{one.count()}}},
            "");
      }
      break;
    case v1::RoomEvent::kRoomEnded:
      report("ended", {{"cause", event.room_ended().cause()}}, "");
      finish(ExitStatus::kEnded, event.room_ended().cause() == "server"
                                     ? "The room ended: the server is shutting down."
                                     : "The room has ended.");
      break;
    case v1::RoomEvent::kRemoved:
      handle_removed(now, event.removed());
      break;
    case v1::RoomEvent::kMediaChanged:
      relay_saw_us_ =
          relay_saw_us_ || event.media_changed().state() == v1::MediaChanged::STATE_CHECKED;
      break;
    default:
      break;
  }
}

void Member::handle_removed(Instant now, const v1::Removed& removed) {
  if (removed.cause() == "gone") return rejoin(now);
  report("removed", {{"cause", removed.cause()}}, "");
  finish(ExitStatus::kEnded, removed.cause() == "replaced"
                                 ? "You have joined from somewhere else: this connection is closed."
                                 : "A moderator removed you from the room.");
}

void Member::report_self(const v1::Member& before) {
  const v1::Member& self = room_.self();
  if (on_stage(before) != on_stage(self)) {
    report("moved",
           {{"to", std::string(on_stage(self) ? "stage" : "audience")},
            {"role", std::string(role_name(self.role()))},
            {"seat", std::int64_t{self.seat()}}},
           on_stage(self) ? "You are on the stage." : "You are in the audience.");
  } else if (before.role() != self.role()) {
    report("role", {{"role", std::string(role_name(self.role()))}},
           fmt::format("You are {} now.", role_name(self.role())));
  }
  if (before.muted() != self.muted()) {
    report("muted", {{"muted", self.muted()}},
           self.muted() ? "You are muted." : "You are not muted.");
  }
  if (before.hand_raised() != self.hand_raised()) {
    report("hand",
           {{"member_id", std::int64_t{self.member_id()}},
            {"name", self.display_name()},
            {"raised", self.hand_raised()},
            {"self", true}},
           self.hand_raised() ? "Your hand is up." : "Your hand is down.");
  }
  if (!before.invited() && self.invited()) {
    report("invited", {},
           options_.accept_invitations ? "You are invited to the stage."
                                       : "You are invited to the stage: accept or decline.");
  }
}

void Member::report_stage_member(const v1::Member& member, bool present) {
  report("stage",
         {{"member_id", std::int64_t{member.member_id()}},
          {"name", name_of(member)},
          {"seat", std::int64_t{member.seat()}},
          {"role", std::string(role_name(member.role()))},
          {"muted", member.muted()},
          {"connected", member.connected()},
          {"present", present}},
         "");
}

void Member::report_hands(const std::set<std::uint32_t>& before) {
  const std::set<std::uint32_t> now = raised_hands(room_);
  for (const v1::Member& member : room_.state().raised_hands()) {
    if (before.contains(member.member_id())) continue;
    report("hand",
           {{"member_id", std::int64_t{member.member_id()}},
            {"name", name_of(member)},
            {"raised", true},
            {"self", false}},
           fmt::format("{} raises a hand (invite #{}).", name_of(member), member.member_id()));
  }
  for (const std::uint32_t id : before) {
    if (now.contains(id)) continue;
    report("hand", {{"member_id", std::int64_t{id}}, {"raised", false}, {"self", false}}, "");
  }
}

// What the options ask for without a person at the keyboard.
void Member::act_by_itself(Instant now) {
  if (phase_ != Phase::kJoined) return;
  const v1::Member& self = room_.self();
  if (options_.raise_hand && !raised_hand_ && self.role() == v1::ROLE_LISTENER) {
    raised_hand_ = true;
    v1::RoomCommand command;
    command.mutable_raise_hand();
    send_command(now, "raise", std::move(command));
  }
  if (options_.accept_invitations && self.invited() && !accepting_) {
    v1::RoomCommand command;
    command.mutable_accept_invitation();
    send_command(now, "accept", std::move(command));
  }
  accepting_ = self.invited();
  if (!options_.invite_all || !room_.is_moderator()) return;
  const std::set<std::uint32_t> hands = raised_hands(room_);
  std::erase_if(inviting_, [&](std::uint32_t id) { return !hands.contains(id); });
  for (const v1::Member& member : room_.state().raised_hands()) {
    if (member.invited() || !inviting_.insert(member.member_id()).second) continue;
    invite(now, "invite", member);
  }
}

void Member::send_command(Instant now, std::string verb, v1::RoomCommand command) {
  // One's own mute is in force at once, whatever becomes of the command.
  const bool own_mute =
      command.has_set_muted() && (command.set_muted().member_id() == 0 ||
                                  command.set_muted().member_id() == room_.self().member_id());
  if (own_mute) {
    muted_here_ = command.set_muted().muted();
    update_sending(now);
  }
  command.set_join_token(join_token_);
  std::string body = command.SerializeAsString();
  call({Ask::kCommand, std::move(verb)}, "POST", "/v1/rooms/" + room_id_ + "/commands",
       std::move(body));
}

void Member::command_on_member(Instant now, Pending pending) {
  const v1::RoomState& state = room_.state();
  for (const auto* members : {&state.raised_hands(), &state.stage(), &state.audience_sample()}) {
    const std::optional<v1::Member> member = find_member(*members, pending.target);
    if (member) return act_on_member(now, std::move(pending), *member);
  }
  request_members(std::move(pending), "");
}

void Member::act_on_member(Instant now, Pending pending, const v1::Member& member) {
  // The server says who has which place in the log: not to be believed against the log.
  const roomlog::Certificate* certificate = certificate_of(member);
  if (certificate != nullptr && certificate->display_name != member.display_name())
    return report_error(pending.verb, {0, "failed_precondition", "",
                                       "The server calls this person by another name than the "
                                       "room's log: nothing was done.",
                                       0});
  if (pending.log != LogCommand::kNone) {
    roomlog::Hash leaf{};
    if (member.leaf().size() == leaf.size())
      std::ranges::copy(base::as_bytes(member.leaf()), leaf.begin());
    return write_log(now, pending.verb, pending.log, leaf);
  }
  if (pending.command.has_invite_to_stage()) return invite(now, std::move(pending.verb), member);
  set_member(pending.command, member.member_id());
  send_command(now, std::move(pending.verb), std::move(pending.command));
}

// The seat is given when the person accepts: by this client, and to this leaf alone.
void Member::invite(Instant now, std::string verb, const v1::Member& member) {
  if (const roomlog::Certificate* certificate = certificate_of(member))
    keys_->allow_stage(certificate->leaf_hash);
  v1::RoomCommand command;
  command.mutable_invite_to_stage()->set_member_id(member.member_id());
  send_command(now, std::move(verb), std::move(command));
}

void Member::request_members(Pending pending, std::string_view cursor) {
  ++pending.pages;
  std::string target = "/v1/rooms/" + room_id_ + "/members";
  if (!cursor.empty()) target += "?cursor=" + percent_encode(cursor);
  call(std::move(pending), "GET", std::move(target), "");
}

void Member::handle_members(Instant now, Pending pending, const Result<HttpAnswer>& answer) {
  const auto page = parse_answer<v1::ListMembersResponse>(answer);
  if (!page) return report_error(pending.verb, page.error());
  if (phase_ != Phase::kJoined) return;
  if (pending.ask == Ask::kListMembers) {
    for (const v1::Member& member : page->members()) report_member(member);
  } else if (const auto member = find_member(page->members(), pending.target)) {
    return act_on_member(now, std::move(pending), *member);
  }
  if (!page->next_cursor().empty() && pending.pages < kMaxPages)
    return request_members(std::move(pending), page->next_cursor());
  if (pending.ask == Ask::kFindMember) {
    report_error(
        pending.verb,
        {0, "not_found", "",
         fmt::format("Nobody, or more than one, is called \"{}\": members lists everybody.",
                     pending.target),
         0});
  }
}

void Member::report_member(const v1::Member& member) {
  std::string text =
      fmt::format("#{} {} ({}", member.member_id(), name_of(member), role_name(member.role()));
  if (member.muted()) text += ", muted";
  if (member.hand_raised()) text += ", hand up";
  if (member.invited()) text += ", invited";
  if (member.guest()) text += ", guest";
  if (!member.connected()) text += ", away";
  report("member",
         {{"member_id", std::int64_t{member.member_id()}},
          {"name", name_of(member)},
          {"username", member.username()},
          {"role", std::string(role_name(member.role()))},
          {"seat", std::int64_t{member.seat()}},
          {"muted", member.muted()},
          {"hand_raised", member.hand_raised()},
          {"invited", member.invited()},
          {"guest", member.guest()},
          {"connected", member.connected()}},
         text + ")");
}

void Member::list_hands() {
  for (const v1::Member& member : room_.state().raised_hands()) report_member(member);
  report("hands", {{"count", std::int64_t{room_.state().raised_hand_count()}}},
         fmt::format("{} raised.", room_.state().raised_hand_count()));
}

}  // namespace alcove::client
