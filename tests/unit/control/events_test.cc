// What members see by WebSocket, and when.

#include <gtest/gtest.h>

#include <set>

#include "control_fixture.h"

namespace alcove::control {
namespace {

class EventsTest : public ControlTest {
 protected:
  static v1::RoomCommand react(v1::Reaction reaction) {
    return command([&](v1::RoomCommand& c) { c.mutable_send_reaction()->set_reaction(reaction); });
  }
};

TEST_F(EventsTest, HelloIsAnsweredByWelcome) {
  Client& host = open_room("ada");
  ASSERT_EQ(host.peer->messages.size(), 1U);
  const v1::RoomState& room = host.peer->messages[0].welcome().room();
  EXPECT_EQ(room.room_id(), host.room_id);
  EXPECT_EQ(room.self().role(), v1::ROLE_MODERATOR);
  EXPECT_TRUE(room.self().connected());
  EXPECT_EQ(room.revision(), 1U);
  EXPECT_EQ(room.self().leaf(), roomlog_test::to_string(host.leaf()));
  EXPECT_GT(room.allowed_commands_size(), 5);
}

TEST_F(EventsTest, StageEventsGoOutAtOnceAndAudienceEventsInBatches) {
  Client& host = open_room("ada");
  Client& listener = member(host.room_id, "Listener");
  Client& guest = member(host.room_id, "Grace");
  advance(base::seconds(1));
  forget_events();
  to_stage(host, guest);
  const auto at_once = listener.peer->take_events();
  ASSERT_EQ(at_once.size(), 1U);
  EXPECT_EQ(at_once[0].stage_member_changed().member().display_name(), "Grace");
  EXPECT_EQ(at_once[0].stage_member_changed().member().role(), v1::ROLE_SPEAKER);
  EXPECT_GT(at_once[0].stage_member_changed().member().seat(), 0U);
  advance(base::milliseconds(250));
  const auto batch = listener.peer->take_events();
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].audience_changed().audience_count(), 1U);
  EXPECT_EQ(batch[0].audience_changed().audience_sample(0).display_name(), "Listener");
}

TEST_F(EventsTest, ManyJoinsAreOneBatch) {
  Client& host = open_room("ada");
  advance(base::seconds(1));
  host.peer->take_events();
  for (int i = 0; i < 20; ++i) join(host.room_id, {}, "G" + std::to_string(i));
  EXPECT_TRUE(host.peer->take_events().empty());
  advance(base::milliseconds(250));
  const auto events = host.peer->take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].audience_changed().audience_count(), 20U);
}

TEST_F(EventsTest, ModeratorsSeeHandsAndOthersTheirCount) {
  Client& host = open_room("ada");
  Client& a = member(host.room_id, "A");
  Client& b = member(host.room_id, "B");
  advance(base::seconds(1));
  forget_events();
  must(b, raise_hand());
  must(a, raise_hand());
  const auto own = a.peer->take_events();
  ASSERT_EQ(own.size(), 1U);
  EXPECT_TRUE(own[0].self_changed().self().hand_raised());
  advance(base::milliseconds(250));
  bool seen = false;
  for (const v1::RoomEvent& event : host.peer->take_events()) {
    if (!event.has_raised_hands_changed()) continue;
    seen = true;
    ASSERT_EQ(event.raised_hands_changed().raised_hands_size(), 2);
    EXPECT_EQ(event.raised_hands_changed().raised_hands(0).display_name(), "B");
  }
  EXPECT_TRUE(seen);
  seen = false;
  for (const v1::RoomEvent& event : a.peer->take_events()) {
    for (const v1::Member& other : event.audience_changed().audience_sample())
      EXPECT_FALSE(other.hand_raised()) << "hands are for moderators";
    if (!event.has_raised_hands_changed()) continue;
    seen = true;
    EXPECT_EQ(event.raised_hands_changed().raised_hand_count(), 2U);
    EXPECT_EQ(event.raised_hands_changed().raised_hands_size(), 0);
  }
  EXPECT_TRUE(seen);
  // The state says the same.
  Client& late = member(host.room_id, "Late");
  EXPECT_EQ(late.room.raised_hand_count(), 2U);
  EXPECT_EQ(late.room.raised_hands_size(), 0);
}

TEST_F(EventsTest, ANewModeratorGetsTheHandsAndOneWhoStepsDownLosesThem) {
  Client& host = open_room("ada");
  Client& a = member(host.room_id, "A");
  Client& b = member(host.room_id, "B");
  must(b, raise_hand());
  to_stage(host, a);
  forget_events();
  EXPECT_EQ(make_moderator(host, a), "");
  auto events = a.peer->take_events();
  ASSERT_EQ(count(events, v1::RoomEvent::kRaisedHandsChanged), 1U);
  EXPECT_EQ(events.back().raised_hands_changed().raised_hands_size(), 1);
  EXPECT_EQ(move_down(a, a), "");
  events = a.peer->take_events();
  ASSERT_EQ(count(events, v1::RoomEvent::kRaisedHandsChanged), 1U);
  EXPECT_EQ(events.back().raised_hands_changed().raised_hands_size(), 0);
  EXPECT_EQ(events.back().raised_hands_changed().raised_hand_count(), 1U);
}

TEST_F(EventsTest, RevisionsHaveNoGap) {
  Client& host = open_room("ada");
  Client& a = member(host.room_id, "A");
  Client& b = member(host.room_id, "B");
  must(b, raise_hand());
  advance(base::milliseconds(300));
  to_stage(host, a);
  must(a, react(v1::REACTION_CLAP));
  advance(base::seconds(1));
  for (Client* client : {&host, &a, &b}) {
    std::uint64_t revision = client->peer->messages.at(0).welcome().room().revision();
    for (std::size_t i = 1; i < client->peer->messages.size(); ++i)
      EXPECT_EQ(client->peer->messages[i].batch().revision(), ++revision);
    // Welcome after a resync has the revision that was reached.
    v1::ClientMessage resync;
    resync.mutable_resync();
    say(*client, resync);
    EXPECT_EQ(client->peer->messages.back().welcome().room().revision(), revision);
  }
}

TEST_F(EventsTest, ReactionsAreCountedWithAFewNames) {
  Client& host = open_room("ada");
  std::vector<Client*> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(&member(host.room_id, "G" + std::to_string(i)));
  advance(base::seconds(1));
  forget_events();
  for (Client* client : clients) must(*client, react(v1::REACTION_CLAP));
  must(host, react(v1::REACTION_HEART));
  advance(base::milliseconds(250));
  const auto events = host.peer->take_events();
  ASSERT_EQ(events.size(), 1U);
  ASSERT_EQ(events[0].reactions_sent().reactions_size(), 2);
  EXPECT_EQ(events[0].reactions_sent().reactions(0).reaction(), v1::REACTION_CLAP);
  EXPECT_EQ(events[0].reactions_sent().reactions(0).count(), 12U);
  EXPECT_EQ(events[0].reactions_sent().reactions(0).member_ids_size(), 8);
}

TEST_F(EventsTest, TwoRoomsAreIsolated) {
  Client& ada = open_room("ada");
  Client& grace = open_room("grace");
  Client& listener = member(grace.room_id, "Listener");
  advance(base::seconds(1));
  forget_events();
  Client& guest = member(ada.room_id, "Guest");
  must(guest, raise_hand());
  to_stage(ada, guest);
  must(guest, react(v1::REACTION_WOW));
  must(ada, command([](v1::RoomCommand& c) { c.mutable_end_room(); }));
  advance(base::seconds(1));
  EXPECT_TRUE(grace.peer->take_events().empty());
  EXPECT_TRUE(listener.peer->take_events().empty());
  EXPECT_FALSE(listener.peer->closed);
}

TEST_F(EventsTest, PingIsAnsweredAndPadded) {
  Client& host = open_room("ada");
  v1::ClientMessage ping;
  ping.mutable_ping()->set_nonce(42);
  say(host, ping);
  EXPECT_EQ(host.peer->messages.back().pong().nonce(), 42U);
}

TEST_F(EventsTest, BadMessagesEndTheConnection) {
  Client& host = open_room("ada");
  const std::string garbage = "\xff\xff\xff\xff garbage";
  host.handler->on_message(base::as_bytes(garbage));
  EXPECT_EQ(host.peer->messages.back().goodbye().reason().reason(), "socket.bad_message");
  EXPECT_TRUE(host.peer->closed);
  disconnect(host);
  connect(host);
  EXPECT_TRUE(host.peer->messages.back().has_welcome()) << "the join goes on";
  const base::Buffer large(5000);
  host.handler->on_message(large);
  EXPECT_TRUE(host.peer->closed);
}

TEST_F(EventsTest, AConnectionNeedsAHelloWithAValidToken) {
  Client& host = open_room("ada");
  FakePeer peer;
  const auto address = *base::IpAddress::parse("192.0.2.9");
  auto handler = server->accept(peer, address);
  advance(base::milliseconds(5100));
  EXPECT_EQ(peer.messages.back().goodbye().reason().reason(), "socket.no_hello");
  EXPECT_TRUE(peer.closed);

  FakePeer wrong;
  handler = server->accept(wrong, address);
  v1::ClientMessage hello;
  hello.mutable_hello()->set_join_token("wrong");
  std::string bytes = hello.SerializeAsString();
  handler->on_message(base::as_bytes(bytes));
  EXPECT_EQ(wrong.messages.back().goodbye().reason().reason(), "join.invalid");

  FakePeer early;
  handler = server->accept(early, address);
  v1::ClientMessage ping;
  ping.mutable_ping();
  bytes = ping.SerializeAsString();
  handler->on_message(base::as_bytes(bytes));
  EXPECT_EQ(early.messages.back().goodbye().reason().reason(), "socket.bad_message");
  EXPECT_FALSE(host.peer->closed);
}

TEST_F(EventsTest, ASecondSocketOfAJoinTakesOver) {
  Client& host = open_room("ada");
  const auto old_peer = std::move(host.peer);
  const auto old_handler = std::move(host.handler);
  connect(host);
  EXPECT_EQ(old_peer->messages.back().goodbye().reason().reason(), "socket.replaced");
  EXPECT_TRUE(old_peer->closed);
  old_handler->on_closed();  // no effect on the new one
  EXPECT_EQ(set_locked(host, true), "");
  EXPECT_TRUE(host.peer->take_events().back().room_changed().locked());
}

TEST_F(EventsTest, AThousandMembersCostABoundedAmount) {
  Client& host = open_room("ada");
  for (int i = 0; i < 1000; ++i) {
    Client& client = member(host.room_id, "A listener with forty letters, " + std::to_string(i));
    client.peer->keep = false;
  }
  advance(base::seconds(3));
  Client& watcher = member(host.room_id, "Watcher");
  advance(base::seconds(3));
  watcher.peer->take_events();
  const std::size_t before = watcher.peer->bytes;
  const std::size_t messages_before = watcher.peer->messages.size();
  // Ten seconds of churn: somebody comes every 20 ms.
  for (int i = 0; i < 500; ++i) {
    join(host.room_id, {}, "Passer-by " + std::to_string(i));
    advance(base::milliseconds(20));
  }
  const std::size_t messages = watcher.peer->messages.size() - messages_before;
  EXPECT_LE(messages, 41U) << "at most four a second";
  EXPECT_LE(watcher.peer->bytes - before, messages * 5120);
  std::uint32_t counted = 0;
  for (const v1::RoomEvent& event : watcher.peer->take_events()) {
    ASSERT_TRUE(event.has_audience_changed());
    EXPECT_LE(event.audience_changed().audience_sample_size(), 48);
    counted = event.audience_changed().audience_count();
  }
  EXPECT_NEAR(counted, 1501, 15);
}

TEST_F(EventsTest, MediaStatesReachTheMember) {
  Client& host = open_room("ada");
  host.peer->take_events();
  relay.report(host.join_id, v1::EndpointStateChanged::STATE_CHECKED);
  relay.report(host.join_id, v1::EndpointStateChanged::STATE_CONNECTED);
  const auto events = host.peer->take_events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].media_changed().state(), v1::MediaChanged::STATE_CONNECTED);
  // Media may be faster than the WebSocket.
  Client& guest = join(host.room_id, {}, "Grace");
  relay.report(guest.join_id, v1::EndpointStateChanged::STATE_CONNECTED);
  connect(guest);
  EXPECT_EQ(guest.peer->take_events().at(0).media_changed().state(),
            v1::MediaChanged::STATE_CONNECTED);
}

}  // namespace
}  // namespace alcove::control
