// A member and its room's log: let in, told, obeyed.

#include <algorithm>

#include "base/text.h"
#include "client/verify.h"
#include "unit/client/fake_house.h"

namespace alcove::client {
namespace {

using base::milliseconds;
using base::seconds;
using rtc::PeerState;

class MemberKeysTest : public test::FakeHouse {
 protected:
  void be_moderator() {
    join_and_connect();
    change_role(v1::ROLE_MODERATOR);
  }
  test::LogHouse::Person& bring(const std::string& name) {
    test::LogHouse::Person& person =
        house.enter(gail_identity_, gail_random_, {.account = "guest", .display_name = name});
    house.connect(now, person);
    advance(milliseconds(200));
    EXPECT_TRUE(person.inside);
    return person;
  }
  void type(std::string_view line) {
    member->handle_line(now, line);
    pump();
    advance(milliseconds(500));
  }
  // What the server says of a person in the audience.
  void tell_audience(std::uint32_t id, const std::string& name, const roomlog::Hash& leaf) {
    v1::RoomEvent event;
    v1::Member* one = event.mutable_audience_changed()->add_audience_sample();
    one->set_member_id(id);
    one->set_display_name(name);
    one->set_role(v1::ROLE_LISTENER);
    one->set_leaf(leaf.data(), leaf.size());
    receive_event(event);
  }
  roomlog::LinkFragment fragment() const {
    return {house.state.fingerprint(), roomlog::LinkSecret{1, 2, 3}};
  }
  std::vector<std::string> warnings() const {
    std::vector<std::string> codes;
    for (const MemberEvent& event : events_named("warning"))
      if (field<bool>(event, "active")) codes.push_back(field<std::string>(event, "code"));
    return codes;
  }

  test::ToneSource tone_;

 private:
  base::SeededRandom gail_random_{7};
  crypto::Ed25519PrivateKey gail_identity_ = crypto::Ed25519PrivateKey::make(gail_random_);
};

TEST_F(MemberKeysTest, WaitsUntilSomebodyOnTheStageLetsIn) {
  house.nobody_answers = true;
  begin();
  answer_config();
  answer_join();
  open_socket();
  EXPECT_EQ(field<std::string>(events_named("waiting").at(0), "reason"), "nobody");
  peer_changes(PeerState::kConnected);
  advance(seconds(14));
  EXPECT_TRUE(events_named("joined").empty());
  EXPECT_FALSE(member->outcome());
  house.nobody_answers = false;
  house.hello();
  advance(milliseconds(200));
  EXPECT_EQ(events_named("admitted").size(), 1U);
  EXPECT_EQ(events_named("joined").size(), 1U);
  EXPECT_TRUE(warnings().empty());
}

TEST_F(MemberKeysTest, WaitingEndsWithTheStay) {
  options.stay = seconds(3);
  house.nobody_answers = true;
  begin();
  answer_config();
  answer_join();
  open_socket();
  peer_changes(PeerState::kConnected);
  advance(seconds(3));
  answer(take_call(room_path("/commands")), v1::RoomCommandResponse());
  EXPECT_EQ(status(), ExitStatus::kRefused);
}

TEST_F(MemberKeysTest, NotBeingLetInIsARefusal) {
  house.nobody_answers = true;
  begin();
  answer_config();
  answer_join();
  open_socket();
  v1::ServerMessage message;
  message.mutable_goodbye()->mutable_reason()->set_code("permission_denied");
  message.mutable_goodbye()->mutable_reason()->set_message("The room is locked.");
  receive(message);
  EXPECT_EQ(status(), ExitStatus::kRefused);
  EXPECT_EQ(member->outcome()->message, "The room is locked.");
}

TEST_F(MemberKeysTest, AWaitThatTheServerForgetsIsNotRepeatedForEver) {
  house.nobody_answers = true;
  begin();
  answer_config();
  v1::ServerMessage message;
  message.mutable_goodbye()->mutable_reason()->set_code("unauthenticated");
  int joins = 0;
  while (!member->outcome() && joins < 20) {
    ++joins;
    answer_join();
    open_socket();
    peer_changes(PeerState::kConnected);
    receive(message);
    EXPECT_TRUE(calls.empty() || member->outcome());
    advance(seconds(9));
  }
  EXPECT_EQ(joins, 5);
  EXPECT_EQ(status(), ExitStatus::kRefused);
  EXPECT_TRUE(events_named("reconnecting").empty());
}

TEST_F(MemberKeysTest, AWelcomeWithoutProofIsNotBelieved) {
  house.nobody_answers = true;
  begin();
  answer_config();
  answer_join();
  open_socket();
  v1::ServerMessage message;
  *message.mutable_welcome()->mutable_room() = state;
  receive(message);
  EXPECT_EQ(status(), ExitStatus::kRefused);
  EXPECT_TRUE(events_named("joined").empty());
}

TEST_F(MemberKeysTest, AForgedChainEndsTheJoin) {
  house.nobody_answers = true;
  begin();
  answer_config();
  answer_join();
  open_socket();
  v1::ServerMessage message;
  v1::Admitted& admitted = *message.mutable_keys()->mutable_admitted();
  *admitted.mutable_chain() = house.chain();
  *admitted.mutable_admit() = house.chain().head();
  receive(message);
  EXPECT_EQ(status(), ExitStatus::kRefused);
  EXPECT_EQ(warnings(), std::vector<std::string>{"failed_check"});
}

TEST_F(MemberKeysTest, TheRoomMustBeThatOfTheLink) {
  options.fragment = fragment();
  options.fragment->fingerprint[0] ^= 1;
  begin();
  answer_config();
  EXPECT_EQ(status(), ExitStatus::kRefused);
  EXPECT_TRUE(calls.empty());

  options.fragment.reset();
  options.room = base::RoomId::parse("AAECAwQFBgcICQoLDA0ODw");
  begin();
  answer_config();
  v1::RoomSummary room;
  *room.mutable_genesis() = house.state.genesis().object;
  answer(take_call("/v1/rooms/AAECAwQFBgcICQoLDA0ODw"), room);
  EXPECT_EQ(status(), ExitStatus::kRefused);
}

TEST_F(MemberKeysTest, SaysWhetherTheCodeWasCompared) {
  begin();
  answer_config();
  EXPECT_FALSE(field<bool>(events_named("room_code").at(0), "compared"));
  EXPECT_EQ(field<std::string>(events_named("room_code")[0], "code"),
            roomlog::room_code(house.state.fingerprint()));
  options.fragment = fragment();
  begin();
  answer_config();
  EXPECT_TRUE(field<bool>(events_named("room_code").at(1), "compared"));
}

TEST_F(MemberKeysTest, WhoLeavesTheStageWritesSoFirst) {
  join_and_connect();
  change_role(v1::ROLE_SPEAKER);
  ASSERT_NE(house.state.on_stage(house.member_leaf()), nullptr);
  member->leave(now);
  EXPECT_TRUE(calls.empty());
  pump();
  EXPECT_EQ(house.state.on_stage(house.member_leaf()), nullptr);
  const HttpCall leave = take_call(room_path("/commands"));
  EXPECT_TRUE(body_of<v1::RoomCommand>(leave).has_leave());
  answer(leave, v1::RoomCommandResponse());
  EXPECT_EQ(status(), ExitStatus::kOk);
}

TEST_F(MemberKeysTest, ADepartThatDoesNotComeBackIsNotWaitedForLong) {
  join_and_connect();
  change_role(v1::ROLE_SPEAKER);
  house.holds_back = true;
  member->leave(now);
  pump();
  advance(milliseconds(900));
  EXPECT_TRUE(calls.empty());
  advance(milliseconds(200));
  EXPECT_TRUE(body_of<v1::RoomCommand>(take_call(room_path("/commands"))).has_leave());
}

TEST_F(MemberKeysTest, CommandsBecomeEntries) {
  be_moderator();
  test::LogHouse::Person& gail = bring("Gail");
  tell_audience(9, "Gail", gail.leaf);
  type("lock");
  EXPECT_TRUE(house.state.locked());
  type("unlock");
  EXPECT_FALSE(house.state.locked());
  type("remove gail");
  EXPECT_EQ(house.state.member(gail.leaf), nullptr);
  EXPECT_TRUE(house.state.link_void());
  EXPECT_FALSE(gail.inside);
  type("move-down");
  EXPECT_EQ(house.state.on_stage(house.member_leaf()), nullptr);
  EXPECT_TRUE(house.refused_entries.empty());
  EXPECT_TRUE(events_named("error").empty());
  type("lock");
  EXPECT_EQ(field<std::string>(events_named("error").at(0), "command"), "lock");
}

TEST_F(MemberKeysTest, AnInvitedListenerGetsItsSeatFromWhoInvited) {
  be_moderator();
  test::LogHouse::Person& gail = bring("Gail");
  tell_audience(9, "Gail", gail.leaf);
  type("invite Gail");
  EXPECT_EQ(
      body_of<v1::RoomCommand>(take_call(room_path("/commands"))).invite_to_stage().member_id(),
      9U);
  v1::ServerMessage message;
  message.mutable_keys()->mutable_task()->mutable_give_stage()->set_leaf(gail.leaf.data(),
                                                                         gail.leaf.size());
  receive(message);
  ASSERT_NE(house.state.on_stage(gail.leaf), nullptr);
  tell_audience(9, "Gail", gail.leaf);
  type("make-moderator Gail");
  EXPECT_EQ(house.state.on_stage(gail.leaf)->role, v1::ROLE_MODERATOR);
}

TEST_F(MemberKeysTest, AnotherLeafUnderAKnownNameIsNotActedOn) {
  be_moderator();
  test::LogHouse::Person& gail = bring("Gail");
  // The server would like to have Gail removed in place of Bob.
  tell_audience(9, "Bob", gail.leaf);
  type("remove Bob");
  EXPECT_NE(house.state.member(gail.leaf), nullptr);
  EXPECT_EQ(field<std::string>(events_named("error").at(0), "command"), "remove");
  type("members");
  v1::ListMembersResponse members;
  *members.add_members() = state.self();
  members.mutable_members(0)->set_display_name("Somebody else");
  answer(take_call(room_path("/members")), members);
  EXPECT_EQ(field<std::string>(events_named("member").at(0), "name"), "Nils");
}

TEST_F(MemberKeysTest, TheRosterIsThatOfTheLog) {
  join_and_connect();
  type("roster");
  ASSERT_EQ(events_named("roster").size(), 1U);
  EXPECT_EQ(field<std::int64_t>(events_named("roster")[0], "count"), 2);
  const std::vector<MemberEvent> people = events_named("roster_member");
  ASSERT_EQ(people.size(), 2U);
  const auto hanna_is = std::ranges::find_if(
      people, [](const auto& one) { return field<std::string>(one, "name") == "Hanna"; });
  ASSERT_NE(hanna_is, people.end());
  EXPECT_EQ(field<std::string>(*hanna_is, "role"), "moderator");
  EXPECT_EQ(field<std::string>(*hanna_is, "account"), "hanna-id");
  EXPECT_FALSE(field<bool>(*hanna_is, "self"));
}

TEST_F(MemberKeysTest, TheLinkIsGivenOnlyByWhoHasIt) {
  join_and_connect();
  type("link");
  EXPECT_EQ(field<std::string>(events_named("error").at(0), "command"), "link");

  options.fragment = fragment();
  be_moderator();
  type("link");
  const std::string link = field<std::string>(events_named("link").at(0), "link");
  EXPECT_TRUE(link.ends_with("#" + roomlog::to_text(fragment())));
  type("new-link");
  ASSERT_EQ(events_named("link").size(), 2U);
  EXPECT_NE(field<std::string>(events_named("link")[1], "link"), link);
  EXPECT_EQ(house.state.link_generation(), 1U);
}

TEST_F(MemberKeysTest, ModeratorsInviteKeys) {
  const crypto::Ed25519PublicKey key{1, 2, 3};
  join_and_connect();
  type("invite-keys " + base::to_base64url(key));
  EXPECT_EQ(field<std::string>(events_named("error").at(0), "command"), "invite-keys");
  EXPECT_FALSE(house.state.is_invited(key));
  change_role(v1::ROLE_MODERATOR);
  type("invite-keys " + base::to_base64url(key));
  EXPECT_TRUE(house.state.is_invited(key));
  EXPECT_EQ(events_named("error").size(), 1U);
}

TEST_F(MemberKeysTest, KeyShowsTheOwnIdentityOutsideAndInside) {
  base::SeededRandom random(21);
  options.identity = random.bytes<32>();
  const auto identity = crypto::Ed25519PrivateKey::from_seed(*options.identity).public_key();
  begin();
  answer_config();
  type("key");
  ASSERT_EQ(events_named("key").size(), 1U);
  EXPECT_EQ(events_named("key")[0].text, base::to_base64url(identity));
  EXPECT_EQ(field<std::string>(events_named("key")[0], "identity"), base::to_base64url(identity));
  EXPECT_TRUE(parse_console_command("invite-keys " + events_named("key")[0].text));

  answer_join();
  open_socket();
  peer_changes(rtc::PeerState::kConnected);
  type("roster");
  type("key");
  ASSERT_EQ(events_named("key").size(), 2U);
  EXPECT_TRUE(std::ranges::any_of(events_named("roster_member"), [&](const MemberEvent& one) {
    return field<bool>(one, "self") &&
           field<std::string>(one, "identity") == events_named("key")[1].text;
  }));
  EXPECT_TRUE(events_named("error").empty());
}

TEST_F(MemberKeysTest, RejoinsByTheRenewedLink) {
  options.fragment = fragment();
  be_moderator();
  type("new-link");
  const std::string link = field<std::string>(events_named("link").at(0), "link");
  const auto renewed = roomlog::parse_link_fragment(link.substr(link.find('#') + 1));
  ASSERT_TRUE(renewed);
  v1::RoomEvent gone;
  gone.mutable_removed()->set_cause("gone");
  receive_event(gone);
  ASSERT_FALSE(calls.empty());
  const v1::JoinKeys keys = body_of<v1::JoinRoomRequest>(calls.front()).keys();
  const auto certificate =
      roomlog::parse_certificate(house.state.fingerprint(), keys.certificate());
  ASSERT_TRUE(certificate);
  const auto expected =
      roomlog::link_mac(renewed->secret, house.state.fingerprint(), certificate->leaf_hash);
  EXPECT_EQ(keys.link_mac(), base::as_text(expected));
}

TEST_F(MemberKeysTest, TheExportedLogIsVerified) {
  options.export_log = "at-the-end.log";
  be_moderator();
  bring("Gail");
  advance(seconds(20));
  type("export-log now.log");
  EXPECT_EQ(field<std::string>(events_named("log_exported").at(0), "file"), "now.log");
  member->leave(now);
  pump();
  answer(take_call(room_path("/commands")), v1::RoomCommandResponse());
  ASSERT_EQ(saved.size(), 2U);
  EXPECT_EQ(saved[1].path, "at-the-end.log");
  for (const SaveFile& file : saved) {
    v1::LogExport log;
    ASSERT_TRUE(log.ParseFromString(file.content));
    const VerifyReport report = verify_export(log);
    EXPECT_TRUE(report.verified()) << report.problems[0].n << report.problems[0].message;
    EXPECT_NE(report.complete_from, 0U);
    EXPECT_GT(report.counts.entries, 3U);
  }
}

TEST_F(MemberKeysTest, AListenersExportIsVerifiedToo) {
  options.export_log = "log";
  join_and_connect();
  bring("Gail");
  advance(seconds(30));
  member->leave(now);
  pump();
  answer(take_call(room_path("/commands")), v1::RoomCommandResponse());
  v1::LogExport log;
  ASSERT_TRUE(log.ParseFromString(saved.at(0).content));
  const VerifyReport report = verify_export(log);
  EXPECT_TRUE(report.verified()) << report.problems[0].n << report.problems[0].message;
}

TEST_F(MemberKeysTest, AnotherDeviceOfAnAccountIsShown) {
  join_and_connect();
  EXPECT_EQ(field<std::string>(events_named("device").at(0), "state"), "new");
  EXPECT_EQ(field<std::string>(events_named("device")[0], "name"), "Hanna");
  options.known_devices = member->known_devices();
  EXPECT_TRUE(options.known_devices.changed());
  join_and_connect();
  EXPECT_EQ(field<std::string>(events_named("device").at(1), "state"), "known");
  EXPECT_TRUE(warnings().empty());

  options.known_devices = KnownDevices();
  options.known_devices.look("http://localhost:8080", "hanna-id", crypto::Ed25519PublicKey{},
                             "Hanna");
  join_and_connect();
  EXPECT_EQ(field<std::string>(events_named("device").at(2), "state"), "changed");
  EXPECT_EQ(warnings(), std::vector<std::string>{"device_changed"});
}

TEST_F(MemberKeysTest, NothingIsSentOnAStaleLog) {
  source = &tone_;
  join_and_connect();
  change_role(v1::ROLE_SPEAKER);
  advance(seconds(1));
  EXPECT_GT(peer->sent.size(), 40U);
  house.holds_back = true;
  advance(seconds(20));
  const std::vector<std::string> codes = warnings();
  EXPECT_NE(std::ranges::find(codes, "stale"), codes.end());
  const std::size_t before = peer->sent.size();
  advance(seconds(2));
  EXPECT_EQ(peer->sent.size(), before);
  house.holds_back = false;
  pump();
  advance(seconds(1));
  EXPECT_GT(peer->sent.size(), before + 40);
}

TEST_F(MemberKeysTest, FramesAheadOfTheirEntryAreHeard) {
  test::MemorySink memory;
  sink = &memory;
  join_and_connect();
  test::LogHouse::Person& gail = bring("Gail");
  house.holds_back = true;
  ASSERT_TRUE(hanna.keys->eject(now, wall(), gail.leaf));
  house.run(now, wall());
  advance(milliseconds(310));
  ASSERT_EQ(house.state.member(gail.leaf), nullptr);
  VoiceEncoder encoder(EncoderUse::kCall);
  const auto opus = encoder.encode(test::tone(kFrameSamples, 200, 6000, 0));
  base::Buffer payload(160);
  ASSERT_TRUE(hanna.keys->frames().seal(opus, payload));
  peer->receive(0, 0, 0, true, payload);
  member->handle_datagram(now, {}, {});
  pump();
  EXPECT_TRUE(events_named("speaking").empty());
  house.holds_back = false;
  pump();
  ASSERT_EQ(events_named("speaking").size(), 1U);
  EXPECT_EQ(field<std::string>(events_named("speaking")[0], "name"), "Hanna");
}

TEST_F(MemberKeysTest, EpochsAndTheLogAreTold) {
  join_and_connect();
  bring("Gail");
  advance(seconds(12));
  EXPECT_FALSE(events_named("log").empty());
  EXPECT_FALSE(events_named("epoch").empty());
  const MemberEvent last = events_named("log").back();
  EXPECT_EQ(field<std::int64_t>(last, "stage"), 1);
  EXPECT_FALSE(field<bool>(last, "locked"));
}

}  // namespace
}  // namespace alcove::client
