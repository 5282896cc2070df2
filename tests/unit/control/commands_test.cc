#include <gtest/gtest.h>

#include "control_fixture.h"

namespace alcove::control {
namespace {

class CommandsTest : public ControlTest {};

TEST_F(CommandsTest, ComingToTheStageOpensSendingAndMovingDownClosesIt) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  EXPECT_EQ(relay.last_about(guest.join_id), "silent");
  must(guest, raise_hand());
  to_stage(host, guest);
  EXPECT_EQ(relay.last_about(guest.join_id), "may send");
  EXPECT_EQ(move_down(host, guest), "");
  EXPECT_EQ(relay.last_about(guest.join_id), "silent");
}

TEST_F(CommandsTest, AModeratorsMuteIsEnforcedAtTheRelayUntilThePersonUnmutes) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  must(host, mute(guest.id(), true));
  EXPECT_EQ(relay.last_about(guest.join_id), "silent");
  EXPECT_EQ(reason(give(host, mute(guest.id(), false))), "room.unmute_others");
  must(guest, mute(0, false));
  EXPECT_EQ(relay.last_about(guest.join_id), "may send");
  // Push-to-talk: one's own mute costs no round trip.
  must(guest, mute(0, true));
  EXPECT_EQ(relay.last_about(guest.join_id), "may send");
}

TEST_F(CommandsTest, RefusalsHaveStatusCodeAndReason) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const base::HttpResponse response = give(guest, invite(host.id()));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(reason(response), "room.not_allowed");
  EXPECT_EQ(reason(give(guest, accept())), "room.not_invited");
  EXPECT_EQ(give(host, invite(999)).status, 404);
  EXPECT_EQ(give(host, v1::RoomCommand()).status, 400);
  EXPECT_EQ(give(host, command([](v1::RoomCommand& c) {
                   c.mutable_send_reaction()->set_reaction(static_cast<v1::Reaction>(99));
                 }))
                .status,
            400);
  v1::RoomCommand stolen = raise_hand();
  stolen.set_join_token("wrong");
  EXPECT_EQ(request(make("POST", "/v1/rooms/" + host.room_id + "/commands", &stolen)).status, 401);
}

TEST_F(CommandsTest, AJoinTokenIsGoodForItsRoomOnly) {
  Client& host = open_room("ada");
  Client& other = open_room("grace");
  v1::RoomCommand end = command([](v1::RoomCommand& c) { c.mutable_end_room(); });
  end.set_join_token(host.join_token);
  EXPECT_EQ(reason(request(make("POST", "/v1/rooms/" + other.room_id + "/commands", &end))),
            "join.invalid");
  base::HttpRequest members = make("GET", "/v1/rooms/" + other.room_id + "/members");
  members.join_token = host.join_token;
  EXPECT_EQ(request(members).status, 401);
}

TEST_F(CommandsTest, LeavingClosesEverything) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  must(guest, leave());
  EXPECT_EQ(relay.last_about(guest.join_id), "closed");
  EXPECT_TRUE(guest.peer->closed);
  EXPECT_FALSE(host.peer->closed);
  EXPECT_EQ(reason(give(guest, raise_hand())), "join.invalid");
}

TEST_F(CommandsTest, RemovedMeansClosedAndBlocked) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  guest.peer->take_events();
  EXPECT_EQ(remove(host, guest), "");
  const auto events = guest.peer->take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].removed().cause(), "removed");
  EXPECT_TRUE(guest.peer->closed);
  EXPECT_EQ(relay.last_about(guest.join_id), "closed");
  EXPECT_EQ(reason(try_join(host.room_id, guest.token)), "room.blocked");
}

TEST_F(CommandsTest, ALockedRoomTakesNobodyNew) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  EXPECT_EQ(set_locked(host, true), "");
  EXPECT_TRUE(guest.peer->take_events().back().room_changed().locked());
  EXPECT_EQ(reason(try_join(host.room_id, {}, "New")), "room.locked");
  EXPECT_TRUE(parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + host.room_id))).locked());
}

TEST_F(CommandsTest, EndingTellsEverybodyAndClosesTheRelaysRoom) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  must(host, command([](v1::RoomCommand& c) { c.mutable_end_room(); }));
  EXPECT_EQ(guest.peer->take_events().back().room_ended().cause(), "ended");
  EXPECT_TRUE(guest.peer->closed);
  EXPECT_TRUE(host.peer->closed);
  EXPECT_TRUE(relay.commands.back().has_close_room());
  EXPECT_EQ(request(make("GET", "/v1/rooms/" + host.room_id)).status, 404);
  EXPECT_NE(server->metrics().find("alcove_rooms 0\n"), std::string::npos);
}

TEST_F(CommandsTest, TheLastModeratorHandsOver) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  guest.peer->take_events();
  EXPECT_EQ(depart(host, host), "");
  EXPECT_TRUE(host.peer->closed);
  const auto events = guest.peer->take_events();
  bool moderator = false;
  for (const v1::RoomEvent& event : events)
    moderator = moderator || event.self_changed().self().role() == v1::ROLE_MODERATOR;
  EXPECT_TRUE(moderator);
  must(guest, command([](v1::RoomCommand& c) { c.mutable_end_room(); }));
}

TEST_F(CommandsTest, TheRosterIsPaged) {
  Client& host = open_room("ada");
  for (int i = 0; i < 149; ++i) join(host.room_id, {}, "G" + std::to_string(i));
  base::HttpRequest http = make("GET", "/v1/rooms/" + host.room_id + "/members");
  http.join_token = host.join_token;
  const auto first = parse<v1::ListMembersResponse>(request(http));
  EXPECT_EQ(first.members_size(), 100);
  http.query = "cursor=" + first.next_cursor();
  const auto second = parse<v1::ListMembersResponse>(request(http));
  EXPECT_EQ(second.members_size(), 50);
  EXPECT_TRUE(second.next_cursor().empty());
  EXPECT_GT(second.members(0).member_id(), first.members(99).member_id());
  for (const char* bad : {"cursor=x", "cursor=", "cursor=99999999999999", "page=2"}) {
    http.query = bad;
    EXPECT_EQ(request(http).status, 400) << bad;
  }
  http.join_token.clear();
  EXPECT_EQ(request(http).status, 401);
}

TEST_F(CommandsTest, ShuttingDownEndsRoomsAndRefusesRequests) {
  Client& host = open_room("ada");
  FakePeer silent;
  const auto handler = server->accept(silent, *base::IpAddress::parse("192.0.2.1"));
  relay.answers = false;
  const Pending pending = begin_join(host.room_id, {}, "Late");
  EXPECT_TRUE(server->ready());
  server->shut_down();
  EXPECT_FALSE(server->ready());
  EXPECT_EQ(host.peer->take_events().back().room_ended().cause(), "server");
  EXPECT_TRUE(host.peer->closed);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ((*pending)->status, 503);
  EXPECT_EQ(silent.messages.back().goodbye().reason().reason(), "server.shut_down");
  EXPECT_EQ(reason(request(make("GET", "/v1/config"))), "server.shut_down");
  EXPECT_EQ(server->accept(silent, *base::IpAddress::parse("192.0.2.1")), nullptr);
}

}  // namespace
}  // namespace alcove::control
