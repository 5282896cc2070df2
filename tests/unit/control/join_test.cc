#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control_fixture.h"

namespace alcove::control {
namespace {

class JoinTest : public ControlTest {};

TEST_F(JoinTest, OneRequestJoins) {
  const std::string token = account("ada");
  const std::string room_id = start_room(token);
  const auto response = parse<v1::JoinRoomResponse>(try_join(room_id, token));
  EXPECT_EQ(response.sdp_answer(), "answer");
  EXPECT_EQ(base::from_base64url(response.join_token())->size(), 32U);
  EXPECT_FALSE(response.has_guest_session());
  const v1::OpenEndpoint open = relay.last_open();
  EXPECT_EQ(open.sdp_offer(), "offer");
  EXPECT_FALSE(open.may_send());
  EXPECT_TRUE(open.receive_later());
  EXPECT_EQ(open.join_id().size(), 16U);
  // The log lets it in.
  Client& host = join(room_id, token);
  EXPECT_FALSE(relay.receives(host.join_id));
  connect(host);
  EXPECT_EQ(host.room.room_id(), room_id);
  EXPECT_EQ(host.room.title(), "A quiet room");
  EXPECT_EQ(host.room.self().role(), v1::ROLE_MODERATOR);
  EXPECT_EQ(host.room.self().seat(), 1U);
  EXPECT_EQ(host.room.stage_size(), 1);
  EXPECT_TRUE(relay.receives(host.join_id));
  EXPECT_EQ(relay.last_about(host.join_id), "may send");
}

TEST_F(JoinTest, TheRelayLearnsNoIds) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  EXPECT_EQ(remove(host, guest), "");
  const std::string room_bytes(base::as_text(*base::from_base64url(host.room_id)));
  std::string said;
  for (const v1::RelayCommand& command : relay.commands) said += command.SerializeAsString();
  for (const std::string& secret :
       {host.room_id, room_bytes, std::string("ada"), std::string("Grace"), std::string("quiet"),
        host.token, host.join_token})
    EXPECT_EQ(said.find(secret), std::string::npos);
}

TEST_F(JoinTest, AGuestJoinsWithANameAndGetsASession) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "  Grace  ");
  EXPECT_EQ(guest.room.self().display_name(), "Grace");
  EXPECT_TRUE(guest.room.self().guest());
  EXPECT_EQ(guest.room.self().role(), v1::ROLE_LISTENER);
  EXPECT_EQ(relay.last_about(guest.join_id), "silent");
  const std::string token = guest.token;
  const auto me = parse<v1::MeResponse>(request(make("GET", "/v1/me", nullptr, token)));
  EXPECT_TRUE(me.account().guest());
  // The same guest again: replaces the first join.
  Client& again = join(host.room_id, token);
  connect(again);
  EXPECT_EQ(again.id(), guest.id());
}

TEST_F(JoinTest, BadJoinsAreRefusedWithReasons) {
  Client& host = open_room("ada");
  EXPECT_EQ(try_join(host.room_id, {}, "").status, 400);
  EXPECT_EQ(reason(try_join(base::RoomId::make(random).text(), {}, "Grace")), "room.not_found");
  EXPECT_EQ(reason(try_join("nonsense", {}, "Grace")), "room.not_found");
  EXPECT_EQ(reason(try_join(host.room_id, "wrong", "Grace")), "session.invalid");
  v1::JoinRoomRequest body;
  body.set_guest_name("Grace");
  EXPECT_EQ(request(make("POST", "/v1/rooms/" + host.room_id + "/join", &body)).status, 400);
  body.set_sdp_offer(std::string(40'000, 'v'));
  EXPECT_EQ(request(make("POST", "/v1/rooms/" + host.room_id + "/join", &body)).status, 400);
  EXPECT_EQ(
      parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + host.room_id))).member_count(), 1U);
}

TEST_F(JoinTest, GuestsCanBeForbidden) {
  ServerOptions options = generous();
  options.guests_allowed = false;
  restart(options);
  Client& host = open_room("ada");
  EXPECT_EQ(reason(try_join(host.room_id, {}, "Grace")), "account.required");
}

TEST_F(JoinTest, TheRelayRefuses) {
  Client& host = open_room("ada");
  relay.refuses = v1::EndpointRefused::REASON_BAD_OFFER;
  const auto bad = try_join(host.room_id, {}, "Grace");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(reason(bad), "sdp.bad_offer");
  relay.refuses = v1::EndpointRefused::REASON_FULL;
  EXPECT_EQ(try_join(host.room_id, {}, "Grace").status, 503);
  EXPECT_EQ(
      parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + host.room_id))).member_count(), 1U);
  EXPECT_NE(server->metrics().find("alcove_join_failures_total{reason=\"relay.full\"} 1"),
            std::string::npos);
}

TEST_F(JoinTest, AnOverloadedRelayIsARoomThatIsFullHere) {
  Client& host = open_room("ada");
  relay.refuses = v1::EndpointRefused::REASON_OVERLOADED;
  const auto refused = try_join(host.room_id, {}, "Grace");
  EXPECT_FALSE(relay.last_open().needed());
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(reason(refused), "relay.overloaded");
  v1::ErrorResponse body;
  ASSERT_TRUE(body.ParseFromString(refused.body));
  EXPECT_TRUE(body.message().starts_with("This room is full here")) << body.message();
  EXPECT_GT(body.retry_after_seconds(), 0U);
  EXPECT_EQ(body.elsewhere_size(), 0);  // there is one relay
  EXPECT_THAT(refused.headers, testing::Contains(std::pair<std::string, std::string>(
                                   "Retry-After", std::to_string(body.retry_after_seconds()))));
  EXPECT_NE(server->metrics().find("alcove_join_failures_total{reason=\"relay.overloaded\"} 1"),
            std::string::npos);
}

TEST_F(JoinTest, WhoIsInTheRoomOrItsHostIsNeeded) {
  Client& host = open_room("ada");
  EXPECT_TRUE(relay.last_open().needed());
  Client& listener = member(host.room_id, "Grace");
  EXPECT_FALSE(relay.last_open().needed());
  join(host.room_id, listener.token);
  EXPECT_TRUE(relay.last_open().needed());
  join(host.room_id, host.token);
  EXPECT_TRUE(relay.last_open().needed());
  join(host.room_id, {}, "Lin");
  EXPECT_FALSE(relay.last_open().needed());
}

TEST_F(JoinTest, ARelayThatDoesNotAnswerIsATimeout) {
  Client& host = open_room("ada");
  relay.answers = false;
  const Pending pending = begin_join(host.room_id, {}, "Grace");
  const std::string join_id = relay.last_open().join_id();
  advance(base::milliseconds(4900));
  EXPECT_FALSE(pending->has_value());
  advance(base::milliseconds(200));
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ((*pending)->status, 503);
  EXPECT_EQ(reason(**pending), "relay.timeout");
  EXPECT_EQ(relay.last_about(join_id), "closed");
  relay.answer(join_id);  // too late
  EXPECT_EQ(
      parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + host.room_id))).member_count(), 1U);
}

TEST_F(JoinTest, ARoomThatEndedMeanwhileClosesTheEndpoint) {
  Client& host = open_room("ada");
  relay.answers = false;
  const Pending pending = begin_join(host.room_id, {}, "Grace");
  const std::string join_id = relay.last_open().join_id();
  must(host, leave());
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ(reason(**pending), "room.ended");
  relay.answer(join_id);
  EXPECT_EQ(relay.last_about(join_id), "closed");
}

TEST_F(JoinTest, ASecondJoinReplacesTheFirst) {
  Client& host = open_room("ada");
  Client& first = member(host.room_id, "Grace");
  to_stage(host, first);
  const auto events_before = first.peer->take_events();
  host.peer->take_events();
  Client& second = join(host.room_id, first.token);
  connect(second);
  EXPECT_EQ(second.id(), first.id());
  EXPECT_EQ(second.room.self().role(), v1::ROLE_SPEAKER);
  EXPECT_EQ(second.room.self().seat(), 2U);
  EXPECT_EQ(relay.last_about(first.join_id), "closed");
  EXPECT_EQ(relay.last_about(second.join_id), "may send");
  const auto events = first.peer->take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].removed().cause(), "replaced");
  EXPECT_TRUE(first.peer->closed);
  // The first join's token is over.
  EXPECT_EQ(reason(give(first, raise_hand())), "join.invalid");
  // Nobody saw the member leave.
  EXPECT_EQ(count(host.peer->take_events(), v1::RoomEvent::kStageMemberLeft), 0U);
}

TEST_F(JoinTest, AMutedMemberStaysMutedAtTheRelayWhenJoiningAgain) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  must(host, mute(guest.id(), true));
  Client& again = join(host.room_id, guest.token);
  connect(again);
  EXPECT_EQ(again.room.self().role(), v1::ROLE_SPEAKER);
  EXPECT_EQ(relay.last_about(again.join_id), "silent");
}

TEST_F(JoinTest, RestartKeepsTheJoin) {
  Client& host = open_room("ada");
  v1::RestartRequest body;
  body.set_join_token(host.join_token);
  body.set_sdp_offer("new offer");
  const std::string path = "/v1/rooms/" + host.room_id + "/restart";
  EXPECT_EQ(parse<v1::RestartResponse>(request(make("POST", path, &body))).sdp_answer(), "answer");
  EXPECT_EQ(relay.commands.back().restart().join_id(), host.join_id);
  EXPECT_EQ(relay.commands.back().restart().sdp_offer(), "new offer");
  relay.refuses = v1::EndpointRefused::REASON_UNKNOWN;
  EXPECT_EQ(reason(request(make("POST", path, &body))), "join.media_gone");
  body.set_join_token("wrong");
  EXPECT_EQ(reason(request(make("POST", path, &body))), "join.invalid");
}

TEST_F(JoinTest, ALaterRestartTakesOverAndASilentRelayTimesOut) {
  Client& host = open_room("ada");
  relay.answers = false;
  v1::RestartRequest body;
  body.set_join_token(host.join_token);
  body.set_sdp_offer("new offer");
  const std::string path = "/v1/rooms/" + host.room_id + "/restart";
  const Pending first = begin(make("POST", path, &body));
  const Pending second = begin(make("POST", path, &body));
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ(reason(**first), "restart.replaced");
  advance(base::seconds(6));
  ASSERT_TRUE(second->has_value());
  EXPECT_EQ(reason(**second), "relay.timeout");
}

TEST_F(JoinTest, ASocialRoomAdmitsWhomAModeratorFollows) {
  Client& host = open_room("ada", v1::ROOM_KIND_SOCIAL);
  const std::string grace = account("grace");
  EXPECT_EQ(reason(try_join(host.room_id, grace)), "room.not_admitted");
  EXPECT_EQ(reason(try_join(host.room_id, {}, "Guest")), "room.not_admitted");
  const auto hallway = [&](const std::string& token) {
    return parse<v1::HallwayResponse>(request(make("GET", "/v1/hallway", nullptr, token)))
        .rooms_size();
  };
  EXPECT_EQ(hallway(grace), 0);
  EXPECT_EQ(request(make("PUT", "/v1/follows/grace", nullptr, host.token)).status, 200);
  EXPECT_EQ(hallway(grace), 1);
  EXPECT_EQ(hallway({}), 0);
  EXPECT_EQ(hallway(host.token), 1);
  join(host.room_id, grace);
}

TEST_F(JoinTest, AClosedRoomIsOnlyInTheHallwayOfThoseInside) {
  Client& host = open_room("ada", v1::ROOM_KIND_CLOSED);
  const std::string grace = account("grace");
  const auto hallway = [&](const std::string& token) {
    return parse<v1::HallwayResponse>(request(make("GET", "/v1/hallway", nullptr, token)))
        .rooms_size();
  };
  EXPECT_EQ(hallway({}), 0);
  EXPECT_EQ(hallway(grace), 0);
  EXPECT_EQ(hallway(host.token), 1);
  join(host.room_id, grace);
  EXPECT_EQ(hallway(grace), 1);
}

TEST_F(JoinTest, TheHallwayShowsOpenRoomsToEverybodyOnceTheHostIsIn) {
  const std::string token = account("ada");
  const std::string room_id = start_room(token);
  const auto hallway = [&] {
    return parse<v1::HallwayResponse>(request(make("GET", "/v1/hallway")));
  };
  EXPECT_EQ(hallway().rooms_size(), 0);
  connect(join(room_id, token));
  ASSERT_EQ(hallway().rooms_size(), 1);
  EXPECT_EQ(hallway().rooms(0).room_id(), room_id);
  EXPECT_EQ(hallway().rooms(0).stage_names(0), "ada");
  EXPECT_EQ(reason(request(make("GET", "/v1/hallway", nullptr, "wrong"))), "session.invalid");
}

TEST_F(JoinTest, ARoomThatItsHostNeverJoinsEnds) {
  const std::string token = account("ada");
  const std::string room_id = start_room(token);
  Client& early = member(room_id, "Early");
  EXPECT_EQ(early.peer->waiting(), v1::Waiting::REASON_NOBODY);
  advance(base::seconds(61));
  EXPECT_EQ(early.peer->messages.back().goodbye().reason().reason(), "room.ended");
  EXPECT_TRUE(early.peer->closed);
  EXPECT_EQ(request(make("GET", "/v1/rooms/" + room_id)).status, 404);
}

TEST_F(JoinTest, RoomsAndMembersAreBounded) {
  ServerOptions options = generous();
  options.max_rooms = 1;
  options.max_room_members = 2;
  restart(options);
  Client& host = open_room("ada");
  EXPECT_EQ(reason(try_start(host.token, genesis_of("ada", v1::ROOM_KIND_OPEN))), "server.full");
  member(host.room_id, "One");
  EXPECT_EQ(reason(try_join(host.room_id, {}, "Two")), "room.full");
}

TEST_F(JoinTest, GuestsCannotStartRooms) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const v1::SignedObject genesis = genesis_of("Grace", v1::ROOM_KIND_OPEN);
  EXPECT_EQ(reason(try_start(guest.token, genesis)), "account.required");
  EXPECT_EQ(try_start({}, genesis).status, 401);
  EXPECT_EQ(reason(try_start(host.token, v1::SignedObject())), "room.bad_genesis");
}

}  // namespace
}  // namespace alcove::control
