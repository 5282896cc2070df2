// Connections that go and come back, and sessions that are revoked.

#include <gtest/gtest.h>

#include "control_fixture.h"

namespace alcove::control {
namespace {

class PresenceTest : public ControlTest {
 protected:
  std::uint32_t members(const std::string& room_id) {
    return parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + room_id))).member_count();
  }
};

TEST_F(PresenceTest, AMemberWithoutAWebSocketGoesAfterTheGrace) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  host.peer->take_events();
  disconnect(guest);
  auto events = host.peer->take_events();
  ASSERT_EQ(count(events, v1::RoomEvent::kStageMemberChanged), 1U);
  EXPECT_FALSE(events[0].stage_member_changed().member().connected());
  advance(base::milliseconds(14'900));
  EXPECT_EQ(members(host.room_id), 2U);
  advance(base::milliseconds(200));
  EXPECT_EQ(members(host.room_id), 1U);
  EXPECT_EQ(relay.last_about(guest.join_id), "closed");
  EXPECT_EQ(count(host.peer->take_events(), v1::RoomEvent::kStageMemberLeft), 1U);
}

TEST_F(PresenceTest, ComingBackInTimeKeepsThePlace) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  disconnect(guest);
  advance(base::seconds(10));
  host.peer->take_events();
  connect(guest);
  const v1::RoomState& room = guest.peer->messages.at(0).welcome().room();
  EXPECT_EQ(room.self().role(), v1::ROLE_SPEAKER);
  EXPECT_EQ(room.self().member_id(), guest.id());
  EXPECT_TRUE(host.peer->take_events().at(0).stage_member_changed().member().connected());
  advance(base::seconds(60));
  EXPECT_EQ(members(host.room_id), 2U);
}

TEST_F(PresenceTest, NobodyIsDepartedByOthersWithinTheGrace) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  disconnect(speaker);
  EXPECT_EQ(depart(host, speaker), "room.grace_not_over");
  // It reloads, and has its seat.
  Client& again = join(host.room_id, speaker.token);
  connect(again);
  EXPECT_EQ(again.room.self().role(), v1::ROLE_SPEAKER);
  EXPECT_EQ(again.room.self().seat(), 2U);
  disconnect(again);
  keeping = false;
  advance(base::milliseconds(15'100));
  EXPECT_EQ(depart(host, again), "") << "the grace is over";
}

TEST_F(PresenceTest, AMemberWithoutMediaGoesAfterTheGrace) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  relay.report(guest.join_id, v1::EndpointStateChanged::STATE_GONE);
  advance(base::seconds(16));
  EXPECT_EQ(members(host.room_id), 1U);
  EXPECT_EQ(guest.peer->take_events().back().removed().cause(), "gone");
  EXPECT_TRUE(guest.peer->closed);
}

TEST_F(PresenceTest, JoiningAgainAfterMediaIsGoneKeepsThePlace) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  relay.report(guest.join_id, v1::EndpointStateChanged::STATE_GONE);
  advance(base::seconds(5));
  Client& again = join(host.room_id, guest.token);
  connect(again);
  EXPECT_EQ(again.room.self().role(), v1::ROLE_SPEAKER);
  EXPECT_TRUE(again.room.self().connected());
  // What the relay still says about the old endpoint concerns nobody.
  relay.report(guest.join_id, v1::EndpointStateChanged::STATE_GONE);
  advance(base::seconds(60));
  EXPECT_EQ(members(host.room_id), 2U);
}

TEST_F(PresenceTest, AJoinWhoseWebSocketNeverComesGoes) {
  Client& host = open_room("ada");
  join(host.room_id, {}, "Grace");
  advance(base::milliseconds(4900));
  EXPECT_EQ(members(host.room_id), 2U);
  advance(base::milliseconds(15'200));
  EXPECT_EQ(members(host.room_id), 1U);
}

TEST_F(PresenceTest, ADisconnectedLastModeratorHandsOverAfterTheGrace) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  disconnect(host);
  advance(base::seconds(14));
  EXPECT_EQ(move_down(guest, host), "log.invalid");
  // A moderator is only taken out when it has said nothing for 30 s.
  advance(base::seconds(10));
  EXPECT_EQ(reason(give(guest, command([](v1::RoomCommand& c) { c.mutable_end_room(); }))),
            "room.not_allowed");
  advance(base::seconds(10));
  must(guest, command([](v1::RoomCommand& c) { c.mutable_end_room(); }));
}

TEST_F(PresenceTest, ADisconnectedHostAloneEndsTheRoom) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  disconnect(host);
  advance(base::seconds(16));
  EXPECT_EQ(guest.peer->take_events().back().room_ended().cause(), "empty");
}

TEST_F(PresenceTest, RevokingASessionCutsItsJoins) {
  Client& host = open_room("ada");
  const std::string grace = account("grace");
  Client& guest = join(host.room_id, grace);
  connect(guest);
  const std::string other_room = open_room("edsger").room_id;
  relay.answers = false;
  const Pending pending = begin_join(other_room, grace);
  relay.answers = true;
  EXPECT_EQ(request(make("DELETE", "/v1/sessions/current", nullptr, grace)).status, 200);
  EXPECT_EQ(guest.peer->messages.back().goodbye().reason().reason(), "session.revoked");
  EXPECT_TRUE(guest.peer->closed);
  EXPECT_EQ(relay.last_about(guest.join_id), "closed");
  EXPECT_EQ(members(host.room_id), 1U);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ(reason(**pending), "session.revoked");
  EXPECT_EQ(reason(try_join(host.room_id, grace)), "session.invalid");
}

TEST_F(PresenceTest, AGuestWhoLogsOutLeaves) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  EXPECT_EQ(request(make("DELETE", "/v1/sessions/current", nullptr, guest.token)).status, 200);
  EXPECT_EQ(members(host.room_id), 1U);
  EXPECT_EQ(request(make("GET", "/v1/me", nullptr, guest.token)).status, 401);
}

TEST_F(PresenceTest, SocketsMayOutliveTheServer) {
  Client& host = open_room("ada");
  auto handler = std::move(host.handler);
  auto peer = std::move(host.peer);
  server.reset();
  const std::string bytes = "x";
  handler->on_message(base::as_bytes(bytes));
  handler->on_closed();
}

}  // namespace
}  // namespace alcove::control
