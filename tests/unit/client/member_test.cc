// A member's visit, from the first request to the exit status.

#include "client/member.h"

#include "unit/client/fake_house.h"

namespace alcove::client {
namespace {

using base::milliseconds;
using base::seconds;
using rtc::PeerState;

class MemberTest : public test::FakeHouse {};

TEST_F(MemberTest, AGuestJoinsAndLeaves) {
  begin();
  EXPECT_EQ(calls.front().method, "GET");
  answer_config();
  const auto request = body_of<v1::JoinRoomRequest>(calls.front());
  EXPECT_EQ(request.guest_name(), "Nils");
  EXPECT_EQ(request.sdp_offer(), "offer");
  EXPECT_EQ(calls.front().authorization, "");
  EXPECT_EQ(peer->options.slots, 4U);
  answer_join();
  open_socket();
  advance(milliseconds(120));
  peer_changes(PeerState::kConnected);
  ASSERT_EQ(events_named("joined").size(), 1U);
  EXPECT_EQ(field<std::string>(events_named("joined")[0], "title"), "Talk");
  EXPECT_EQ(field<std::int64_t>(events_named("connected").at(0), "ms"), 120);
  EXPECT_FALSE(member->outcome());

  member->leave(now);
  pump();
  const HttpCall leave = take_call(room_path("/commands"));
  EXPECT_TRUE(body_of<v1::RoomCommand>(leave).has_leave());
  EXPECT_EQ(body_of<v1::RoomCommand>(leave).join_token(), "join-token");
  EXPECT_EQ(leave.authorization, "Bearer guest-token");
  answer(leave, v1::RoomCommandResponse());
  EXPECT_EQ(status(), ExitStatus::kOk);
  EXPECT_EQ(events.back().name, "left");
  EXPECT_EQ(member->next_deadline(), base::kNever);
}

TEST_F(MemberTest, LeavingDoesNotWaitForAServerThatIsGone) {
  join_and_connect();
  member->leave(now);
  pump();
  advance(Member::kLeaveTimeout);
  EXPECT_EQ(status(), ExitStatus::kOk);
}

TEST_F(MemberTest, AnAccountLogsInStartsARoomAndJoinsIt) {
  options.room.reset();
  options.title = "Talk";
  options.kind = v1::ROOM_KIND_CLOSED;
  options.username = "hanna";
  options.password = "correct horse";
  begin();
  answer_config();
  const HttpCall log_in = take_call("/v1/sessions");
  EXPECT_EQ(body_of<v1::LogInRequest>(log_in).password(), "correct horse");
  v1::SessionResponse session;
  session.set_token("token");
  session.mutable_account()->set_account_id("account-7");
  session.mutable_account()->set_display_name("Hanna H.");
  answer(log_in, session);
  const HttpCall start = take_call("/v1/rooms");
  EXPECT_EQ(start.authorization, "Bearer token");
  EXPECT_EQ(body_of<v1::StartRoomRequest>(start).title(), "Talk");
  const auto genesis = roomlog::parse_genesis(body_of<v1::StartRoomRequest>(start).genesis());
  ASSERT_TRUE(genesis);
  EXPECT_EQ(genesis->body.kind(), v1::ROOM_KIND_CLOSED);
  EXPECT_EQ(genesis->body.packet_bucket(), 160U);
  house.restart(*genesis);
  const std::string id = base::to_base64url(base::as_bytes(genesis->body.room_id()));
  state.set_room_id(id);
  v1::StartRoomResponse started;
  started.mutable_room()->set_room_id(id);
  started.set_link_path("/r/" + id);
  answer(start, started);
  const std::string link = field<std::string>(events_named("started").at(0), "link");
  const std::string path = "http://localhost:8080/r/" + id + "#";
  ASSERT_TRUE(link.starts_with(path));
  const auto fragment = roomlog::parse_link_fragment(link.substr(path.size()));
  ASSERT_TRUE(fragment);
  EXPECT_EQ(fragment->fingerprint, genesis->fingerprint);
  EXPECT_TRUE(field<bool>(events_named("room_code").at(0), "compared"));
  const auto request = body_of<v1::JoinRoomRequest>(calls.front());
  EXPECT_EQ(request.guest_name(), "");
  const auto certificate =
      roomlog::parse_certificate(genesis->fingerprint, request.keys().certificate());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->account, "account-7");
  EXPECT_EQ(certificate->display_name, "Hanna H.");
  EXPECT_EQ(certificate->identity, genesis->host);
  answer_join();
  open_socket();
  EXPECT_EQ(events_named("joined").size(), 1U);
  EXPECT_EQ(field<std::string>(events_named("waiting").at(0), "reason"), "resume");
  EXPECT_EQ(house.state.stage().size(), 1U);
  EXPECT_EQ(field<std::string>(events_named("joined")[0], "name"), "Hanna H.");
}

TEST_F(MemberTest, AServerThatStartsAnotherRoomIsNotFollowed) {
  options.room.reset();
  options.title = "Talk";
  options.username = "hanna";
  begin();
  answer_config();
  answer(take_call("/v1/sessions"), v1::SessionResponse());
  v1::StartRoomResponse started;
  started.mutable_room()->set_room_id(state.room_id());
  answer(take_call("/v1/rooms"), started);
  EXPECT_EQ(status(), ExitStatus::kNetwork);
}

TEST_F(MemberTest, RefusalsAndAbsencesHaveTheirStatus) {
  begin();
  fail(take_call("/v1/config"));
  EXPECT_EQ(status(), ExitStatus::kNetwork);
  EXPECT_EQ(member->outcome()->message, "connection refused");

  begin();
  answer_config();
  refuse(take_call(room_path("/join")), 404, "not_found", "There is no such room.");
  EXPECT_EQ(status(), ExitStatus::kRefused);
  EXPECT_EQ(member->outcome()->message, "There is no such room.");

  options.username = "hanna";
  begin();
  answer_config();
  refuse(take_call("/v1/sessions"), 401, "unauthenticated", "Wrong password.");
  EXPECT_EQ(status(), ExitStatus::kRefused);
}

TEST_F(MemberTest, AConfigurationThatCannotBeIsRefused) {
  begin();
  v1::ServerConfig config;
  config.set_slots(100'000);
  config.set_packet_bucket(160);
  answer(take_call("/v1/config"), config);
  EXPECT_EQ(status(), ExitStatus::kNetwork);
}

TEST_F(MemberTest, ARateLimitAtTheJoinIsWaitedFor) {
  begin();
  answer_config();
  refuse(take_call(room_path("/join")), 429, "resource_exhausted", "Too many.", 3);
  EXPECT_FALSE(member->outcome());
  advance(milliseconds(2900));
  EXPECT_TRUE(calls.empty());
  advance(milliseconds(200));
  answer_join();
  open_socket();
  EXPECT_EQ(events_named("joined").size(), 1U);
}

TEST_F(MemberTest, StaysForItsTime) {
  options.stay = seconds(30);
  join_and_connect();
  advance(seconds(29));
  EXPECT_TRUE(calls.empty());
  advance(seconds(1));
  answer(take_call(room_path("/commands")), v1::RoomCommandResponse());
  EXPECT_EQ(status(), ExitStatus::kOk);
}

TEST_F(MemberTest, NoMediaIsNamedAfterFiveSecondsAndEndsTheVisit) {
  begin();
  answer_config();
  answer_join();
  open_socket();
  advance(Member::kNoMediaNotice);
  ASSERT_EQ(events_named("no_media").size(), 1U);
  EXPECT_EQ(field<std::string>(events_named("no_media")[0], "failed"), "udp_and_tcp");
  EXPECT_NE(field<std::string>(events_named("no_media")[0], "message").find("7878"),
            std::string::npos);
  advance(Member::kNoMediaEnd);
  EXPECT_EQ(status(), ExitStatus::kMediaFailed);
}

TEST_F(MemberTest, ShortStaysWithoutSoundFailToo) {
  options.stay = seconds(3);
  begin();
  answer_config();
  answer_join();
  advance(seconds(3));
  const HttpCall leave = take_call(room_path("/commands"));
  EXPECT_TRUE(body_of<v1::RoomCommand>(leave).has_leave());
  answer(leave, v1::RoomCommandResponse());
  EXPECT_EQ(status(), ExitStatus::kMediaFailed);
}

TEST_F(MemberTest, AFailedPeerSaysWhatFailed) {
  options.media.use_tcp = false;
  begin();
  answer_config();
  answer_join();
  peer_changes(PeerState::kFailed, rtc::PeerFailure::kNoPath);
  EXPECT_EQ(status(), ExitStatus::kMediaFailed);
  EXPECT_NE(member->outcome()->message.find("UDP port 7878"), std::string::npos);

  begin();
  answer_config();
  answer_join();
  peer_changes(PeerState::kFailed, rtc::PeerFailure::kDtls);
  EXPECT_NE(member->outcome()->message.find("DTLS"), std::string::npos);
}

TEST_F(MemberTest, TheEndOfTheRoomAndARemovalAreStatusFive) {
  join_and_connect();
  v1::RoomEvent ended;
  ended.mutable_room_ended()->set_cause("ended");
  receive_event(ended);
  EXPECT_EQ(status(), ExitStatus::kEnded);
  EXPECT_EQ(events_named("ended").size(), 1U);

  calls.clear();
  join_and_connect();
  v1::RoomEvent removed;
  removed.mutable_removed()->set_cause("removed");
  receive_event(removed);
  EXPECT_EQ(status(), ExitStatus::kEnded);
  EXPECT_EQ(events_named("removed").size(), 1U);
}

TEST_F(MemberTest, StatisticsComeEveryFiveSeconds) {
  join_and_connect();
  advance(seconds(11));
  ASSERT_EQ(events_named("media").size(), 2U);
  EXPECT_EQ(field<std::int64_t>(events_named("media")[0], "received"), 0);
  EXPECT_EQ(field<std::string>(events_named("media")[0], "path"), "udp");
}

TEST_F(MemberTest, RaisesAHandAndAcceptsByItself) {
  options.raise_hand = true;
  options.accept_invitations = true;
  begin();
  answer_config();
  answer_join();
  open_socket();
  EXPECT_TRUE(body_of<v1::RoomCommand>(take_call(room_path("/commands"))).has_raise_hand());
  EXPECT_TRUE(calls.empty());
  state.mutable_self()->set_invited(true);
  v1::RoomEvent invited;
  *invited.mutable_self_changed()->mutable_self() = state.self();
  receive_event(invited);
  EXPECT_EQ(events_named("invited").size(), 1U);
  EXPECT_TRUE(body_of<v1::RoomCommand>(take_call(room_path("/commands"))).has_accept_invitation());
  receive_event(invited);
  EXPECT_TRUE(calls.empty());
}

TEST_F(MemberTest, AModeratorInvitesEveryHandOnce) {
  options.invite_all = true;
  join_and_connect();
  change_role(v1::ROLE_MODERATOR);
  v1::RoomEvent hands;
  v1::Member* hand = hands.mutable_raised_hands_changed()->add_raised_hands();
  hand->set_member_id(9);
  hand->set_display_name("Gail");
  hands.mutable_raised_hands_changed()->set_raised_hand_count(1);
  receive_event(hands);
  EXPECT_EQ(field<std::string>(events_named("hand").at(0), "name"), "Gail");
  EXPECT_EQ(
      body_of<v1::RoomCommand>(take_call(room_path("/commands"))).invite_to_stage().member_id(),
      9U);
  receive_event(hands);
  EXPECT_TRUE(calls.empty());
}

TEST_F(MemberTest, TypedCommandsFindWhomTheyMean) {
  join_and_connect();
  member->handle_line(now, "mute hanna");
  pump();
  const HttpCall mute = take_call(room_path("/commands"));
  EXPECT_EQ(body_of<v1::RoomCommand>(mute).set_muted().member_id(), 1U);
  refuse(mute, 403, "permission_denied", "Not allowed.");
  EXPECT_EQ(field<std::string>(events_named("error").at(0), "command"), "mute");
  EXPECT_FALSE(field<bool>(events_named("error")[0], "fatal"));

  member->handle_line(now, "invite Zora");
  pump();
  HttpCall page = take_call(room_path("/members"));
  EXPECT_EQ(page.join_token, "join-token");
  v1::ListMembersResponse members;
  members.set_next_cursor("a/b");
  answer(page, members);
  page = take_call(room_path("/members?cursor=a%2Fb"));
  members.clear_next_cursor();
  members.add_members()->set_member_id(77);
  members.mutable_members(0)->set_display_name("Zora");
  answer(page, members);
  EXPECT_EQ(
      body_of<v1::RoomCommand>(take_call(room_path("/commands"))).invite_to_stage().member_id(),
      77U);

  member->handle_line(now, "remove Nobody");
  pump();
  answer(take_call(room_path("/members")), v1::ListMembersResponse());
  EXPECT_EQ(events_named("error").size(), 2U);
  member->handle_line(now, "dance");
  member->handle_line(now, "   ");
  pump();
  EXPECT_EQ(events_named("error").size(), 3U);
  EXPECT_FALSE(member->outcome());
}

}  // namespace
}  // namespace alcove::client
