// When a member sends, what it hears, and how it comes back.

#include "unit/client/fake_house.h"

namespace alcove::client {
namespace {

using base::milliseconds;
using base::seconds;
using rtc::PeerState;

class MemberMediaTest : public test::FakeHouse {
 protected:
  void speak_on_stage() {
    source = &tone_;
    join_and_connect();
    change_role(v1::ROLE_SPEAKER);
  }
  // Whose voice Hanna hears in it; 0: of nobody.
  int seat_of(const test::SentFrame& frame) {
    const auto opened = hanna.keys->frames().open(frame.payload);
    return opened ? opened->seat : 0;
  }
  std::size_t frames_in(base::Duration duration) {
    const std::size_t before = peer->sent.size();
    advance(duration);
    return peer->sent.size() - before;
  }

  test::ToneSource tone_;
  test::MemorySink memory_;
};

TEST_F(MemberMediaTest, ASpeakerSendsAFrameEvery20MillisecondsAtConstantSize) {
  speak_on_stage();
  EXPECT_NEAR(static_cast<double>(frames_in(seconds(2))), 100, 1);
  EXPECT_TRUE(peer->sent.front().marker);
  for (std::size_t i = 0; i < peer->sent.size(); ++i) {
    const test::SentFrame& frame = peer->sent[i];
    ASSERT_EQ(frame.payload.size(), 160U);
    EXPECT_EQ(seat_of(frame), 2);
    EXPECT_EQ(frame.timestamp - peer->sent.front().timestamp, i * kFrameSamples);
    EXPECT_EQ(frame.marker, i == 0);
  }
}

TEST_F(MemberMediaTest, AListenerSendsNothing) {
  source = &tone_;
  join_and_connect();
  EXPECT_EQ(frames_in(seconds(2)), 0U);
}

TEST_F(MemberMediaTest, SendingAnywayIsOnlyForTests) {
  source = &tone_;
  options.send_anyway = true;
  join_and_connect();
  EXPECT_NEAR(static_cast<double>(frames_in(seconds(2))), 100, 1);
  for (const test::SentFrame& frame : peer->sent) {
    ASSERT_EQ(frame.payload.size(), 160U);
    EXPECT_EQ(seat_of(frame), 0);
  }
}

TEST_F(MemberMediaTest, MovedDownSilencesAtOnce) {
  speak_on_stage();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  change_role(v1::ROLE_LISTENER);
  EXPECT_EQ(field<std::string>(events_named("moved").at(1), "to"), "audience");
  EXPECT_EQ(frames_in(seconds(2)), 0U);
  change_role(v1::ROLE_SPEAKER);
  const std::size_t before = peer->sent.size();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  EXPECT_TRUE(peer->sent[before].marker);
  EXPECT_EQ(seat_of(peer->sent[before]), 3);
  // The sender's time went on while nothing was sent.
  EXPECT_NEAR(static_cast<double>(peer->sent[before].timestamp - peer->sent[before - 1].timestamp),
              2 * kSampleRate, 3 * kFrameSamples);
}

TEST_F(MemberMediaTest, OnesOwnMuteIsInForceBeforeTheServerAnswers) {
  speak_on_stage();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  member->handle_line(now, "mute");
  EXPECT_EQ(frames_in(seconds(1)), 0U);
  tell_self(true);
  member->handle_line(now, "unmute");
  EXPECT_EQ(frames_in(seconds(1)), 0U);  // until the server agrees
  tell_self(false);
  EXPECT_GT(frames_in(seconds(1)), 40U);
  EXPECT_EQ(events_named("muted").size(), 2U);
}

TEST_F(MemberMediaTest, NothingIsSentWhileReconnectingTheEvents) {
  speak_on_stage();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  member->handle_websocket_closed(now, socket);
  pump();
  EXPECT_EQ(events_named("reconnecting").size(), 1U);
  EXPECT_EQ(frames_in(seconds(1)), 0U);
  open_socket();
  EXPECT_EQ(events_named("reconnected").size(), 1U);
  EXPECT_GT(frames_in(seconds(1)), 40U);
}

TEST_F(MemberMediaTest, ALostPathIsRestartedAndNothingIsSentMeanwhile) {
  speak_on_stage();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  peer_changes(PeerState::kDisconnected);
  EXPECT_EQ(events_named("reconnecting").size(), 1U);
  EXPECT_EQ(frames_in(seconds(1)), 0U);
  const HttpCall restart = take_call(room_path("/restart"));
  EXPECT_EQ(body_of<v1::RestartRequest>(restart).join_token(), "join-token");
  EXPECT_EQ(body_of<v1::RestartRequest>(restart).sdp_offer(), "restart offer");
  v1::RestartResponse response;
  response.set_sdp_answer("restart answer");
  answer(restart, response);
  EXPECT_EQ(peer->restarts, 1);
  EXPECT_EQ(frames_in(milliseconds(500)), 0U);
  peer_changes(PeerState::kConnected);
  EXPECT_EQ(events_named("reconnected").size(), 1U);
  EXPECT_GT(frames_in(seconds(1)), 40U);
  EXPECT_EQ(events_named("connected").size(), 1U);
}

TEST_F(MemberMediaTest, RestartsAreTriedAgainAndGivenUp) {
  join_and_connect();
  peer_changes(PeerState::kDisconnected);
  int tries = 0;
  for (int i = 0; i < 100 && !member->outcome(); ++i) {
    while (!calls.empty()) {
      ++tries;
      fail(take_call(room_path("/restart")));
    }
    v1::ServerMessage pong;
    pong.mutable_pong()->set_nonce(1);
    receive(pong);
    advance(seconds(1));
  }
  EXPECT_GE(tries, 6);
  EXPECT_LE(tries, 20);
  EXPECT_EQ(status(), ExitStatus::kMediaFailed);
}

TEST_F(MemberMediaTest, AServerThatForgotTheJoinIsJoinedAgain) {
  speak_on_stage();
  peer->open_tcp({*base::IpAddress::parse("192.0.2.1"), 7878});
  member->handle_timeout(now);
  pump();
  ASSERT_EQ(tcp_opened.size(), 1U);
  member->handle_tcp_opened(now, tcp_opened[0],
                            {base::TransportProtocol::kTcp, {}, tcp_opened[0], 4});
  peer_changes(PeerState::kDisconnected);
  refuse(take_call(room_path("/restart")), 401, "unauthenticated", "This join is over.");
  EXPECT_EQ(tcp_closed, std::vector<std::uint64_t>{4});
  EXPECT_EQ(peers_made, 2);
  EXPECT_EQ(calls.front().authorization, "Bearer guest-token");
  EXPECT_EQ(body_of<v1::JoinRoomRequest>(calls.front()).guest_name(), "");
  // The first try meets a server that is not up yet.
  fail(take_call(room_path("/join")));
  advance(seconds(1));
  answer_join();
  open_socket();
  EXPECT_TRUE(member->reconnecting());
  peer_changes(PeerState::kConnected);
  EXPECT_FALSE(member->reconnecting());
  EXPECT_EQ(events_named("joined").size(), 1U);
  EXPECT_GT(frames_in(seconds(1)), 40U);
}

TEST_F(MemberMediaTest, ARoomThatEndedMeanwhileIsStatusFive) {
  join_and_connect();
  peer_changes(PeerState::kDisconnected);
  refuse(take_call(room_path("/restart")), 404, "not_found", "gone");
  refuse(take_call(room_path("/join")), 404, "not_found", "There is no such room.");
  EXPECT_EQ(status(), ExitStatus::kEnded);
}

TEST_F(MemberMediaTest, ANetworkChangeMovesOverWithoutAStop) {
  speak_on_stage();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  member->handle_network_change(now, {{base::IpAddress(), 6000}});
  pump();
  EXPECT_TRUE(messages.back().has_ping());
  v1::RestartResponse response;
  response.set_sdp_answer("restart answer");
  answer(take_call(room_path("/restart")), response);
  EXPECT_EQ(peer->restarts, 1);
  EXPECT_GT(frames_in(seconds(1)), 40U);
  EXPECT_TRUE(events_named("reconnecting").empty());
}

TEST_F(MemberMediaTest, AGapInRevisionsAsksForTheState) {
  join_and_connect();
  v1::ServerMessage message;
  message.mutable_batch()->set_revision(state.revision() + 2);
  message.mutable_batch()->add_events()->mutable_room_ended();
  receive(message);
  EXPECT_TRUE(messages.back().has_resync());
  EXPECT_FALSE(member->outcome());
  message.mutable_batch()->set_revision(state.revision());  // an old one
  receive(message);
  EXPECT_FALSE(member->outcome());
}

TEST_F(MemberMediaTest, RecordsFromTheJoinOnInRealTimeWithSilence) {
  sink = &memory_;
  join_and_connect();
  advance(seconds(1));
  VoiceEncoder encoder(EncoderUse::kCall);
  e2ee::FrameTransform& frames = hanna.keys->frames();
  base::Buffer payload(160);
  for (int i = 0; i < 50; ++i) {
    const auto opus = encoder.encode(
        test::tone(kFrameSamples, 200, 6000, static_cast<std::size_t>(i) * kFrameSamples));
    ASSERT_TRUE(frames.seal(opus, payload));
    peer->receive(0, static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i) * 960, i == 0,
                  payload);
    peer->receive(1, static_cast<std::uint64_t>(i), 0, false,
                  base::Bytes(payload).first(159));  // no frame
    member->handle_datagram(now, {}, {});
    pump();
    advance(milliseconds(20));
  }
  advance(seconds(1));
  member->leave(now);
  pump();
  answer(take_call(room_path("/commands")), v1::RoomCommandResponse());
  ASSERT_TRUE(member->finish_recording(now));
  EXPECT_TRUE(memory_.finished);
  EXPECT_NEAR(static_cast<double>(memory_.sound.size()), 3.0 * kSampleRate, kFrameSamples);
  const std::span<const std::int16_t> heard(memory_.sound);
  EXPECT_EQ(level_of(heard.first(kSampleRate)), -96);
  EXPECT_NEAR(level_of(heard.subspan(kSampleRate * 5 / 4, kSampleRate / 2)),
              level_of(test::tone(9600, 200, 6000)), 1.5);
  EXPECT_EQ(level_of(heard.last(kSampleRate / 2)), -96);
  ASSERT_EQ(events_named("first_audio").size(), 1U);
  const auto speaking = events_named("speaking");
  ASSERT_EQ(speaking.size(), 2U);
  EXPECT_EQ(field<std::string>(speaking[0], "name"), "Hanna");
  EXPECT_TRUE(field<bool>(speaking[0], "speaking"));
  EXPECT_FALSE(field<bool>(speaking[1], "speaking"));
}

TEST_F(MemberMediaTest, AStoppedProcessDoesNotSendABurst) {
  speak_on_stage();
  EXPECT_GT(frames_in(seconds(1)), 40U);
  const std::size_t before = peer->sent.size();
  now += seconds(3);
  member->handle_timeout(now);
  pump();
  EXPECT_LE(peer->sent.size() - before, 11U);
}

}  // namespace
}  // namespace alcove::client
