// Members of a load against a scripted server and fake media, on virtual time. Hanna's client, on
// the stage, admits them into a real log.

#include "client/load_crowd.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "unit/client/fake_house.h"
#include "wire/rtp.h"

namespace alcove::client {
namespace {

using base::milliseconds;
using base::seconds;
using rtc::PeerState;
using testing::HasSubstr;

class LoadCrowdTest : public test::FakeHouse {
 protected:
  struct Guest {
    test::LogHouse::Person* person = nullptr;
    test::FakePeer* peer = nullptr;
    std::uint64_t socket = 0;
    bool welcome_due = false;
    bool left = false;
  };

  void begin(LoadPlan plan) {
    guard = std::make_unique<ManifestGuard>(options.server);
    LoadOptions load{.server = options.server,
                     .room = *options.room,
                     .plan = plan,
                     .trust = {guard.get(), &known_servers, false}};
    crowd = std::make_unique<LoadCrowd>(
        load, load_random_,
        [this](rtc::ClientPeerOptions peer_options) {
          auto made = std::make_unique<test::FakePeer>(std::move(peer_options));
          guests[joining_].peer = made.get();
          return made;
        },
        [](std::size_t number) { return std::vector<base::SocketAddress>{local_of(number)}; });
    crowd->start(now, wall());
    pump_crowd();
  }
  static base::SocketAddress local_of(std::size_t number) {
    return {base::IpAddress::v4({127, 1, 0, static_cast<std::uint8_t>(1 + number)}), 5000};
  }
  void pump_crowd() {
    for (bool again = true; again;) {
      again = house.run(now, wall());
      for (LoadCrowd::Effect& effect : crowd->take_effects()) {
        std::visit([&](auto& one) { execute(effect.member, one); }, effect.effect);
        again = true;
      }
      for (auto& [number, guest] : guests) again = deliver(number, guest) || again;
    }
  }
  void run(base::Duration duration) {
    const base::Instant until = now + duration;
    for (;;) {
      const base::Instant next = std::min(crowd->next_deadline(), house.next_deadline());
      if (next > until) break;
      now = std::max(now, next);
      crowd->handle_timeout(now);
      pump_crowd();
    }
    now = until;
  }

  void execute(std::size_t number, HttpCall& call) {
    if (call.target == HouseCheck::kManifest)
      return crowd->handle_answer(now, number, call.id,
                                  test::signed_answer(manifest, manifest_key_seed));
    if (call.target.starts_with("/.well-known/alcove/log"))
      return crowd->handle_answer(now, number, call.id, HttpAnswer{404, "text/plain", ""});
    if (call.target == "/v1/config") {
      v1::ServerConfig config;
      config.set_slots(4);
      config.set_packet_bucket(160);
      config.set_guests_allowed(guests_allowed);
      return reply(number, call, config);
    }
    if (call.target == room_path("")) {
      joining_ = number;
      v1::RoomSummary room;
      *room.mutable_genesis() = house.state.genesis().object;
      return reply(number, call, room);
    }
    if (call.target == room_path("/commands")) {
      EXPECT_TRUE(body_of<v1::RoomCommand>(call).has_leave());
      guests[number].left = true;
      return reply(number, call, v1::RoomCommandResponse());
    }
    ASSERT_EQ(call.target, room_path("/join"));
    if (refusal) {
      v1::ErrorResponse error;
      error.set_code("resource_exhausted");
      error.set_reason(*refusal);
      error.set_message("Too many requests.");
      return reply(number, call, error, 429);
    }
    const auto request = body_of<v1::JoinRoomRequest>(call);
    EXPECT_TRUE(names.insert(request.guest_name()).second);
    guests[number].person = &house.add_member(request.keys());
    v1::JoinRoomResponse response;
    response.set_join_token("token");
    response.set_sdp_answer(sdp_answer);
    reply(number, call, response);
  }
  void execute(std::size_t number, OpenWebSocket& open) {
    guests[number].socket = open.id;
    crowd->handle_websocket_opened(now, number, open.id);
  }
  void execute(std::size_t number, SendWebSocket& send) {
    v1::ClientMessage message;
    ASSERT_TRUE(message.ParseFromArray(send.message.data(), static_cast<int>(send.message.size())));
    Guest& guest = guests[number];
    if (message.has_keys()) house.handle(*guest.person, message.keys());
    if (!message.has_hello()) return;
    guest.welcome_due = true;
    if (proves) house.hello(*guest.person);
  }
  void execute(std::size_t, CloseWebSocket&) {}

  bool deliver(std::size_t number, Guest& guest) {
    if (guest.person == nullptr) return false;
    bool any = false;
    while (!guest.person->inbox.empty()) {
      v1::ServerMessage message;
      *message.mutable_keys() = std::move(guest.person->inbox.front());
      guest.person->inbox.pop_front();
      tell(number, message);
      any = true;
    }
    if (!guest.welcome_due || (proves && !guest.person->inside)) return any;
    guest.welcome_due = false;
    v1::ServerMessage message;
    *message.mutable_welcome()->mutable_room() = state;
    tell(number, message);
    return true;
  }
  void tell(std::size_t number, const v1::ServerMessage& message) {
    crowd->handle_websocket_message(now, number, guests[number].socket, serialize_padded(message));
  }
  template <typename Message>
  void reply(std::size_t number, const HttpCall& call, const Message& message, int status = 200) {
    crowd->handle_answer(
        now, number, call.id,
        HttpAnswer{status, std::string(kProtobufType), message.SerializeAsString()});
  }

  // Hanna says something, which reaches all: as RTP, and opened as the peer would.
  void speak(int packets) {
    for (int i = 0; i < packets; ++i, now += milliseconds(20)) {
      base::Buffer payload(160);
      ASSERT_EQ(hanna.keys->frames().seal(base::as_bytes("opus"), payload), payload.size());
      base::Buffer packet(wire::kRtpHeaderSize + payload.size());
      wire::write_rtp_header(std::span(packet).first<wire::kRtpHeaderSize>(),
                             {.marker = said_ == 0,
                              .payload_type = 111,
                              .sequence = said_,
                              .timestamp = said_ * 960U,
                              .ssrc = 9});
      for (auto& [number, guest] : guests) {
        if (guest.left) continue;
        guest.peer->receive(0, said_, said_ * 960U, said_ == 0, payload);
        base::Path path;
        path.local = local_of(number);
        crowd->handle_datagram(now, path, packet);
      }
      crowd->handle_batch_end(now);
      ++said_;
    }
  }

  std::unique_ptr<LoadCrowd> crowd;
  std::map<std::size_t, Guest> guests;
  std::set<std::string> names;
  std::optional<std::string> refusal;
  bool guests_allowed = true;
  std::string sdp_answer = "answer";
  bool proves = true;  // nobody is welcomed before the log says so

 private:
  base::SeededRandom load_random_{3};
  std::size_t joining_ = 0;
  std::uint16_t said_ = 0;
};

TEST_F(LoadCrowdTest, AllComeInASampleDecryptsAndAllLeave) {
  begin({.members = 4, .rate = 10, .stay = seconds(5), .fill_rate = 10, .sample = 1});
  run(seconds(3));
  ASSERT_EQ(crowd->progress(now).counts.inside, 4U);
  EXPECT_EQ(house.state.roster().size(), 5U);
  EXPECT_EQ(guests[0].peer->options.opened_share, 1U);
  EXPECT_EQ(guests[1].peer->options.opened_share, 50U);
  EXPECT_FALSE(guests[1].peer->options.use_tcp);
  EXPECT_EQ(guests[1].peer->options.local_addresses, std::vector{local_of(1)});
  // One certificate for all.
  ASSERT_NE(guests[0].peer->options.identity, nullptr);
  EXPECT_EQ(guests[0].peer->options.identity, guests[3].peer->options.identity);
  for (auto& [number, guest] : guests) guest.peer->change(PeerState::kConnected);
  speak(50);
  const LoadSummary summary = crowd->summary(now);
  EXPECT_EQ(summary.joined, 4U);
  EXPECT_EQ(summary.sampled, 1U);
  EXPECT_EQ(summary.opened, 50U);
  EXPECT_EQ(summary.not_opened, 0U);
  EXPECT_EQ(summary.connected.count, 4U);
  EXPECT_EQ(crowd->progress(now).packets, 200U);
  EXPECT_LE(summary.admitted.max, 400);
  run(seconds(20));
  ASSERT_TRUE(crowd->outcome());
  EXPECT_EQ(crowd->outcome()->status, ExitStatus::kOk);
  for (auto& [number, guest] : guests) EXPECT_TRUE(guest.left) << number;
  EXPECT_EQ(crowd->take_ended().size(), 4U);
  EXPECT_EQ(crowd->records().size(), 4U);
  EXPECT_GE(crowd->summary(now).timeline.size(), 5U);
  EXPECT_EQ(crowd->next_deadline(), base::kNever);
}

TEST_F(LoadCrowdTest, WhoIsNotAdmittedByTheLogIsNotIn) {
  proves = false;
  begin({.members = 2, .rate = 10, .fill_rate = 10});
  run(seconds(1));
  const LoadSummary summary = crowd->summary(now);
  EXPECT_EQ(summary.joined, 0U);
  EXPECT_EQ(summary.failures.at("keys").count, 2U);
  EXPECT_THAT(summary.failures.at("keys").message, HasSubstr("without the proof"));
}

TEST_F(LoadCrowdTest, NobodyLetsIn) {
  house.nobody_answers = true;
  begin({.members = 1, .rate = 10, .fill_rate = 10});
  run(LoadMember::kAdmissionTimeout + seconds(1));
  EXPECT_EQ(crowd->summary(now).failures.at("not_let_in").count, 1U);
  EXPECT_THAT(crowd->summary(now).failures.at("not_let_in").advice, HasSubstr("stage"));
}

TEST_F(LoadCrowdTest, RefusalsAreNamedAndEndTheLoadWhereNobodyComesIn) {
  refusal = "rate_limited";
  begin({.members = 1'000, .rate = 100, .fill_rate = 100});
  run(seconds(5));
  ASSERT_TRUE(crowd->outcome());
  EXPECT_EQ(crowd->outcome()->status, ExitStatus::kRefused);
  const LoadSummary summary = crowd->summary(now);
  EXPECT_LT(summary.requested, 40U);
  EXPECT_EQ(summary.failures.at("rate_limited").count, summary.failed);
  EXPECT_THAT(summary.failures.at("rate_limited").advice, HasSubstr("limits.rate_limit_factor"));
}

TEST_F(LoadCrowdTest, AServerWithoutGuestsIsTold) {
  guests_allowed = false;
  begin({.members = 2});
  ASSERT_TRUE(crowd->outcome());
  EXPECT_THAT(crowd->outcome()->message, HasSubstr("accounts.guests"));
}

TEST_F(LoadCrowdTest, ChurnReplacesTheOldest) {
  begin({.profile = LoadProfile::kChurn,
         .members = 5,
         .rate = 5,
         .stay = seconds(10),
         .fill_rate = 5,
         .sample = 1});
  run(seconds(9));
  EXPECT_TRUE(guests[0].left);
  EXPECT_GE(guests.size(), 15U);
  EXPECT_NEAR(static_cast<double>(crowd->progress(now).counts.inside), 5, 2);
  // The one who decrypted has left, another one does.
  const auto samples = std::ranges::count_if(guests, [](const auto& guest) {
    return !guest.second.left && guest.second.peer->options.opened_share == 1;
  });
  EXPECT_EQ(samples, 1);
  run(seconds(20));
  ASSERT_TRUE(crowd->outcome());
  EXPECT_EQ(crowd->summary(now).failed, 0U);
}

TEST_F(LoadCrowdTest, TheEndOfTheRoomAndALostPathAreFailures) {
  begin({.members = 3, .rate = 10, .fill_rate = 10});
  run(seconds(2));
  guests[2].peer->change(PeerState::kFailed, rtc::PeerFailure::kConsentExpired);
  base::Path path;
  path.local = local_of(2);
  crowd->handle_datagram(now, path, base::as_bytes("xx"));
  crowd->handle_batch_end(now);
  pump_crowd();
  EXPECT_EQ(crowd->summary(now).failures.at("media_lost").count, 1U);
  v1::ServerMessage message;
  message.mutable_batch()->set_revision(11);
  message.mutable_batch()->add_events()->mutable_room_ended()->set_cause("ended");
  tell(0, message);
  tell(1, message);
  pump_crowd();
  run(seconds(1));
  ASSERT_TRUE(crowd->outcome());
  EXPECT_EQ(crowd->summary(now).failures.at("room_ended").count, 2U);
}

TEST_F(LoadCrowdTest, InterruptedAllLeaveAndStraysAreCounted) {
  begin({.members = 3, .rate = 10, .fill_rate = 10});
  run(seconds(2));
  base::Path path;
  path.local = local_of(99);
  crowd->handle_datagram(now, path, base::as_bytes("xx"));
  EXPECT_EQ(crowd->progress(now).strays, 1U);
  crowd->leave(now);
  pump_crowd();
  run(seconds(2));
  ASSERT_TRUE(crowd->outcome());
  EXPECT_EQ(crowd->outcome()->status, ExitStatus::kOk);
  for (auto& [number, guest] : guests) EXPECT_TRUE(guest.left) << number;
  EXPECT_TRUE(crowd->summary(now).interrupted);
}

TEST_F(LoadCrowdTest, SendsNothingToARelayThatTheManifestDoesNotList) {
  sdp_answer = "a=candidate:1 1 udp 1 203.0.113.7 7878 typ host\r\n";
  begin({.members = 3, .rate = 100});
  run(seconds(5));
  EXPECT_TRUE(crowd->datagrams().empty());
  for (const auto& [number, guest] : guests) EXPECT_EQ(guest.socket, 0u);
  const LoadSummary summary = crowd->summary(now);
  ASSERT_TRUE(summary.failures.contains("not_allowed"));
  EXPECT_THAT(summary.failures.at("not_allowed").message, HasSubstr("203.0.113.7:7878"));
}

TEST_F(LoadCrowdTest, AsksNothingElseOfAServerWhoseManifestHasAnotherKey) {
  known_servers.set("http://localhost:8080", test::manifest_hash(5));
  begin({.members = 3, .rate = 100});
  ASSERT_TRUE(crowd->outcome());
  EXPECT_EQ(crowd->outcome()->status, ExitStatus::kKeyChanged);
  EXPECT_TRUE(guests.empty());
}

}  // namespace
}  // namespace alcove::client
