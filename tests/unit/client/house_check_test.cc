// A member and a server that would send it elsewhere: a manifest that is missing, changed, old or
// of another key, answers with relays that it does not list, redirects. On virtual time.

#include "client/house_check.h"

#include <gmock/gmock.h>

#include "unit/client/fake_house.h"

namespace alcove::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kListed = "a=candidate:1 1 udp 1 198.51.100.10 7878 typ host\r\n";

class HouseCheckTest : public test::FakeHouse {
 protected:
  std::string message() const { return member->outcome() ? member->outcome()->message : ""; }
  void use_link() {
    options.fragment = roomlog::LinkFragment{house.state.genesis().fingerprint, {}};
  }
  HttpCall begin_by_hand() {
    manifest_by_hand = true;
    begin();
    return take_call(HouseCheck::kManifest);
  }
  void reply(const HttpCall& call, const base::Result<HttpAnswer>& answer) {
    member->handle_answer(now, call.id, answer);
    pump();
  }
  void answer_join_with(const std::string& sdp) {
    const HttpCall call = take_call(room_path("/join"));
    house.request_join(body_of<v1::JoinRoomRequest>(call).keys());
    v1::JoinRoomResponse response;
    response.set_join_token("join-token");
    response.set_sdp_answer(sdp);
    answer(call, response);
  }
  static base::Result<HttpAnswer> redirect() {
    return base::fail(base::ErrorCode::kPermissionDenied,
                      "The server sent us to http://203.0.113.7/, which is not followed.");
  }
  // The visit ended before any media packet, and nothing waits to be sent.
  void expect_ended(ExitStatus expected, const testing::Matcher<std::string>& text) {
    EXPECT_EQ(status(), expected);
    EXPECT_THAT(message(), text);
    EXPECT_TRUE(calls.empty());
    EXPECT_TRUE(member->datagrams().empty());
    EXPECT_TRUE(tcp_opened.empty());
    if (peer != nullptr) {
      EXPECT_EQ(peer->state(), rtc::PeerState::kNew);
    }
  }
  v1::SignedTransparencyEntry add_to_log(policy::TransparencyLog& log, std::uint64_t signer,
                                         std::uint64_t key) {
    v1::TransparencyEntry entry;
    entry.set_kind(v1::TransparencyEntry::KIND_KEY);
    const crypto::Ed25519PublicKey next = test::manifest_key(key).public_key();
    entry.set_key(next.data(), next.size());
    auto made = policy::make_entry(log.head(), entry, 1000, test::manifest_key(signer));
    EXPECT_TRUE(log.append(made));
    return made;
  }
};

TEST_F(HouseCheckTest, AsksForTheManifestBeforeAnythingElse) {
  const HttpCall call = begin_by_hand();
  EXPECT_EQ(call.method, "GET");
  EXPECT_TRUE(calls.empty());
  reply(call, test::signed_answer(manifest));
  take_call("/v1/config");
}

TEST_F(HouseCheckTest, EndsWithoutAManifest) {
  const HttpCall call = begin_by_hand();
  reply(call, HttpAnswer{404, "text/plain", ""});
  expect_ended(ExitStatus::kNotAllowed, HasSubstr("has no manifest"));
}

TEST_F(HouseCheckTest, EndsWhenTheManifestWasChangedOnItsWay) {
  const HttpCall call = begin_by_hand();
  HttpAnswer changed = test::signed_answer(manifest);
  const std::size_t place = changed.body.find("198.51.100.10");
  ASSERT_NE(place, std::string::npos);
  changed.body.replace(place, 13, "203.0.113.207");
  reply(call, changed);
  expect_ended(ExitStatus::kNotAllowed, HasSubstr("cannot be trusted"));
}

TEST_F(HouseCheckTest, EndsAtARedirectOfTheManifestOrOfAnythingElse) {
  reply(begin_by_hand(), redirect());
  expect_ended(ExitStatus::kNotAllowed, HasSubstr("sent us to http://203.0.113.7/"));
  manifest_by_hand = false;
  begin();
  answer_config();
  reply(take_call(room_path("/join")), redirect());
  expect_ended(ExitStatus::kNotAllowed, HasSubstr("sent us to http://203.0.113.7/"));
}

TEST_F(HouseCheckTest, TakesTheKeyOfTheLink) {
  use_link();
  // Another key was known: the link is what counts, and the person is told.
  known_servers.set("http://localhost:8080", test::manifest_hash(5));
  join_and_connect();
  const auto told = events_named("manifest");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(field<std::string>(told[0], "trust"), "link");
  EXPECT_TRUE(field<bool>(told[0], "differs"));
  EXPECT_THAT(told[0].text, HasSubstr("Warning"));
  EXPECT_EQ(known_servers.find("http://localhost:8080"), test::manifest_hash(5));
}

TEST_F(HouseCheckTest, RemembersTheKeyOfALink) {
  use_link();
  join_and_connect();
  EXPECT_EQ(known_servers.find("http://localhost:8080"), test::manifest_hash());
  EXPECT_EQ(events_named("manifest").at(0).text, "");
}

TEST_F(HouseCheckTest, EndsBeforeMediaWhenTheLinkPinsAnotherKey) {
  use_link();
  manifest_key_seed = 91;
  manifest.mutable_endpoints(1)->add_addresses("203.0.113.7");
  begin();
  answer_config();
  expect_ended(ExitStatus::kKeyChanged, AllOf(HasSubstr("WARNING"), HasSubstr("another key")));
  EXPECT_EQ(peers_made, 0);
  EXPECT_FALSE(known_servers.find("http://localhost:8080"));
}

TEST_F(HouseCheckTest, TrustsAKeyOnFirstUseWithoutALink) {
  join_and_connect();
  EXPECT_EQ(known_servers.find("http://localhost:8080"), test::manifest_hash());
  EXPECT_EQ(field<std::string>(events_named("manifest").at(0), "trust"), "first");
}

TEST_F(HouseCheckTest, EndsLoudlyAtAChangedKeyThatNothingProves) {
  known_servers.set("http://localhost:8080", test::manifest_hash(5));
  begin();
  // A log of the new key alone.
  policy::TransparencyLog log;
  v1::TransparencyPage page;
  *page.add_entries() = add_to_log(log, 90, 90);
  page.set_size(1);
  reply(take_call("/.well-known/alcove/log?from=0"), test::answer_of(page));
  expect_ended(ExitStatus::kKeyChanged,
               AllOf(HasSubstr("ANOTHER KEY"), HasSubstr("--accept-new-manifest-key")));
  EXPECT_EQ(known_servers.find("http://localhost:8080"), test::manifest_hash(5));
}

TEST_F(HouseCheckTest, SaysSoWhenTheOldKeySignedTheChange) {
  known_servers.set("http://localhost:8080", test::manifest_hash(5));
  begin();
  policy::TransparencyLog log;
  v1::TransparencyPage page;
  page.set_size(2);
  *page.add_entries() = add_to_log(log, 5, 5);
  reply(take_call("/.well-known/alcove/log?from=0"), test::answer_of(page));
  page.clear_entries();
  *page.add_entries() = add_to_log(log, 5, 90);
  reply(take_call("/.well-known/alcove/log?from=1"), test::answer_of(page));
  expect_ended(ExitStatus::kKeyChanged,
               AllOf(HasSubstr("the old key signed the change"), Not(HasSubstr("WARNING"))));
}

TEST_F(HouseCheckTest, GoesOnWithAnotherKeyWhereThePersonSaysSo) {
  known_servers.set("http://localhost:8080", test::manifest_hash(5));
  accept_new_key = true;
  // The room is of the present key.
  join_and_connect();
  EXPECT_EQ(field<std::string>(events_named("manifest").at(0), "trust"), "accepted");
  EXPECT_EQ(known_servers.find("http://localhost:8080"), test::manifest_hash());
}

TEST_F(HouseCheckTest, EndsWhenTheHouseIsWhereItsManifestDoesNotListIt) {
  const HttpCall call = begin_by_hand();
  const base::SocketAddress resolved{base::IpAddress::parse("203.0.113.7").value(), 8080};
  EXPECT_TRUE(guard->check({resolved, base::TransportProtocol::kTcp, "localhost"}));
  manifest.mutable_endpoints(0)->add_addresses("127.0.0.1");
  reply(call, test::signed_answer(manifest));
  expect_ended(ExitStatus::kNotAllowed, HasSubstr("localhost resolved to 203.0.113.7"));
}

class HostileAnswerTest : public HouseCheckTest,
                          public testing::WithParamInterface<std::pair<const char*, const char*>> {
};

TEST_P(HostileAnswerTest, EndsTheVisitAndSendsNothing) {
  begin();
  answer_config();
  answer_join_with(std::string(kListed) + GetParam().first + "\r\n");
  expect_ended(ExitStatus::kNotAllowed,
               AllOf(HasSubstr("may not be contacted"), HasSubstr(GetParam().second)));
  EXPECT_EQ(socket, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileAnswerTest,
    testing::Values(
        std::pair("a=candidate:2 1 udp 2 203.0.113.7 7878 typ host", "203.0.113.7:7878 (UDP)"),
        std::pair("a=candidate:2 1 tcp 2 203.0.113.7 7878 typ host tcptype passive",
                  "203.0.113.7:7878 (TCP)"),
        std::pair("a=candidate:2 1 udp 2 2001:db8:c::7 7878 typ host", "[2001:db8:c::7]:7878"),
        std::pair("a=candidate:2 1 udp 2 relay.denied.example 7878 typ host",
                  "relay.denied.example"),
        std::pair("a=candidate:2 1 udp 2 114.114.114.114 53 typ relay raddr 198.51.100.10 rport 1",
                  "114.114.114.114:53")));

TEST_F(HouseCheckTest, EndsWhenARestartOffersAnotherRelay) {
  join_and_connect();
  peer_changes(rtc::PeerState::kDisconnected);
  v1::RestartResponse response;
  response.set_sdp_answer("a=candidate:2 1 udp 2 203.0.113.7 7878 typ host\r\n");
  answer(take_call(room_path("/restart")), response);
  EXPECT_EQ(status(), ExitStatus::kNotAllowed);
  EXPECT_THAT(message(), HasSubstr("203.0.113.7:7878"));
  EXPECT_EQ(peer->restarts, 0);
}

TEST_F(HouseCheckTest, EndsWhenTheEventConnectionIsLedElsewhere) {
  begin();
  answer_config();
  answer_join();
  member->handle_websocket_closed(now, socket, redirect().error());
  pump();
  EXPECT_EQ(status(), ExitStatus::kNotAllowed);
  EXPECT_THAT(message(), HasSubstr("sent us to http://203.0.113.7/"));
}

// The server forgets the join: with the next one comes whatever its manifest lists by then.
class RejoinTest : public HouseCheckTest {
 protected:
  void forget_join() {
    join_and_connect();
    manifest_by_hand = true;
    v1::ServerMessage message;
    message.mutable_goodbye()->mutable_reason()->set_code("not_found");
    receive(message);
  }
};

TEST_F(RejoinTest, AsksAgainForTheManifest) {
  forget_join();
  manifest.set_serial(4);
  reply(take_call(HouseCheck::kManifest), test::signed_answer(manifest));
  EXPECT_EQ(guard->manifest()->manifest.serial(), 4u);
  answer_join();
  open_socket();
  EXPECT_FALSE(member->outcome());
}

TEST_F(RejoinTest, EndsAtAnotherKeyOrAnOlderManifest) {
  forget_join();
  reply(take_call(HouseCheck::kManifest), test::signed_answer(manifest, 91));
  EXPECT_EQ(status(), ExitStatus::kKeyChanged);
}

TEST_F(RejoinTest, EndsAtAnOlderManifest) {
  forget_join();
  manifest.set_serial(1);
  reply(take_call(HouseCheck::kManifest), test::signed_answer(manifest));
  EXPECT_EQ(status(), ExitStatus::kNotAllowed);
  EXPECT_THAT(message(), HasSubstr("older"));
}

TEST_F(RejoinTest, TriesAgainWhenTheServerIsNotThere) {
  forget_join();
  fail(take_call(HouseCheck::kManifest));
  EXPECT_FALSE(member->outcome());
  advance(base::seconds(3));
  reply(take_call(HouseCheck::kManifest), test::signed_answer(manifest));
  answer_join();
}

TEST_F(HouseCheckTest, PutsTheKeyIntoTheGenesisOfItsRoom) {
  options.room.reset();
  options.username = "nils";
  options.password = "secret";
  options.title = "Talk";
  begin();
  answer_config();
  v1::SessionResponse session;
  session.set_token("token");
  answer(take_call("/v1/sessions"), session);
  const auto request = body_of<v1::StartRoomRequest>(take_call("/v1/rooms"));
  const auto genesis = roomlog::parse_genesis(request.genesis());
  ASSERT_TRUE(genesis);
  EXPECT_TRUE(
      std::ranges::equal(base::as_bytes(genesis->body.manifest_key_hash()), test::manifest_hash()));
}

TEST_F(HouseCheckTest, ShowsTheOperatorsWordsInThePersonsLanguage) {
  v1::ErrorResponse error;
  error.set_code("permission_denied");
  error.set_message("Not offered.");
  error.set_text_en("We do not serve your country.");
  error.set_text_fr("Nous ne servons pas votre pays.");
  for (const bool french : {false, true}) {
    options.french = french;
    begin();
    answer(take_call("/v1/config"), error, 451);
    EXPECT_EQ(status(), ExitStatus::kRefused);
    EXPECT_EQ(message(), french ? error.text_fr() : error.text_en());
  }
  error.clear_text_fr();
  begin();
  answer(take_call("/v1/config"), error, 451);
  EXPECT_EQ(message(), "We do not serve your country.");
}

TEST_F(HouseCheckTest, ShowsANoticeForPeopleWhoAreWarned) {
  v1::ServerConfig config;
  config.set_slots(4);
  config.set_packet_bucket(160);
  config.mutable_offer_notice()->set_text_en("Your network may see that you are here.");
  begin();
  answer(take_call("/v1/config"), config);
  ASSERT_EQ(events_named("notice").size(), 1u);
  EXPECT_EQ(events_named("notice")[0].text, "Your network may see that you are here.");
}

}  // namespace
}  // namespace alcove::client
