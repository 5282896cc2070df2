// Founding, candidates, keepers, and going on when nobody is there.

#include <gtest/gtest.h>

#include "control_fixture.h"

namespace alcove::control {
namespace {

using K = v1::KeysFromServer;
using T = v1::KeeperTask;
using W = v1::Waiting;

class AdmissionTest : public ControlTest {
 protected:
  std::uint32_t members(const std::string& room_id) {
    return parse<v1::RoomSummary>(request(make("GET", "/v1/rooms/" + room_id))).member_count();
  }
  static std::string goodbye(const Client& client) {
    return client.peer->messages.empty() ? ""
                                         : client.peer->messages.back().goodbye().reason().reason();
  }
  void refuse(Client& keeper, std::uint32_t candidate, v1::RefuseCandidate::Reason reason) {
    v1::ClientMessage message;
    message.mutable_keys()->mutable_refuse()->set_candidate(candidate);
    message.mutable_keys()->mutable_refuse()->set_reason(reason);
    say(keeper, message);
  }
  // Admissions that this client was asked for.
  static std::vector<T> asked(const Client& client) { return client.peer->tasks(T::kAdmit); }
  Client& moderator(Client& host, const std::string& name) {
    Client& client = member(host.room_id, name);
    to_stage(host, client);
    EXPECT_EQ(make_moderator(host, client), "");
    return client;
  }
};

TEST_F(AdmissionTest, TheHostFoundsTheRoom) {
  const std::string token = account("ada");
  const std::string room_id = start_room(token);
  keeping = false;
  Client& host = join(room_id, token);
  connect(host);
  EXPECT_EQ(host.peer->waiting(), W::REASON_RESUME);
  const v1::LogChain offered = host.peer->last(K::kResume)->resume();
  EXPECT_TRUE(offered.has_genesis());
  EXPECT_EQ(offered.authority_size(), 0);
  EXPECT_FALSE(host.peer->last(K::kRoster));
  EXPECT_TRUE(host.peer->large);
  EXPECT_EQ(members(room_id), 0U);
  EXPECT_EQ(resume(host), "");
  const v1::Admitted admitted = host.peer->last(K::kAdmitted)->admitted();
  EXPECT_EQ(admitted.chain().SerializeAsString(), offered.SerializeAsString());
  EXPECT_TRUE(admitted.box().empty());
  EXPECT_TRUE(host.peer->messages.back().has_welcome());
  EXPECT_EQ(members(room_id), 1U);
}

TEST_F(AdmissionTest, OnlyTheHostFounds) {
  const std::string token = account("ada");
  const std::string room_id = start_room(token);
  keeping = false;
  Client& early = member(room_id, "Early");
  EXPECT_EQ(early.peer->waiting(), W::REASON_NOBODY);
  EXPECT_FALSE(early.peer->last(K::kResume));
  EXPECT_EQ(resume(early), "log.invalid");
  keeping = true;
  connect(join(room_id, token));
  EXPECT_TRUE(early.peer->last(K::kAdmitted));
  EXPECT_EQ(members(room_id), 2U);
}

TEST_F(AdmissionTest, AKeeperIsAskedWhenTheRelayHasOpened) {
  Client& host = open_room("ada");
  keeping = false;
  relay.answers = false;
  const Pending pending = begin_join(host.room_id, {}, "Grace");
  disconnect(host);
  connect(host);
  EXPECT_TRUE(asked(host).empty()) << "who is there is looked at anew, and it is nobody's yet";
  EXPECT_FALSE(pending->has_value());
  relay.answer(relay.last_open().join_id());
  EXPECT_EQ((*pending)->status, 200);
  ASSERT_EQ(asked(host).size(), 1U);
  EXPECT_FALSE(asked(host)[0].admit().known());
  EXPECT_EQ(members(host.room_id), 1U);
  EXPECT_EQ(admit(host, asked(host)[0].admit()), "");
  EXPECT_EQ(members(host.room_id), 2U);
  EXPECT_FALSE(relay.receives(relay.last_open().join_id())) << "it does not know yet";
}

TEST_F(AdmissionTest, AJoinThatTheRelayRefusesLeavesTheKeeperInPeace) {
  Client& host = open_room("ada");
  keeping = false;
  relay.answers = false;
  const Pending refused = begin_join(host.room_id, {}, "Grace");
  const Pending again = begin_join(host.room_id, host.token);
  relay.refuses = v1::EndpointRefused::REASON_BAD_OFFER;
  for (const v1::RelayCommand& command : std::vector(relay.commands))
    if (command.has_open() && command.open().join_id() != host.join_id)
      relay.answer(command.open().join_id());
  EXPECT_EQ(reason(**refused), "sdp.bad_offer");
  EXPECT_EQ(reason(**again), "sdp.bad_offer");
  EXPECT_TRUE(asked(host).empty());
  relay.answers = true;
  relay.refuses.reset();
  Client& guest = member(host.room_id, "Edsger");
  EXPECT_EQ(guest.peer->waiting(), W::REASON_ASKED) << "the host is still there";
}

TEST_F(AdmissionTest, ABatchThatNamesWhoIsGoneSaysSo) {
  Client& host = open_room("ada");
  keeping = false;
  Client& gone = member(host.room_id, "Gone");
  Client& there = member(host.room_id, "There");
  const std::vector<T> tasks = asked(host);
  const auto batch = [&](bool with_gone) {
    std::vector<v1::LogOp> ops;
    if (with_gone) ops.push_back(roomlog_test::admit_op(gone.keys.certificate));
    ops.push_back(roomlog_test::admit_op(there.keys.certificate));
    v1::AppendEntry append = draft(host, ops);
    for (std::size_t i = with_gone ? 0 : 1; i < tasks.size(); ++i) {
      v1::JoinBox& box = *append.add_join_boxes();
      box.set_candidate(tasks[i].admit().candidate());
      box.set_box(std::string(84, 'j'));
    }
    return append;
  };
  must(gone, leave());
  EXPECT_EQ(send(host, batch(true)), "log.candidate_gone");
  const auto refused = host.peer->last(K::kAppendRefused)->append_refused();
  ASSERT_EQ(refused.gone_size(), 1);
  EXPECT_EQ(refused.gone(0), tasks[0].admit().candidate());
  EXPECT_EQ(send(host, batch(false)), "");
  EXPECT_TRUE(there.peer->last(K::kAdmitted));
}

TEST_F(AdmissionTest, AResumeThatIsRefusedIsOfferedAnew) {
  Client& host = open_room("ada");
  disconnect(host);
  keeping = false;
  Client& again = join(host.room_id, host.token);
  connect(again);
  ASSERT_EQ(again.peer->all(K::kResume).size(), 1U);
  v1::AppendEntry wrong =
      draft(again, {roomlog_test::admit_op(again.keys.certificate)}, v1::ADVANCE_FRESH, true);
  wrong.mutable_entry()->mutable_signature()->front() ^= 1;
  EXPECT_EQ(send(again, wrong), "log.invalid");
  EXPECT_EQ(again.peer->all(K::kResume).size(), 2U);
  EXPECT_EQ(again.peer->all(K::kRoster).size(), 2U);
  EXPECT_EQ(resume(again), "");
}

class OfferLimitTest : public AdmissionTest {
 protected:
  OfferLimitTest() { restart(ServerOptions()); }
};

TEST_F(OfferLimitTest, OffersToGoOnAreLimitedAndComeAllTheSame) {
  Client& host = open_room("ada");
  disconnect(host);
  keeping = false;
  Client& again = join(host.room_id, host.token);
  connect(again);
  v1::ClientMessage resync;
  resync.mutable_resync();
  for (int i = 0; i < 10; ++i) say(again, resync);
  EXPECT_EQ(again.peer->all(K::kResume).size(), 3U);
  EXPECT_FALSE(again.peer->closed);
  advance(base::milliseconds(4900));
  EXPECT_EQ(again.peer->all(K::kResume).size(), 3U);
  advance(base::milliseconds(200));
  EXPECT_EQ(again.peer->all(K::kResume).size(), 4U);
  advance(base::seconds(30));
  EXPECT_EQ(again.peer->all(K::kResume).size(), 4U) << "once for all of them";
  EXPECT_EQ(resume(again), "");
}

TEST_F(AdmissionTest, WhoWasOfferedToGoOnIsToldWhenAnotherDid) {
  Client& host = open_room("ada");
  Client& second = moderator(host, "Second");
  disconnect(second);
  disconnect(host);
  keeping = false;
  Client& one = join(host.room_id, host.token);
  connect(one);
  Client& two = join(host.room_id, second.token);
  connect(two);
  EXPECT_EQ(two.peer->waiting(), W::REASON_RESUME);
  EXPECT_EQ(resume(one), "");
  EXPECT_EQ(two.peer->waiting(), W::REASON_ASKED);
  EXPECT_EQ(resume(two), "log.conflict");
  disconnect(one);
  EXPECT_EQ(two.peer->waiting(), W::REASON_RESUME);
  EXPECT_EQ(two.peer->all(K::kResume).size(), 2U) << "of the log as it is now";
  EXPECT_EQ(resume(two), "");
}

TEST_F(AdmissionTest, APlaceThatBecomesFreeIsForWhoCouldNotBeLetIn) {
  Client& host = open_room("ada");
  Client& leaver = member(host.room_id, "Leaver");
  keeping = false;
  Client& guest = member(host.room_id, "Grace");
  const std::size_t asks = asked(host).size();
  refuse(host, asked(host).back().admit().candidate(), v1::RefuseCandidate::REASON_CANNOT_CHECK);
  EXPECT_EQ(guest.peer->waiting(), W::REASON_NOBODY);
  must(leaver, leave());
  EXPECT_EQ(guest.peer->waiting(), W::REASON_NOBODY);
  EXPECT_EQ(depart(host, leaver), "");
  EXPECT_EQ(guest.peer->waiting(), W::REASON_ASKED);
  EXPECT_EQ(asked(host).size(), asks + 1);
}

TEST_F(AdmissionTest, ACandidateIsInNobodysListAndMayOnlyLeave) {
  Client& host = open_room("ada");
  advance(base::seconds(1));
  host.peer->take_events();
  keeping = false;
  Client& guest = member(host.room_id, "Grace");
  EXPECT_EQ(guest.peer->waiting(), W::REASON_ASKED);
  EXPECT_TRUE(guest.peer->messages.empty());
  EXPECT_EQ(members(host.room_id), 1U);
  EXPECT_EQ(reason(give(guest, raise_hand())), "room.not_member");
  EXPECT_EQ(relay.last_about(guest.join_id), "silent");
  v1::ClientMessage ping;
  ping.mutable_ping()->set_nonce(7);
  say(guest, ping);
  EXPECT_EQ(guest.peer->messages.back().pong().nonce(), 7U);
  EXPECT_NE(server->metrics().find("alcove_candidates 1\n"), std::string::npos);
  must(guest, leave());
  EXPECT_EQ(goodbye(guest), "join.invalid");
  EXPECT_EQ(relay.last_about(guest.join_id), "closed");
  EXPECT_EQ(admit(host, asked(host)[0].admit()), "log.candidate_gone");
  advance(base::seconds(1));
  EXPECT_TRUE(host.peer->take_events().empty());
}

TEST_F(AdmissionTest, KeepersAreAskedInOrderUntilOneWrites) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  Client& second = moderator(host, "Second");
  Client& listener = member(host.room_id, "Listener");
  keeping = false;
  Client& guest = member(host.room_id, "Grace");
  const std::size_t before_host = asked(host).size();
  EXPECT_EQ(asked(second).size(), 0U);
  advance(base::milliseconds(500));
  EXPECT_EQ(asked(second).size(), 1U);
  EXPECT_EQ(asked(speaker).size(), 0U);
  advance(base::milliseconds(500));
  ASSERT_EQ(asked(speaker).size(), 1U);
  advance(base::milliseconds(2400));
  EXPECT_EQ(asked(host).size(), before_host);
  advance(base::milliseconds(200));
  EXPECT_EQ(asked(host).size(), before_host + 1) << "from the beginning";
  EXPECT_EQ(admit(speaker, asked(speaker)[0].admit()), "");
  EXPECT_TRUE(guest.peer->last(K::kAdmitted));
  advance(base::seconds(5));
  EXPECT_EQ(asked(host).size(), before_host + 1);
  EXPECT_EQ(asked(listener).size(), 0U);
}

TEST_F(AdmissionTest, WhoCannotCheckPassesItOn) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  keeping = false;
  Client& guest = member(host.room_id, "Grace");
  const std::uint32_t number = asked(host).back().admit().candidate();
  refuse(speaker, number, v1::RefuseCandidate::REASON_BLOCKED);
  EXPECT_EQ(goodbye(guest), "") << "it was not asked";
  refuse(host, number, v1::RefuseCandidate::REASON_CANNOT_CHECK);
  ASSERT_EQ(asked(speaker).size(), 1U);
  refuse(speaker, number, v1::RefuseCandidate::REASON_CANNOT_CHECK);
  EXPECT_EQ(guest.peer->waiting(), W::REASON_NOBODY);
  advance(base::seconds(5));
  EXPECT_EQ(asked(speaker).size(), 1U);
  // Roles have changed: perhaps now.
  EXPECT_EQ(make_moderator(host, speaker), "");
  EXPECT_EQ(guest.peer->waiting(), W::REASON_ASKED);
  EXPECT_EQ(asked(host).back().admit().candidate(), number);
}

TEST_F(AdmissionTest, RefusalsEndTheJoin) {
  Client& host = open_room("ada");
  keeping = false;
  const auto refused = [&](v1::RefuseCandidate::Reason why) {
    Client& guest = member(host.room_id, "Grace " + std::to_string(why));
    refuse(host, asked(host).back().admit().candidate(), why);
    EXPECT_TRUE(guest.peer->closed);
    EXPECT_EQ(relay.last_about(guest.join_id), "closed");
    return goodbye(guest);
  };
  EXPECT_EQ(refused(v1::RefuseCandidate::REASON_NO_LINK), "room.not_admitted");
  EXPECT_EQ(refused(v1::RefuseCandidate::REASON_BLOCKED), "room.blocked");
  EXPECT_EQ(refused(v1::RefuseCandidate::REASON_LOCKED), "room.locked");
  EXPECT_EQ(refused(v1::RefuseCandidate::REASON_BAD_CERTIFICATE), "room.not_admitted");
  // Between the answer and the hello, the reason waits for whom it concerns.
  Client& early = join(host.room_id, {}, "Early");
  const std::size_t asks = asked(host).size();
  refuse(host, asked(host).back().admit().candidate(), v1::RefuseCandidate::REASON_LOCKED);
  advance(base::seconds(2));
  EXPECT_EQ(asked(host).size(), asks);
  connect(early);
  EXPECT_EQ(goodbye(early), "room.locked");
  EXPECT_TRUE(early.peer->closed);
}

class AnswersTest : public AdmissionTest {
 protected:
  AnswersTest() { restart(ServerOptions()); }
};

TEST_F(AnswersTest, ManyWhoAreRefusedDoNotCostTheKeeperItsConnection) {
  Client& host = open_room("ada");
  keeping = false;
  for (int i = 0; i < 60; ++i) {
    join(host.room_id, {}, "G" + std::to_string(i));
    refuse(host, asked(host).back().admit().candidate(), v1::RefuseCandidate::REASON_NO_LINK);
  }
  EXPECT_FALSE(host.peer->closed);
  advance(base::seconds(5));  // nobody came to hear why
  EXPECT_NE(server->metrics().find("alcove_candidates 0\n"), std::string::npos);
  for (int i = 0; i < 60 && !host.peer->closed; ++i)
    refuse(host, 1, v1::RefuseCandidate::REASON_NO_LINK);
  EXPECT_EQ(goodbye(host), "rate_limited") << "what nobody asked for is limited";
}

TEST_F(AdmissionTest, WhoWasInsideIsKnown) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  must(guest, leave());
  keeping = false;
  member(host.room_id, "Stranger");
  EXPECT_FALSE(asked(host).back().admit().known());
  join(host.room_id, guest.token);
  EXPECT_TRUE(asked(host).back().admit().known());
}

TEST_F(AdmissionTest, CandidatesGoWhenTheirConnectionsDo) {
  Client& host = open_room("ada");
  keeping = false;
  Client& without_socket = join(host.room_id, {}, "A");
  advance(base::milliseconds(5100));
  EXPECT_EQ(relay.last_about(without_socket.join_id), "closed");

  Client& away = member(host.room_id, "B");
  disconnect(away);
  advance(base::milliseconds(14'900));
  EXPECT_NE(relay.last_about(away.join_id), "closed");
  connect(away);
  EXPECT_EQ(away.peer->waiting(), W::REASON_ASKED);
  disconnect(away);
  advance(base::milliseconds(15'100));
  EXPECT_EQ(relay.last_about(away.join_id), "closed");

  Client& silent = member(host.room_id, "C");
  relay.report(silent.join_id, v1::EndpointStateChanged::STATE_GONE);
  EXPECT_EQ(goodbye(silent), "join.media_gone");

  Client& revoked = member(host.room_id, "D");
  EXPECT_EQ(request(make("DELETE", "/v1/sessions/current", nullptr, revoked.token)).status, 200);
  EXPECT_EQ(goodbye(revoked), "session.revoked");
  EXPECT_NE(server->metrics().find("alcove_candidates 0\n"), std::string::npos);
}

TEST_F(AdmissionTest, ALaterJoinOfTheAccountReplacesTheCandidate) {
  Client& host = open_room("ada");
  keeping = false;
  const std::string grace = account("grace");
  Client& first = join(host.room_id, grace);
  connect(first);
  Client& second = join(host.room_id, grace);
  connect(second);
  EXPECT_EQ(goodbye(first), "join.replaced");
  EXPECT_EQ(admit(host, asked(host).front().admit()), "log.candidate_gone");
  EXPECT_EQ(admit(host, asked(host).back().admit()), "");
  EXPECT_TRUE(second.peer->last(K::kAdmitted));
}

TEST_F(AdmissionTest, CandidatesAreBounded) {
  ServerOptions options = generous();
  options.max_room_members = 3;
  restart(options);
  Client& host = open_room("ada");
  keeping = false;
  Client& first = member(host.room_id, "A");
  member(host.room_id, "B");
  Client& last = member(host.room_id, "C");
  EXPECT_EQ(reason(try_join(host.room_id, {}, "D")), "room.full");
  // The room takes two of them.
  const std::vector<T> tasks = asked(host);
  EXPECT_EQ(admit(host, tasks[0].admit()), "");
  EXPECT_EQ(admit(host, tasks[1].admit()), "");
  EXPECT_EQ(admit(host, tasks[2].admit()), "room.full");
  EXPECT_EQ(members(host.room_id), 3U);
  EXPECT_EQ(goodbye(last), "room.full");
  EXPECT_EQ(relay.last_about(last.join_id), "closed");
  const auto told = host.peer->last(K::kAppendRefused)->append_refused();
  ASSERT_EQ(told.gone_size(), 1);
  EXPECT_EQ(told.gone(0), tasks[2].admit().candidate());
  // Who has left has its place until the log says so: else a room could have any number.
  must(first, leave());
  EXPECT_EQ(members(host.room_id), 2U);
  EXPECT_EQ(reason(try_join(host.room_id, {}, "D")), "room.full");
  EXPECT_EQ(depart(host, first), "");
  EXPECT_EQ(try_join(host.room_id, {}, "D").status, 200);
}

TEST_F(AdmissionTest, WithoutAKeeperACandidateWaitsForOne) {
  Client& host = open_room("ada");
  keeping = false;
  disconnect(host);
  Client& guest = member(host.room_id, "Grace");
  EXPECT_EQ(guest.peer->waiting(), W::REASON_NOBODY);
  connect(host);
  EXPECT_EQ(guest.peer->waiting(), W::REASON_ASKED);
  EXPECT_EQ(asked(host).size(), 1U);
  disconnect(host);
  EXPECT_EQ(guest.peer->waiting(), W::REASON_NOBODY);
}

TEST_F(AdmissionTest, AHostWhoReloadsGoesOnAlone) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  disconnect(host);
  keeping = false;
  Client& again = join(host.room_id, host.token);
  connect(again);
  EXPECT_EQ(again.peer->waiting(), W::REASON_RESUME);
  const v1::LogChain chain = again.peer->last(K::kResume)->resume();
  const auto walked = roomlog::walk_chain(chain, log_of(host).fingerprint());
  ASSERT_TRUE(walked.has_value());
  const v1::RosterPart roster = again.peer->last(K::kRoster)->roster();
  EXPECT_EQ(roster.total(), 2U);
  EXPECT_EQ(roster.certificates_size(), 2);
  EXPECT_TRUE(roster.has_head());
  EXPECT_EQ(resume(again), "");
  connect(again);  // its Welcome
  EXPECT_EQ(again.id(), host.id());
  EXPECT_EQ(again.room.self().seat(), 1U);
  EXPECT_EQ(relay.last_about(host.join_id), "closed");
  // The listener got its box with the entry.
  const auto delivered = guest.peer->last(K::kDelivery)->delivery();
  EXPECT_EQ(delivered.entries(0).box(), box_for(guest.leaf(), log_of(host).n()));
}

TEST_F(AdmissionTest, AnOlderConnectionOfWhoGoesOnIsCut) {
  Client& host = open_room("ada");
  Client& again = join(host.room_id, host.token);  // while the old one is still there
  connect(again);
  EXPECT_EQ(host.peer->take_events().back().removed().cause(), "replaced");
  EXPECT_TRUE(host.peer->closed);
  EXPECT_EQ(again.id(), host.id());
  EXPECT_EQ(again.room.self().role(), v1::ROLE_MODERATOR);
}

TEST_F(AdmissionTest, ARoomWithAKeeperIsNotResumed) {
  Client& host = open_room("ada");
  Client& second = moderator(host, "Second");
  disconnect(second);
  keeping = false;
  Client& again = join(host.room_id, second.token);
  connect(again);
  EXPECT_EQ(again.peer->waiting(), W::REASON_ASKED);
  EXPECT_EQ(resume(again), "log.conflict");
  disconnect(host);
  EXPECT_EQ(again.peer->waiting(), W::REASON_RESUME);
  connect(host);
  EXPECT_EQ(again.peer->waiting(), W::REASON_ASKED);
  advance(base::seconds(11));
  EXPECT_FALSE(again.peer->large);
  disconnect(host);
  EXPECT_EQ(resume(again), "");
  EXPECT_EQ(members(host.room_id), 2U);
}

TEST_F(AdmissionTest, WhoReloadsKeepsTheRoomWhileNobodyElseCan) {
  Client& host = open_room("ada");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  disconnect(host);
  keeping = false;
  // Its identity has no authority, so it cannot go on by itself, and the old join is still there.
  Client& again = join(host.room_id, speaker.token);
  connect(again);
  Client& guest = member(host.room_id, "Grace");
  EXPECT_EQ(again.peer->waiting(), W::REASON_ASKED);
  EXPECT_EQ(guest.peer->waiting(), W::REASON_ASKED);
  ASSERT_EQ(asked(speaker).size(), 2U);
  // With somebody else there it is asked no more.
  connect(host);
  advance(base::seconds(5));
  EXPECT_EQ(asked(speaker).size(), 2U);
  disconnect(host);
  EXPECT_EQ(admit(speaker, asked(speaker)[1].admit()), "");
  EXPECT_TRUE(guest.peer->last(K::kAdmitted));
  EXPECT_EQ(admit(speaker, asked(speaker)[0].admit()), "");
  EXPECT_EQ(again.peer->messages.front().welcome().room().self().role(), v1::ROLE_SPEAKER);
}

TEST_F(AdmissionTest, ARoomWhoseStageIsGoneEndsAfterTheGrace) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  disconnect(host);
  disconnect(speaker);
  keeping = false;
  Client& waiting = member(host.room_id, "Late");
  advance(base::seconds(16));
  EXPECT_EQ(guest.peer->take_events().back().room_ended().cause(), "empty");
  EXPECT_EQ(goodbye(waiting), "room.ended");
}

TEST_F(AdmissionTest, ACertificateIsThatOfTheSession) {
  Client& host = open_room("ada");
  const std::string grace = account("grace");
  const auto refused = [&](const std::string& token, const std::string& guest,
                           const std::string& account_text, const std::string& name,
                           const std::string& mac = {}) {
    const auto keys = make_keys(host.room_id, name, account_text);
    const Pending pending =
        begin_join_with(host.room_id, token, guest, keys.certificate.object, mac);
    return pending->has_value() ? reason(**pending) : "not answered";
  };
  EXPECT_EQ(refused(grace, {}, "guest", "grace"), "join.bad_keys");
  EXPECT_EQ(refused({}, "Grace", "guest", "Ada"), "join.bad_keys");
  EXPECT_EQ(refused({}, "Grace", "guest", "Grace", std::string(31, 'm')), "join.bad_keys");
  EXPECT_EQ(refused({}, "Grace", "guest", "Grace", std::string(32, 'm')), "");
  Client& other = open_room("edsger");
  const auto keys = make_keys(other.room_id, "Grace", "guest");
  const Pending elsewhere = begin_join_with(host.room_id, {}, "Grace", keys.certificate.object);
  EXPECT_EQ(reason(**elsewhere), "join.bad_keys");
  const Pending once = begin_join_with(other.room_id, {}, "Grace", keys.certificate.object);
  EXPECT_EQ((*once)->status, 200);
  const Pending twice = begin_join_with(other.room_id, {}, "Grace", keys.certificate.object);
  EXPECT_EQ(reason(**twice), "join.bad_keys") << "its leaf was seen";
}

TEST_F(AdmissionTest, AGenesisIsForThisServerAndNow) {
  const std::string token = account("ada");
  const auto refused = [&](const std::function<void(v1::Genesis&)>& change) {
    return reason(try_start(token, genesis_of("ada", v1::ROOM_KIND_OPEN, change)));
  };
  EXPECT_EQ(refused([](v1::Genesis& g) { g.set_packet_bucket(200); }), "room.bad_genesis");
  EXPECT_EQ(refused([](v1::Genesis& g) { g.set_manifest_key_hash(std::string(32, 'm')); }),
            "room.bad_genesis");
  const auto at = [&](std::int64_t off) {
    return refused(
        [&](v1::Genesis& g) { g.set_created_at_ms(wall.time_since_epoch().count() + off); });
  };
  EXPECT_EQ(at(25LL * 3600 * 1000), "room.bad_genesis");
  EXPECT_EQ(at(-25LL * 3600 * 1000), "room.bad_genesis");
  EXPECT_EQ(at(-23LL * 3600 * 1000), "");
  v1::SignedObject forged = genesis_of("ada", v1::ROOM_KIND_OPEN);
  forged.mutable_signature()->front() ^= 1;
  EXPECT_EQ(reason(try_start(token, forged)), "room.bad_genesis");
  const v1::SignedObject twice = genesis_of("ada", v1::ROOM_KIND_CLOSED);
  const auto started = parse<v1::StartRoomResponse>(try_start(token, twice));
  EXPECT_EQ(started.room().kind(), v1::ROOM_KIND_CLOSED);
  EXPECT_EQ(started.room().genesis().SerializeAsString(), twice.SerializeAsString());
  EXPECT_EQ(reason(try_start(token, twice)), "room.id_in_use");
}

}  // namespace
}  // namespace alcove::control
