// The room's log: what is taken, what is refused, and how it reaches everybody.

#include <gtest/gtest.h>

#include <ranges>

#include "control_fixture.h"

namespace alcove::control {
namespace {

using K = v1::KeysFromServer;
using T = v1::KeeperTask;

class EntriesTest : public ControlTest {
 protected:
  static std::vector<v1::DeliveredEntry> delivered(const Client& client) {
    std::vector<v1::DeliveredEntry> entries;
    for (const K& keys : client.peer->all(K::kDelivery))
      for (const v1::DeliveredEntry& entry : keys.delivery().entries()) entries.push_back(entry);
    return entries;
  }
  static std::vector<std::uint64_t> numbers(const Client& client) {
    std::vector<std::uint64_t> found;
    for (const v1::DeliveredEntry& each : delivered(client)) {
      v1::LogEntry body;
      EXPECT_TRUE(body.ParseFromString(each.entry().body()));
      found.push_back(body.n());
    }
    return found;
  }
  std::string beat(Client& by) { return write(by, {}); }
  std::string fresh(Client& by) { return write(by, {}, v1::ADVANCE_FRESH); }
  static void ask(Client& client, const std::function<void(v1::KeysFromClient&)>& fill) {
    v1::ClientMessage message;
    fill(*message.mutable_keys());
    say(client, message);
  }
  static void have(Client& client, std::uint64_t n) {
    ask(client, [&](v1::KeysFromClient& keys) { keys.mutable_have()->set_n(n); });
  }
  static std::string goodbye(const Client& client) {
    return client.peer->messages.empty() ? ""
                                         : client.peer->messages.back().goodbye().reason().reason();
  }
  std::uint32_t members(const std::string& room_id) {
    return parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + room_id))).member_count();
  }
};

TEST_F(EntriesTest, TheStageGetsAllAndListenersTheShortPath) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  Client& listener = member(host.room_id, "Listener");
  for (Client* client : {&host, &speaker, &listener}) client->peer->keys.clear();
  for (Client* client : {&host, &speaker, &listener}) client->peer->keys_done = 0;
  const std::uint64_t n = log_of(host).n();
  member(host.room_id, "Another");  // an entry of the roster alone
  EXPECT_EQ(beat(host), "");
  EXPECT_EQ(fresh(speaker), "");
  EXPECT_EQ(numbers(speaker), (std::vector{n + 1, n + 2, n + 3}));
  EXPECT_EQ(numbers(host), (std::vector{n + 1, n + 2, n + 3})) << "its own as well";
  EXPECT_EQ(numbers(listener), (std::vector{n + 2, n + 3}));
  EXPECT_EQ(delivered(listener).back().box(), box_for(listener.leaf(), n + 3));
  EXPECT_EQ(delivered(host).back().box(), box_for(host.leaf(), n + 3));
  EXPECT_TRUE(delivered(speaker).back().box().empty()) << "the author's";
  EXPECT_TRUE(delivered(listener).front().box().empty());
}

TEST_F(EntriesTest, AListenerAtRestGetsUnderSixKilobytesAMinute) {
  Client& host = open_room("ada");
  Client& listener = member(host.room_id, "Listener");
  advance(base::seconds(1));
  const std::size_t before = listener.peer->bytes;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(beat(host), "");
    advance(base::seconds(5));
  }
  EXPECT_LT(listener.peer->bytes - before, 6000U);
}

TEST_F(EntriesTest, TheFasterOneWins) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  const v1::AppendEntry slow = draft(speaker, {});
  EXPECT_EQ(beat(host), "");
  EXPECT_EQ(send(speaker, slow), "log.conflict");
  EXPECT_EQ(beat(speaker), "");
  const std::string metrics = server->metrics();
  EXPECT_NE(metrics.find("alcove_log_entries_total{result=\"refused\"} 1\n"), std::string::npos);
}

TEST_F(EntriesTest, WhatIsNotRightIsRefusedWhole) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  Client& listener = member(host.room_id, "Listener");
  const std::uint64_t n = log_of(host).n();
  EXPECT_EQ(send(host, v1::AppendEntry()), "log.invalid");
  // Somebody else's entry, a listener's, and one that is signed by the wrong key.
  EXPECT_EQ(send(speaker, draft(host, {})), "log.invalid");
  v1::LogEntry body = *log_of(host).draft(host.leaf(), {}, v1::ADVANCE_NONE, false, 0);
  body.set_author(roomlog_test::to_string(listener.leaf()));
  EXPECT_EQ(send(listener, sign(listener, body)), "log.invalid");
  v1::AppendEntry forged = draft(host, {});
  forged.mutable_entry()->mutable_signature()->front() ^= 1;
  EXPECT_EQ(send(host, forged), "log.invalid");
  // Boxes.
  v1::AppendEntry boxes = draft(host, {}, v1::ADVANCE_FRESH);
  EXPECT_EQ(boxes.boxes().size(), 160U);
  boxes.mutable_boxes()->pop_back();
  EXPECT_EQ(send(host, boxes), "log.invalid");
  v1::AppendEntry needless = draft(host, {});
  needless.set_boxes(std::string(160, 'b'));
  EXPECT_EQ(send(host, needless), "log.invalid");
  // Who may not.
  v1::LogEntry lock =
      *log_of(host).draft(host.leaf(), {roomlog_test::lock_op(true)}, v1::ADVANCE_NONE, false, 0);
  lock.set_author(roomlog_test::to_string(speaker.leaf()));
  EXPECT_EQ(send(speaker, sign(speaker, lock)), "log.invalid");
  EXPECT_EQ(log_of(host).n(), n);
  EXPECT_EQ(beat(host), "") << "nothing of it is left behind";
}

TEST_F(EntriesTest, OnlyWhoWaitsHereIsAdmitted) {
  Client& host = open_room("ada");
  keeping = false;
  const auto stranger = make_keys(host.room_id, "Stranger", "guest");
  v1::AppendEntry append = draft(host, {roomlog_test::admit_op(stranger.certificate)});
  EXPECT_EQ(send(host, append), "log.candidate_gone");
  Client& guest = member(host.room_id, "Grace");
  const v1::AdmitTask task = host.peer->tasks(T::kAdmit).back().admit();
  append = draft(host, {roomlog_test::admit_op(guest.keys.certificate)});
  EXPECT_EQ(send(host, append), "log.invalid") << "no box";
  append.set_request(append.request() + 1000);
  append.add_join_boxes()->set_candidate(task.candidate());
  append.mutable_join_boxes(0)->set_box(std::string(83, 'j'));
  EXPECT_EQ(send(host, append), "log.invalid");
  append.set_request(append.request() + 1);
  append.mutable_join_boxes(0)->set_box(std::string(84, 'j'));
  *append.add_join_boxes() = append.join_boxes(0);
  EXPECT_EQ(send(host, append), "log.invalid") << "a box too many";
  EXPECT_EQ(admit(host, task, v1::ADVANCE_RATCHET), "");
  EXPECT_EQ(guest.peer->last(K::kAdmitted)->admitted().box(), std::string(84, 'j'));
}

TEST_F(EntriesTest, SeveralAreAdmittedAtOnce) {
  Client& host = open_room("ada");
  keeping = false;
  Client& a = member(host.room_id, "A");
  Client& b = member(host.room_id, "B");
  v1::AppendEntry append = draft(host, {roomlog_test::admit_op(a.keys.certificate),
                                        roomlog_test::admit_op(b.keys.certificate)});
  for (const T& task : host.peer->tasks(T::kAdmit)) {
    v1::JoinBox& box = *append.add_join_boxes();
    box.set_candidate(task.admit().candidate());
    box.set_box(std::string(83, 'j') + std::to_string(task.admit().candidate() % 10));
  }
  EXPECT_EQ(send(host, append), "");
  EXPECT_EQ(members(host.room_id), 3U);
  EXPECT_NE(a.peer->last(K::kAdmitted)->admitted().box(),
            b.peer->last(K::kAdmitted)->admitted().box());
}

TEST_F(EntriesTest, AJoinerCanCheckWhatItIsGiven) {
  Client& host = open_room("ada");
  EXPECT_EQ(set_locked(host, true), "");
  EXPECT_EQ(set_locked(host, false), "");
  EXPECT_EQ(write(host, {}, v1::ADVANCE_RATCHET), "");
  EXPECT_EQ(beat(host), "");
  Client& guest = member(host.room_id, "Grace");
  const v1::Admitted admitted = guest.peer->last(K::kAdmitted)->admitted();
  auto walked = roomlog::walk_chain(admitted.chain(), log_of(host).fingerprint());
  ASSERT_TRUE(walked.has_value());
  const auto entry = roomlog::parse_entry(admitted.admit());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->body.prev_short(), roomlog_test::to_string(walked->head->hash));
  EXPECT_TRUE(walked->state.apply(*entry, roomlog::Follow::kChain));
  // Welcome comes after it, and anybody with the id can read the chain.
  EXPECT_TRUE(guest.peer->messages.front().has_welcome());
  const auto chain =
      parse<v1::LogChain>(request(make("GET", "/v1/rooms/" + host.room_id + "/log")));
  EXPECT_EQ(chain.authority_size(), 3);
  EXPECT_TRUE(roomlog::walk_chain(chain, log_of(host).fingerprint()));
  EXPECT_EQ(request(make("GET", "/v1/rooms/nothing/log")).status, 404);
}

TEST_F(EntriesTest, WhoIsAdmittedBeforeItsWebSocketMissesNothing) {
  Client& host = open_room("ada");
  Client& guest = join(host.room_id, {}, "Grace");  // is a member, and not there yet
  const std::uint64_t n = log_of(host).n();
  EXPECT_EQ(beat(host), "");
  EXPECT_EQ(fresh(host), "");
  connect(guest);
  ASSERT_GE(guest.peer->keys.size(), 2U);
  EXPECT_TRUE(guest.peer->keys[0].has_admitted());
  EXPECT_EQ(numbers(guest), (std::vector{n + 1, n + 2}));
  EXPECT_EQ(delivered(guest).back().box(), box_for(guest.leaf(), n + 2));
  EXPECT_TRUE(guest.peer->messages.front().has_welcome());
  EXPECT_EQ(guest.room.self().leaf(), roomlog_test::to_string(guest.leaf()));
  EXPECT_TRUE(relay.receives(guest.join_id));
}

TEST_F(EntriesTest, AfterAReconnectItGoesOnFromWhereItWas) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const std::uint64_t n = log_of(host).n();
  disconnect(guest);
  EXPECT_EQ(beat(host), "");
  EXPECT_EQ(fresh(host), "");
  connect(guest);
  EXPECT_EQ(beat(host), "");
  EXPECT_TRUE(delivered(guest).empty()) << "not before it says what it has";
  have(guest, n);
  EXPECT_EQ(numbers(guest), (std::vector{n + 1, n + 2, n + 3}));
  EXPECT_EQ(delivered(guest)[1].box(), box_for(guest.leaf(), n + 2));
  EXPECT_EQ(beat(host), "");
  EXPECT_EQ(numbers(guest).back(), n + 4);
  have(guest, n + 5);
  EXPECT_EQ(goodbye(guest), "join.stale") << "nobody has written that";
  EXPECT_TRUE(guest.peer->closed);
}

TEST_F(EntriesTest, AnAdmissionThatWasLostOnTheWayIsSentAgain) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const std::uint64_t n = log_of(host).n();
  const std::string sent = guest.peer->last(K::kAdmitted)->SerializeAsString();
  disconnect(guest);  // and what was on the way is gone
  EXPECT_EQ(fresh(host), "");
  connect(guest);
  ASSERT_TRUE(guest.peer->last(K::kAdmitted));
  EXPECT_EQ(guest.peer->last(K::kAdmitted)->SerializeAsString(), sent) << "with its box";
  EXPECT_TRUE(guest.peer->messages.front().has_welcome());
  EXPECT_TRUE(numbers(guest).empty());
  EXPECT_EQ(fresh(host), "");
  advance(base::seconds(2));
  EXPECT_EQ(numbers(guest), (std::vector{n + 1, n + 2})) << "it does not say what it has";
  EXPECT_EQ(fresh(host), "");
  EXPECT_EQ(numbers(guest).back(), n + 3);
  // From the first thing that only a member says it is known.
  have(guest, n + 3);
  disconnect(guest);
  connect(guest);
  EXPECT_FALSE(guest.peer->last(K::kAdmitted));
  advance(base::seconds(5));
  EXPECT_TRUE(numbers(guest).empty());
}

TEST_F(EntriesTest, BoxesOfTheLastFewFreshEntriesAreHeld) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const std::uint64_t n = log_of(host).n();
  disconnect(guest);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(fresh(host), "");
  connect(guest);
  have(guest, n);
  const auto entries = delivered(guest);
  ASSERT_EQ(entries.size(), 6U);
  EXPECT_TRUE(entries[1].box().empty());
  EXPECT_EQ(entries[2].box(), box_for(guest.leaf(), n + 3));
}

TEST_F(EntriesTest, TheRosterComesInParts) {
  Client& host = open_room("ada");
  for (int i = 0; i < 70; ++i) join(host.room_id, {}, "G" + std::to_string(i));
  Client& guest = member(host.room_id, "Grace");
  const auto request_roster = [](Client& client) {
    ask(client, [](v1::KeysFromClient& keys) { keys.mutable_request_roster(); });
  };
  to_stage(host, guest);
  request_roster(guest);
  const auto parts = guest.peer->all(K::kRoster);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].roster().certificates_size(), 64);
  EXPECT_EQ(parts[1].roster().first(), 64U);
  EXPECT_EQ(parts[1].roster().total(), 72U);
  EXPECT_FALSE(parts[0].roster().has_head());
  // It becomes full with it, and goes on so.
  const v1::Admitted admitted = guest.peer->last(K::kAdmitted)->admitted();
  roomlog::LogState state =
      roomlog::walk_chain(admitted.chain(), log_of(host).fingerprint())->state;
  ASSERT_TRUE(state.apply(*roomlog::parse_entry(admitted.admit()), roomlog::Follow::kChain));
  for (const v1::DeliveredEntry& each : delivered(guest))
    ASSERT_TRUE(state.apply(*roomlog::parse_entry(each.entry()), roomlog::Follow::kShort));
  std::vector<roomlog::Certificate> roster;
  for (const K& part : parts)
    for (const v1::SignedObject& object : part.roster().certificates())
      roster.push_back(*roomlog::parse_certificate(log_of(host).fingerprint(), object));
  EXPECT_TRUE(state.adopt_roster(roster, *roomlog::parse_entry(parts[1].roster().head())));
}

TEST_F(EntriesTest, ALargeRosterComesToAListenerBitByBit) {
  Client& host = open_room("ada");
  for (int i = 0; i < 1030; ++i) join(host.room_id, {}, "G" + std::to_string(i));
  Client& guest = member(host.room_id, "Grace");
  ask(guest, [](v1::KeysFromClient& keys) { keys.mutable_request_roster(); });
  EXPECT_EQ(guest.peer->all(K::kRoster).size(), 16U);
  member(host.room_id, "Late");
  advance(base::seconds(2));
  const auto parts = guest.peer->all(K::kRoster);
  ASSERT_EQ(parts.size(), 17U);
  EXPECT_EQ(parts.back().roster().total(), 1032U) << "as it was when it was asked for";
  EXPECT_TRUE(parts.back().roster().has_head());
}

TEST_F(EntriesTest, ARosterOnItsWayIsNotSentTwice) {
  Client& host = open_room("ada");
  for (int i = 0; i < 1030; ++i) join(host.room_id, {}, "G" + std::to_string(i));
  Client& guest = member(host.room_id, "Grace");
  const auto request_roster = [&] {
    ask(guest, [](v1::KeysFromClient& keys) { keys.mutable_request_roster(); });
  };
  request_roster();
  request_roster();
  EXPECT_EQ(guest.peer->all(K::kRoster).size(), 16U);
  advance(base::seconds(3));
  EXPECT_EQ(guest.peer->all(K::kRoster).size(), 17U);
  request_roster();
  EXPECT_EQ(guest.peer->all(K::kRoster).size(), 33U);
  // What was for a connection that is gone is not said to the next one.
  disconnect(guest);
  connect(guest);
  advance(base::seconds(5));
  EXPECT_TRUE(guest.peer->all(K::kRoster).empty());
}

class RosterLimitTest : public EntriesTest {
 protected:
  RosterLimitTest() { restart(ServerOptions()); }
};

TEST_F(RosterLimitTest, RostersAreLimited) {
  Client& host = open_room("ada");
  for (int i = 0; i < 3; ++i)
    ask(host, [](v1::KeysFromClient& keys) { keys.mutable_request_roster(); });
  EXPECT_FALSE(host.peer->closed);
  ask(host, [](v1::KeysFromClient& keys) { keys.mutable_request_roster(); });
  EXPECT_EQ(goodbye(host), "rate_limited");
}

TEST_F(RosterLimitTest, ChainsByRequestAreLimited) {
  Client& host = open_room("ada");
  const std::string path = "/v1/rooms/" + host.room_id + "/log";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(request(make("GET", path)).status, 200);
  EXPECT_EQ(reason(request(make("GET", path))), "rate_limited");
  advance(base::seconds(3));
  EXPECT_EQ(set_locked(host, true), "");
  EXPECT_EQ(parse<v1::LogChain>(request(make("GET", path))).authority_size(), 2) << "as it is now";
}

TEST_F(RosterLimitTest, EntriesAreLimitedByThemselves) {
  Client& host = open_room("ada");
  int written = 0;
  for (; written < 200 && !host.peer->closed; ++written) send(host, draft(host, {}));
  EXPECT_EQ(written, 80) << "of 80, the founding was one";
  EXPECT_EQ(goodbye(host), "rate_limited");
}

TEST_F(RosterLimitTest, BeatsOfWhoHasNoAuthorityAreLimitedFurther) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  disconnect(host);
  // What a client may write: an advance a second, beats, and whom it lets in.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(fresh(speaker), "");
    EXPECT_EQ(beat(speaker), "");
    member(host.room_id, "G" + std::to_string(i));
    member(host.room_id, "H" + std::to_string(i));
    advance(base::seconds(1));
  }
  advance(base::seconds(10));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(i % 2 == 0 ? beat(speaker) : fresh(speaker), "");
  EXPECT_FALSE(speaker.peer->closed);
  send(speaker, draft(speaker, {}));
  EXPECT_EQ(goodbye(speaker), "rate_limited");
}

TEST_F(RosterLimitTest, DeparturesFromTheStageAreNotBeats) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  std::vector<Client*> others;
  for (int i = 0; i < 15; ++i) {
    others.push_back(&member(host.room_id, "G" + std::to_string(i)));
    to_stage(host, *others.back());
    advance(base::seconds(1));
  }
  keeping = false;
  for (Client* each : others) must(*each, leave());
  advance(base::seconds(31));
  for (Client* each : others)
    EXPECT_EQ(write(speaker, {roomlog_test::depart_op(each->leaf())}, v1::ADVANCE_FRESH), "");
  EXPECT_FALSE(speaker.peer->closed);
}

TEST_F(EntriesTest, TimesAreNotFarAhead) {
  Client& host = open_room("ada");
  const std::int64_t now_ms = wall.time_since_epoch().count();
  const auto at = [&](std::int64_t time_ms) {
    return send(host,
                sign(host, *log_of(host).draft(host.leaf(), {}, v1::ADVANCE_NONE, false, time_ms)));
  };
  EXPECT_EQ(at((std::int64_t{1} << 53) - 1), "log.clock_ahead");
  EXPECT_EQ(at(now_ms + 300'001), "log.clock_ahead");
  EXPECT_EQ(at(now_ms + 300'000), "");
  // The server's clock was set back: the room goes on at the time that it has.
  wall -= base::seconds(3600);
  advance(base::seconds(0));
  EXPECT_EQ(at(0), "");
  EXPECT_EQ(log_of(host).time_ms(), now_ms + 300'000);
  EXPECT_EQ(at(now_ms + 300'001), "log.clock_ahead");
}

TEST_F(EntriesTest, AMissingBoxComesFromAnotherKeeper) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  Client& guest = member(host.room_id, "Grace");
  keeping = false;
  ask(guest, [](v1::KeysFromClient& keys) { keys.mutable_request_box(); });
  ASSERT_EQ(host.peer->tasks(T::kRebox).size(), 1U);
  const std::string leaf = roomlog_test::to_string(guest.leaf());
  EXPECT_EQ(host.peer->tasks(T::kRebox)[0].rebox().leaf(), leaf);
  const auto answer = [&](Client& by, std::size_t size) {
    ask(by, [&](v1::KeysFromClient& keys) {
      keys.mutable_box()->set_leaf(leaf);
      keys.mutable_box()->set_box(std::string(size, 'r'));
    });
  };
  answer(speaker, 84);
  EXPECT_FALSE(guest.peer->last(K::kBox)) << "it was not asked";
  advance(base::milliseconds(500));
  EXPECT_EQ(speaker.peer->tasks(T::kRebox).size(), 1U);
  answer(speaker, 83);
  EXPECT_FALSE(guest.peer->last(K::kBox));
  answer(speaker, 84);
  EXPECT_EQ(guest.peer->last(K::kBox)->box().box(), std::string(84, 'r'));
  answer(host, 84);
  EXPECT_EQ(guest.peer->all(K::kBox).size(), 1U);
  // A keeper asks the others, not itself.
  ask(host, [](v1::KeysFromClient& keys) { keys.mutable_request_box(); });
  EXPECT_EQ(host.peer->tasks(T::kRebox).size(), 1U);
  EXPECT_EQ(speaker.peer->tasks(T::kRebox).size(), 2U);
}

TEST_F(EntriesTest, LargeMessagesAreForTheStage) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  EXPECT_TRUE(host.peer->large);
  EXPECT_FALSE(guest.peer->large);
  to_stage(host, guest);
  EXPECT_TRUE(guest.peer->large);
  EXPECT_EQ(move_down(host, guest), "");
  v1::ClientMessage message;
  message.set_padding(std::string(5000, '\0'));
  message.mutable_keys()->mutable_append();
  say(host, message);
  EXPECT_FALSE(host.peer->closed);
  // What was on the way is refused, and the connection stays.
  say(guest, message);
  EXPECT_EQ(guest.peer->last(K::kAppendRefused)->append_refused().reason(), "log.invalid");
  EXPECT_FALSE(guest.peer->closed);
  advance(base::seconds(9));
  EXPECT_TRUE(guest.peer->large);
  advance(base::seconds(2));
  EXPECT_FALSE(guest.peer->large);
  say(guest, message);
  EXPECT_EQ(goodbye(guest), "socket.bad_message");
}

TEST_F(EntriesTest, TheInvitingModeratorGivesTheStage) {
  Client& host = open_room("ada");
  Client& second = member(host.room_id, "Second");
  to_stage(host, second);
  EXPECT_EQ(make_moderator(host, second), "");
  Client& guest = member(host.room_id, "Grace");
  keeping = false;
  const auto speaker_op = [&] {
    return roomlog_test::speaker_op(guest.keys.certificate, *log_of(host).next_free_seat());
  };
  EXPECT_EQ(write(host, {speaker_op()}), "room.not_invited") << "nobody is put there";
  must(second, invite(guest.id()));
  EXPECT_EQ(second.peer->tasks(T::kGiveStage).size(), 0U);
  must(guest, accept());
  ASSERT_EQ(second.peer->tasks(T::kGiveStage).size(), 1U);
  const std::size_t before = host.peer->tasks(T::kGiveStage).size();
  advance(base::milliseconds(500));
  EXPECT_EQ(host.peer->tasks(T::kGiveStage).size(), before + 1);
  must(guest, command([](v1::RoomCommand& c) { c.mutable_decline_invitation(); }));
  EXPECT_EQ(write(second, {speaker_op()}), "room.not_invited");
  must(host, invite(guest.id()));
  must(guest, accept());
  EXPECT_EQ(host.peer->tasks(T::kGiveStage).size(), before + 2);
  guest.peer->take_events();
  EXPECT_EQ(write(host, {speaker_op()}), "");
  bool on_stage = false;
  for (const v1::RoomEvent& event : guest.peer->take_events())
    on_stage = on_stage || event.self_changed().self().seat() == 3;
  EXPECT_TRUE(on_stage);
  EXPECT_EQ(relay.last_about(guest.join_id), "may send");
  advance(base::seconds(5));
  EXPECT_EQ(host.peer->tasks(T::kGiveStage).size(), before + 2);
}

TEST_F(EntriesTest, AnAcceptedInvitationEndsWithTheJoinThatAccepted) {
  Client& host = open_room("ada");
  Client& second = member(host.room_id, "Second");
  to_stage(host, second);
  EXPECT_EQ(make_moderator(host, second), "");
  Client& guest = member(host.room_id, "Grace");
  keeping = false;
  must(host, invite(guest.id()));
  must(guest, accept());
  ASSERT_EQ(host.peer->tasks(T::kGiveStage).size(), 2U);
  Client& again = join(host.room_id, guest.token);  // a reload
  EXPECT_EQ(admit(host, host.peer->tasks(T::kAdmit).back().admit()), "");
  connect(again);
  EXPECT_FALSE(again.room.self().invited());
  advance(base::seconds(5));
  EXPECT_EQ(second.peer->tasks(T::kGiveStage).size(), 0U) << "the leaf is gone";
  EXPECT_EQ(write(host, {roomlog_test::speaker_op(again.keys.certificate,
                                                  *log_of(host).next_free_seat())}),
            "room.not_invited");
  must(host, invite(again.id()));
  must(again, accept());
  EXPECT_EQ(host.peer->tasks(T::kGiveStage).back().give_stage().leaf(),
            roomlog_test::to_string(again.leaf()));
}

TEST_F(EntriesTest, NothingIsAskedForWhoIsNotInsideAnyMore) {
  Client& host = open_room("ada");
  Client& second = member(host.room_id, "Second");
  to_stage(host, second);
  EXPECT_EQ(make_moderator(host, second), "");
  Client& reloads = member(host.room_id, "Reloads");
  Client& ejected = member(host.room_id, "Ejected");
  keeping = false;
  for (Client* each : {&reloads, &ejected})
    ask(*each, [](v1::KeysFromClient& keys) { keys.mutable_request_box(); });
  must(host, invite(ejected.id()));
  must(ejected, accept());
  EXPECT_EQ(host.peer->tasks(T::kRebox).size(), 2U);
  EXPECT_EQ(host.peer->tasks(T::kGiveStage).size(), 2U);
  join(host.room_id, reloads.token);
  EXPECT_EQ(admit(host, host.peer->tasks(T::kAdmit).back().admit()), "");
  EXPECT_EQ(remove(host, ejected), "");
  advance(base::seconds(5));
  EXPECT_EQ(second.peer->tasks(T::kRebox).size(), 0U);
  EXPECT_EQ(second.peer->tasks(T::kGiveStage).size(), 0U);
}

TEST_F(EntriesTest, WhoLeavesIsDepartedByAKeeper) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  Client& guest = member(host.room_id, "Grace");
  advance(base::seconds(1));
  keeping = false;
  EXPECT_EQ(depart(host, guest), "room.grace_not_over") << "it is there";
  forget_events();
  must(guest, leave());
  EXPECT_TRUE(guest.peer->closed);
  EXPECT_EQ(relay.last_about(guest.join_id), "closed");
  EXPECT_EQ(members(host.room_id), 2U);
  EXPECT_EQ(host.peer->tasks(T::kDepart).size(), 1U);
  advance(base::seconds(2));
  EXPECT_EQ(speaker.peer->tasks(T::kDepart).size(), 1U);
  advance(base::seconds(2));
  EXPECT_EQ(host.peer->tasks(T::kDepart).size(), 2U);
  EXPECT_EQ(host.peer->tasks(T::kDepart)[1].depart().leaf(), roomlog_test::to_string(guest.leaf()));
  EXPECT_EQ(depart(host, guest), "");
  advance(base::seconds(5));
  EXPECT_EQ(speaker.peer->tasks(T::kDepart).size(), 1U);
  EXPECT_EQ(count(host.peer->take_events(), v1::RoomEvent::kAudienceChanged), 1U);
}

TEST_F(EntriesTest, AStageMemberWithoutADepartureKeepsItsSeatUntilItIsWritten) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  keeping = false;
  host.peer->take_events();
  must(speaker, leave());
  const auto events = host.peer->take_events();
  ASSERT_EQ(count(events, v1::RoomEvent::kStageMemberChanged), 1U);
  EXPECT_FALSE(events[0].stage_member_changed().member().connected());
  EXPECT_EQ(depart(host, speaker), "");
  EXPECT_EQ(count(host.peer->take_events(), v1::RoomEvent::kStageMemberLeft), 1U);
}

TEST_F(EntriesTest, OwnDeparturesAreReturnedBeforeTheEnd) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  const std::uint64_t n = log_of(host).n();
  EXPECT_EQ(depart(speaker, speaker), "");
  EXPECT_EQ(numbers(speaker).back(), n + 1);
  EXPECT_TRUE(speaker.peer->closed);
  EXPECT_EQ(relay.last_about(speaker.join_id), "closed");
  EXPECT_EQ(host.peer->tasks(T::kDepart).size(), 0U);
  EXPECT_EQ(members(host.room_id), 1U);
}

class DevicesTest : public EntriesTest {
 protected:
  // A join with the same session and the keys of another device. The device's name is its identity.
  Pending begin_join_of(const std::string& room_id, const std::string& token,
                        const std::string& name, const std::string& device) {
    const auto me = parse<v1::MeResponse>(request(make("GET", "/v1/me", nullptr, token)));
    const auto id = base::AccountId::parse(me.account().account_id());
    auto keys = make_keys(room_id, device, id->text());
    v1::Certificate body;
    EXPECT_TRUE(body.ParseFromString(keys.certificate.object.body()));
    body.set_display_name(name);
    roomlog::Hash room{};
    std::ranges::copy(base::as_bytes(body.room_fingerprint()), room.begin());
    const auto certificate =
        roomlog::make_certificate(room, body, roomlog_test::signer(keys.identity));
    return begin_join_with(room_id, token, {}, certificate.object);
  }
};

TEST_F(DevicesTest, AnotherDeviceOfTheAccountIsAnotherJoin) {
  Client& host = open_room("ada");
  const std::string token = account("grace");
  Client& laptop = join(host.room_id, token);
  connect(laptop);
  to_stage(host, laptop);
  const Pending pending = begin_join_of(host.room_id, token, "grace", "phone");
  laptop.peer->take_events();
  keep();
  EXPECT_EQ((*pending)->status, 200);
  EXPECT_EQ(laptop.peer->take_events().back().removed().cause(), "replaced");
  EXPECT_EQ(members(host.room_id), 2U);
  EXPECT_EQ(log_of(host).stage().size(), 1U) << "its seat is departed";
}

TEST_F(DevicesTest, AnotherDeviceOfWhoIsAloneOnTheStageDoesNotEndTheRoom) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const Pending refused = begin_join_of(host.room_id, host.token, "ada", "phone");
  keep();
  ASSERT_TRUE(refused->has_value());
  EXPECT_EQ((*refused)->status, 409);
  EXPECT_EQ(reason(**refused), "room.on_stage_elsewhere");
  EXPECT_FALSE(host.peer->closed);
  EXPECT_EQ(members(host.room_id), 2U);
  // As it says: with somebody else on the stage.
  to_stage(host, guest);
  const Pending taken = begin_join_of(host.room_id, host.token, "ada", "phone");
  keep();
  EXPECT_EQ((*taken)->status, 200);
  EXPECT_TRUE(host.peer->closed);
  EXPECT_FALSE(guest.peer->closed);
}

TEST_F(DevicesTest, AnotherDeviceOfWhoWasEjectedMeanwhileIsNotInTheOthersWay) {
  Client& host = open_room("ada");
  const std::string token = account("grace");
  Client& laptop = join(host.room_id, token);
  connect(laptop);
  const std::size_t before = host.peer->tasks(T::kAdmit).size();
  keeping = false;
  const Pending phone = begin_join_of(host.room_id, token, "grace", "phone");
  Client& other = member(host.room_id, "Linus");
  EXPECT_EQ(remove(host, laptop), "");
  // The log knows another identity: the keeper has no reason to refuse it.
  std::vector<v1::AdmitTask> both;
  std::vector<v1::LogOp> ops;
  for (const auto& task : host.peer->tasks(T::kAdmit) | std::views::drop(before)) {
    both.push_back(task.admit());
    ops.push_back(roomlog_test::admit_op(*roomlog::parse_certificate(
        log_of(host).fingerprint(), task.admit().keys().certificate())));
  }
  ASSERT_EQ(both.size(), 2U);
  v1::AppendEntry append = draft(host, ops);
  for (const v1::AdmitTask& task : both) {
    v1::JoinBox& box = *append.add_join_boxes();
    box.set_candidate(task.candidate());
    box.set_box(std::string(84, 'j'));
  }
  EXPECT_EQ(send(host, append), "room.blocked");
  const v1::AppendRefused refused = host.peer->last(K::kAppendRefused)->append_refused();
  ASSERT_EQ(refused.gone_size(), 1);
  EXPECT_EQ(refused.gone(0), both.front().candidate());
  EXPECT_EQ(admit(host, both.back()), "");
  EXPECT_TRUE(other.peer->last(K::kAdmitted));
}

TEST_F(DevicesTest, AnotherDeviceIsNotAdmittedWhenTheOthersLeftMeanwhile) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  to_stage(host, guest);
  keeping = false;
  const Pending pending = begin_join_of(host.room_id, host.token, "ada", "phone");
  EXPECT_EQ((*pending)->status, 200) << "the relay has opened its endpoint";
  must(guest, leave());
  EXPECT_EQ(admit(host, host.peer->tasks(T::kAdmit).back().admit()), "room.on_stage_elsewhere");
  EXPECT_FALSE(host.peer->closed);
  EXPECT_EQ(members(host.room_id), 2U) << "the seat is shown until its departure is written";
}

}  // namespace
}  // namespace alcove::control
