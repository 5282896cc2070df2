// IceFull against IceLite over a simulated network.

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "unit/rtc/ice_nodes.h"

namespace alcove::rtc {
namespace {

using base::milliseconds;
using base::seconds;
using base::TransportProtocol;

struct Scene {
  explicit Scene(std::uint64_t seed = 1, simulation::NetworkConditions conditions = {},
                 std::vector<base::SocketAddress> local = {address("0.0.0.0", 5000),
                                                           address("::", 5000)})
      : network(seed, conditions), random(seed + 1000), client(network, random, std::move(local)) {
    network.add(server, {ip("192.0.2.1"), ip("2001:db8::1")});
    client.join({ip("198.51.100.7"), ip("2001:db8:7::7")});
    server_credentials = make_ice_credentials(random, "s0");
  }
  void start(const std::vector<wire::IceCandidate>& candidates) {
    server.begin(network.now(), server_credentials, client.ice.local());
    client.ice.set_remote(network.now(), server_credentials, candidates);
    started = network.now();
    network.poll(client.id);
  }
  void restart(std::vector<base::SocketAddress> local,
               const std::vector<wire::IceCandidate>& candidates) {
    client.ice.restart(make_ice_credentials(random), std::move(local));
    server_credentials = make_ice_credentials(random, "s0");
    server.ice->restart(server_credentials, client.ice.local());
    client.ice.set_remote(network.now(), server_credentials, candidates);
    started = network.now();
    network.poll(client.id);
  }
  bool wait_nominated(base::Duration limit = seconds(10)) {
    return network.run_until(
        [this] { return client.ice.is_nominated() && server.ice->is_nominated(); }, limit);
  }
  bool wait_state(IceState state, base::Duration limit) {
    return network.run_until([this, state] { return client.ice.state() == state; }, limit);
  }
  base::Duration elapsed() const { return network.now() - started; }

  simulation::SimulatedNetwork network;
  base::SeededRandom random;
  IceServerNode server;
  IceClientNode client;
  wire::IceCredentials server_credentials;
  base::Instant started;
};

TEST(IceTest, OneCandidate) {
  Scene scene;
  EXPECT_EQ(scene.client.ice.state(), IceState::kNew);
  scene.start({udp_candidate("192.0.2.1", 1000)});
  EXPECT_EQ(scene.client.ice.state(), IceState::kChecking);
  ASSERT_TRUE(scene.wait_nominated());
  // Two round trips of 20 ms, and the pacing.
  EXPECT_LE(scene.elapsed(), milliseconds(60));
  ASSERT_TRUE(scene.client.ice.send_path());
  EXPECT_EQ(scene.client.ice.send_path()->remote, address("192.0.2.1", 7878));
  ASSERT_TRUE(scene.server.ice->selected_path());
  EXPECT_EQ(scene.server.ice->selected_path()->remote, address("198.51.100.7", 5000));
  scene.network.run_for(milliseconds(100));
  EXPECT_EQ(scene.client.ice.round_trip(), milliseconds(20));
  EXPECT_EQ(scene.client.datagrams_sent, 2U);
}

TEST(IceTest, TheFirstAnswerGivesAPathBeforeNomination) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000), udp_candidate("203.0.113.9", 2000)});
  ASSERT_TRUE(scene.network.run_until([&] { return scene.client.ice.send_path().has_value(); },
                                      seconds(1)));
  EXPECT_FALSE(scene.client.ice.is_nominated());
  EXPECT_LE(scene.elapsed(), milliseconds(45));
}

TEST(IceTest, PrefersTheBestOfSeveral) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000), udp_candidate("2001:db8::1", 2000),
               tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.wait_nominated());
  EXPECT_EQ(scene.client.ice.send_path()->remote, address("2001:db8::1", 7878));
  EXPECT_EQ(scene.server.ice->selected_path()->local, address("2001:db8::1", 7878));
  EXPECT_EQ(scene.client.tcp_opens, 0);  // UDP was quicker than its head start
}

TEST(IceTest, ADeadCandidateDelaysLittle) {
  Scene scene;
  scene.start({udp_candidate("203.0.113.9", 2000), udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  EXPECT_EQ(scene.client.ice.send_path()->remote, address("192.0.2.1", 7878));
  EXPECT_LE(scene.elapsed(), milliseconds(150));
  scene.network.run_for(milliseconds(500));
  const std::size_t before = scene.client.datagrams_sent;
  scene.network.run_for(seconds(60));
  // Consent alone: the dead one is not checked any more.
  EXPECT_LE(scene.client.datagrams_sent - before, 15U);
  EXPECT_GE(scene.client.datagrams_sent - before, 10U);
}

TEST(IceTest, OneFamilyDead) {
  Scene scene(3);
  scene.network.set_filter([](const base::Path& path) { return path.remote.ip.is_v4(); });
  scene.start({udp_candidate("2001:db8::1", 2000), udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  EXPECT_TRUE(scene.client.ice.send_path()->remote.ip.is_v4());
}

TEST(IceTest, Ipv6Only) {
  Scene scene(3, {}, {address("::", 5000)});
  scene.start({udp_candidate("192.0.2.1", 2000), udp_candidate("2001:db8::1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  EXPECT_TRUE(scene.client.ice.send_path()->remote.ip.is_v6());
  EXPECT_EQ(scene.client.sent_to.size(), 1U);
}

TEST(IceTest, ConnectsUnderLossAndReordering) {
  int slow = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Scene scene(seed, {.loss = 0.3,
                       .duplication = 0.1,
                       .reordering = 0.2,
                       .delay = milliseconds(30),
                       .jitter = milliseconds(20)});
    scene.start({udp_candidate("192.0.2.1", 1000), udp_candidate("2001:db8::1", 2000)});
    ASSERT_TRUE(scene.wait_nominated()) << seed;
    if (scene.elapsed() > seconds(2)) ++slow;
    scene.network.run_for(seconds(2));
    const auto& mine = scene.client.ice.send_path();
    const auto& theirs = scene.server.ice->selected_path();
    ASSERT_TRUE(mine && theirs) << seed;
    EXPECT_EQ(mine->remote, theirs->local) << seed;
  }
  EXPECT_LE(slow, 5);
}

TEST(IceTest, StaysConnectedUnderLoss) {
  Scene scene(5, {.loss = 0.1});
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(600));
  EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
  EXPECT_GT(scene.server.ice->consent_expires_at(), scene.network.now() + seconds(15));
  EXPECT_LE(scene.client.states.size(), 8U);  // hardly ever disconnected
}

TEST(IceTest, FallsBackToTcp) {
  Scene scene;
  scene.network.set_filter(
      [](const base::Path& path) { return path.protocol == TransportProtocol::kTcp; });
  scene.start({udp_candidate("192.0.2.1", 1000), udp_candidate("2001:db8::1", 2000),
               tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.network.run_until([&] { return scene.client.ice.send_path().has_value(); },
                                      seconds(2)));
  EXPECT_LE(scene.elapsed(), milliseconds(200));
  ASSERT_TRUE(scene.wait_nominated());
  EXPECT_LE(scene.elapsed(), milliseconds(500));
  EXPECT_EQ(scene.client.ice.send_path()->protocol, TransportProtocol::kTcp);
  scene.network.run_for(seconds(60));
  EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
  EXPECT_EQ(scene.client.tcp_opens, 1);
}

TEST(IceTest, TcpAloneAndASecondPort) {
  Scene scene(9, {}, {});
  scene.network.set_filter([](const base::Path& path) { return path.remote.port != 7878; });
  scene.start({tcp_candidate("192.0.2.1", 200, 7878), tcp_candidate("192.0.2.1", 100, 443)});
  ASSERT_TRUE(scene.network.run_until([&] { return scene.client.ice.is_nominated(); }, seconds(3)));
  EXPECT_EQ(scene.client.ice.send_path()->remote.port, 443);
}

TEST(IceTest, UnneededTcpConnectionsAreClosed) {
  Scene scene(2, {.delay = milliseconds(120)});  // UDP is slower than TCP's head start
  scene.start({udp_candidate("192.0.2.1", 1000), tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(2));
  EXPECT_EQ(scene.client.ice.send_path()->protocol, TransportProtocol::kUdp);
  EXPECT_EQ(scene.client.tcp_opens, 1);
  EXPECT_EQ(scene.client.tcp_closes, 1);
}

TEST(IceTest, UdpThatDiesLaterIsReplacedByTcp) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000), tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(3));
  scene.network.set_filter(
      [](const base::Path& path) { return path.protocol == TransportProtocol::kTcp; });
  ASSERT_TRUE(scene.network.run_until(
      [&] { return scene.client.ice.send_path()->protocol == TransportProtocol::kTcp; },
      seconds(10)));
  scene.network.run_for(seconds(1));
  EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
  EXPECT_EQ(scene.server.ice->selected_path()->protocol, TransportProtocol::kTcp);
}

TEST(IceTest, AClosedTcpConnectionIsOpenedAgain) {
  Scene scene(4, {}, {});
  scene.start({tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.wait_nominated());
  const std::uint64_t connection = scene.client.ice.send_path()->connection;
  scene.network.close_tcp(scene.client.id, connection);
  ASSERT_TRUE(scene.wait_state(IceState::kDisconnected, seconds(1)));
  EXPECT_FALSE(scene.client.ice.send_path());
  ASSERT_TRUE(scene.wait_state(IceState::kConnected, seconds(2)));
  EXPECT_NE(scene.client.ice.send_path()->connection, connection);
}

TEST(IceTest, DisconnectsWithinSecondsAndComesBack) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(30));
  scene.server.is_deaf = true;
  const base::Instant cut = scene.network.now();
  ASSERT_TRUE(scene.wait_state(IceState::kDisconnected, seconds(10)));
  EXPECT_LE(scene.network.now() - cut, milliseconds(8'600));
  EXPECT_TRUE(scene.client.ice.send_path());  // consent lasts
  scene.server.is_deaf = false;
  ASSERT_TRUE(scene.wait_state(IceState::kConnected, seconds(3)));
}

TEST(IceTest, ConsentExpiresOnBothSides) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(30));
  scene.network.set_filter([](const base::Path&) { return false; });
  const base::Instant cut = scene.network.now();
  ASSERT_TRUE(scene.wait_state(IceState::kFailed, seconds(40)));
  EXPECT_GE(scene.network.now() - cut, seconds(24) - milliseconds(50));
  EXPECT_LE(scene.network.now() - cut, seconds(30));
  EXPECT_FALSE(scene.client.ice.send_path());
  EXPECT_LE(scene.server.ice->consent_expires_at(), cut + seconds(30));
  const std::size_t before = scene.client.datagrams_sent;
  scene.network.run_for(seconds(100));
  EXPECT_EQ(scene.client.datagrams_sent, before);  // nothing without consent
  EXPECT_EQ(scene.client.ice.next_deadline(), base::kNever);
}

TEST(IceTest, FailsWhenNothingAnswers) {
  Scene scene;
  scene.start({udp_candidate("203.0.113.9", 1000), tcp_candidate("203.0.113.9")});
  ASSERT_TRUE(scene.wait_state(IceState::kFailed, seconds(60)));
  EXPECT_EQ(scene.elapsed(), IceFull::kCheckFor);
}

TEST(IceTest, FailsAtOnceWithoutCandidates) {
  Scene scene;
  wire::IceCandidate active = tcp_candidate("192.0.2.1");
  active.tcp_type = wire::TcpType::kActive;
  wire::IceCandidate second_component = udp_candidate("192.0.2.1", 5);
  second_component.component = 2;
  scene.start(
      {active, second_component, udp_candidate("0.0.0.0", 1), udp_candidate("192.0.2.1", 1, 0)});
  EXPECT_EQ(scene.client.ice.state(), IceState::kFailed);
}

TEST(IceTest, SendsOnlyToTheCandidates) {
  Scene scene(11, {.loss = 0.2});
  scene.start({udp_candidate("192.0.2.1", 1000), udp_candidate("203.0.113.9", 2000)});
  scene.network.run_for(seconds(2));
  // Answers that come from elsewhere, even authentic ones, move nothing.
  base::Path elsewhere = *scene.client.ice.send_path();
  elsewhere.remote = address("203.0.113.66", 7878);
  std::array<std::uint8_t, 200> buffer;
  wire::StunWriter writer(buffer);
  writer.begin(wire::StunClass::kRequest, wire::kStunBinding, {});
  writer.add_username(scene.client.ice.local().ufrag + ":" + scene.server_credentials.ufrag);
  writer.add_integrity(base::as_bytes(scene.client.ice.local().pwd), crypto::hmac_sha1);
  writer.add_fingerprint();
  scene.client.handle_datagram(scene.network.now(), elsewhere, writer.finish());
  scene.network.poll(scene.client.id);
  scene.network.run_for(seconds(30));
  EXPECT_EQ(scene.client.sent_to,
            (std::set{address("192.0.2.1", 7878), address("203.0.113.9", 7878)}));
}

TEST(IceTest, AnswersWithAWrongPasswordDoNotCount) {
  Scene scene;
  scene.server.begin(scene.network.now(), scene.server_credentials, scene.client.ice.local());
  wire::IceCredentials wrong = scene.server_credentials;
  wrong.pwd.back() = wrong.pwd.back() == 'a' ? 'b' : 'a';
  scene.client.ice.set_remote(scene.network.now(), wrong, {udp_candidate("192.0.2.1", 1)});
  scene.network.poll(scene.client.id);
  scene.network.run_for(seconds(5));
  EXPECT_EQ(scene.client.ice.state(), IceState::kChecking);
  EXPECT_EQ(scene.server.accepted, 0);
}

TEST(IceTest, TheRelayFollowsANewNatMapping) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(10));
  scene.network.change_addresses(scene.client.id, {ip("198.51.100.99")});
  scene.network.run_for(seconds(7));  // the longest pause between two consent checks, and more
  EXPECT_EQ(scene.server.ice->selected_path()->remote, address("198.51.100.99", 5000));
  scene.network.run_for(seconds(60));
  EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
  EXPECT_EQ(scene.server.ice->valid_paths().size(), 1U);  // the old one's consent is over
}

TEST(IceTest, RestartAfterANetworkChange) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(7));
  scene.network.change_addresses(scene.client.id, {ip("198.51.100.88")});
  scene.restart({address("0.0.0.0", 6000)}, {udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.network.run_until([&] { return scene.client.ice.is_nominated(); }, seconds(5)));
  EXPECT_LE(scene.elapsed(), milliseconds(100));
  EXPECT_EQ(scene.server.restarts, 1);
  EXPECT_EQ(scene.server.ice->selected_path()->remote, address("198.51.100.88", 6000));
  EXPECT_EQ(scene.client.ice.send_path()->local.port, 6000);
  scene.network.run_for(seconds(60));
  EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
}

TEST(IceTest, TheOldPathCarriesMediaUntilTheNewOneIsChecked) {
  Scene scene(1, {.delay = milliseconds(50)});
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(1));
  const base::Path old_client = *scene.client.ice.send_path();
  const base::Path old_server = *scene.server.ice->selected_path();
  scene.restart({address("0.0.0.0", 6000)}, {udp_candidate("192.0.2.1", 1000)});
  while (!scene.client.ice.is_nominated()) {
    EXPECT_EQ(scene.client.ice.send_path(), old_client);
    if (scene.elapsed() < milliseconds(50)) {  // the first check is under way
      EXPECT_EQ(scene.server.ice->selected_path(), old_server);
    }
    EXPECT_TRUE(scene.client.ice.is_known_path(old_client));
    scene.network.run_for(milliseconds(5));
    ASSERT_LE(scene.elapsed(), seconds(2));
  }
  EXPECT_EQ(scene.client.ice.send_path()->local.port, 6000);
  EXPECT_EQ(scene.server.ice->selected_path()->remote.port, 6000);
  EXPECT_TRUE(scene.client.ice.is_known_path(old_client));  // what is still under way
}

TEST(IceTest, RestartAfterFailure) {
  Scene scene;
  scene.start({udp_candidate("192.0.2.1", 1000)});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.set_filter([](const base::Path&) { return false; });
  ASSERT_TRUE(scene.wait_state(IceState::kFailed, seconds(40)));
  scene.network.set_filter(nullptr);
  scene.restart({address("0.0.0.0", 6000)}, {udp_candidate("192.0.2.1", 1000)});
  EXPECT_EQ(scene.client.ice.state(), IceState::kChecking);
  EXPECT_TRUE(scene.wait_state(IceState::kConnected, seconds(1)));
}

TEST(IceTest, RestartOverTcpClosesTheOldConnection) {
  Scene scene(6, {}, {});
  scene.start({tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.wait_nominated());
  scene.network.run_for(seconds(1));
  scene.restart({}, {tcp_candidate("192.0.2.1")});
  ASSERT_TRUE(scene.network.run_until([&] { return scene.client.ice.is_nominated(); }, seconds(5)));
  scene.network.run_for(seconds(1));
  EXPECT_EQ(scene.client.tcp_opens, 2);
  EXPECT_EQ(scene.client.tcp_closes, 1);
  EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
}

TEST(IceTest, ManyCandidatesAreBounded) {
  Scene scene;
  std::vector<wire::IceCandidate> candidates;
  for (int i = 1; i < 60; ++i)
    candidates.push_back(udp_candidate("203.0.113." + std::to_string(i), 3000));
  candidates.push_back(udp_candidate("192.0.2.1", 5000));
  candidates.push_back(udp_candidate("192.0.2.1", 5000));
  scene.start(candidates);
  ASSERT_TRUE(scene.wait_nominated());
  EXPECT_LE(scene.elapsed(), milliseconds(100));
  scene.network.run_for(seconds(2));
  EXPECT_LE(scene.client.sent_to.size(), IceFull::kMaxPairs);
}

// Whatever the network does, the agent neither spins nor dies.
TEST(IceTest, RandomWeather) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scene scene(seed, {.loss = 0.2, .duplication = 0.1, .jitter = milliseconds(40)});
    scene.start({udp_candidate("192.0.2.1", 1000), udp_candidate("2001:db8::1", 2000),
                 tcp_candidate("192.0.2.1"), tcp_candidate("2001:db8::1", 90)});
    for (int round = 0; round < 40; ++round) {
      const std::uint32_t weather = scene.random.below(5);
      scene.network.set_filter([weather](const base::Path& path) {
        const bool is_tcp = path.protocol == TransportProtocol::kTcp;
        return weather == 0 || (weather == 1 && is_tcp) || (weather == 2 && !is_tcp) ||
               (weather == 3 && path.remote.ip.is_v4());
      });
      if (scene.random.below(4) == 0 && scene.client.ice.send_path())
        scene.network.close_tcp(scene.client.id, scene.client.ice.send_path()->connection);
      if (scene.random.below(6) == 0)
        scene.restart({address("0.0.0.0", 6000), address("::", 6000)},
                      {udp_candidate("192.0.2.1", 1000), tcp_candidate("2001:db8::1", 90)});
      scene.network.run_for(milliseconds(scene.random.below(9'000)));
    }
    EXPECT_LE(scene.client.datagrams_sent, 40U * 9U * 40U);
    scene.network.set_filter(nullptr);
    scene.restart({address("0.0.0.0", 7000)}, {udp_candidate("192.0.2.1", 1000)});
    ASSERT_TRUE(
        scene.network.run_until([&] { return scene.client.ice.is_nominated(); }, seconds(10)))
        << seed;
    EXPECT_EQ(scene.client.ice.state(), IceState::kConnected);
  }
}

}  // namespace
}  // namespace alcove::rtc
