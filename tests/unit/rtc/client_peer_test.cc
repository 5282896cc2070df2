// ClientPeer against a tiny relay over a simulated network.

#include "rtc/client_peer.h"

#include <gtest/gtest.h>

#include <set>

#include "rtc/client_answer.h"
#include "unit/rtc/test_relay.h"

namespace alcove::rtc {
namespace {

using base::milliseconds;
using base::seconds;

class PeerNode final : public simulation::SimulatedNode {
 public:
  struct Frame {
    RemoteFrame meta;
    base::Instant at;
    base::Buffer payload;
  };

  PeerNode(simulation::SimulatedNetwork& network, base::RandomSource& random,
           ClientPeerOptions options)
      : network_(network), peer(ClientPeer::create(random, std::move(options))) {}

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    peer->handle_datagram(now, path, datagram);
  }
  void handle_timeout(base::Instant now) override { peer->handle_timeout(now); }
  base::Instant next_deadline() override { return peer->next_deadline(); }
  base::DatagramQueue& outgoing() override {
    for (const auto& entry : peer->outgoing().entries()) sent_to.insert(entry.path.remote.ip);
    return peer->outgoing();
  }
  void after_call(base::Instant now) override {
    for (const PeerEvent& event : peer->events()) {
      if (const auto* state = std::get_if<PeerStateChanged>(&event))
        states.push_back(*state);
      else if (const auto* open = std::get_if<OpenTcpConnection>(&event))
        network_.open_tcp(id, open->remote);
      else if (const auto* close = std::get_if<CloseTcpConnection>(&event))
        network_.close_tcp(id, close->connection);
      else if (const auto* frame = std::get_if<RemoteFrame>(&event))
        frames.push_back({*frame, now, base::to_buffer(peer->payload(*frame))});
    }
    peer->clear_events();
  }
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path) override {
    peer->handle_tcp_opened(now, remote, path);
  }
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) override {
    peer->handle_tcp_failed(now, remote);
  }
  void handle_tcp_closed(base::Instant now, std::uint64_t connection) override {
    peer->handle_tcp_closed(now, connection);
  }

 private:
  simulation::SimulatedNetwork& network_;

 public:
  std::unique_ptr<ClientPeer> peer;
  simulation::SimulatedNetwork::NodeId id = 0;
  std::vector<PeerStateChanged> states;
  std::vector<Frame> frames;
  std::set<base::IpAddress> sent_to;
};

struct Call {
  explicit Call(std::uint64_t seed = 1, simulation::NetworkConditions conditions = {},
                crypto::DtlsSrtpProfiles profiles = crypto::DtlsSrtpProfiles::kGcmThenCm,
                ClientPeerOptions client_options = options())
      : network(seed, conditions),
        random(seed + 500),
        relay(random, profiles),
        client(network, random, std::move(client_options)) {
    network.add(relay, {ip("192.0.2.1"), ip("2001:db8::1")});
    client.id = network.add(client, {ip("198.51.100.7"), ip("2001:db8:7::7")});
    relay.candidates = {udp_candidate("2001:db8::1", 2000), udp_candidate("192.0.2.1", 1000),
                        tcp_candidate("192.0.2.1")};
  }
  static ClientPeerOptions options() {
    ClientPeerOptions options;
    options.local_addresses = {address("0.0.0.0", 5000), address("::", 5000)};
    options.slots = 4;
    return options;
  }
  ClientPeer& peer() { return *client.peer; }
  void start() {
    const std::string answer = relay.answer(network.now(), peer().create_offer(), 4);
    ASSERT_TRUE(peer().set_answer(network.now(), answer));
    network.poll(client.id);
  }
  bool wait(PeerState state, base::Duration limit = seconds(15)) {
    return network.run_until([&] { return peer().state() == state; }, limit);
  }
  // Frame n for slot n % 4, every 20 ms.
  void speak(int count) {
    for (int i = 0; i < count; ++i) {
      base::Buffer payload(160, static_cast<std::uint8_t>(sent));
      payload[0] = static_cast<std::uint8_t>(sent % 4);
      payload[1] = static_cast<std::uint8_t>(sent >> 8);
      if (peer().send_frame(network.now(), payload, sent * 960, sent % 50 == 0)) ++sent;
      network.poll(client.id);
      network.run_for(milliseconds(20));
    }
  }
  void restart(std::vector<base::SocketAddress> addresses) {
    const auto offer = peer().create_restart_offer(std::move(addresses));
    ASSERT_TRUE(offer);
    const std::string answer = relay.answer(network.now(), *offer, 4);
    ASSERT_TRUE(peer().set_restart_answer(network.now(), answer));
    network.poll(client.id);
  }
  std::set<std::uint64_t> distinct_frames() const {
    std::set<std::uint64_t> distinct;
    for (const PeerNode::Frame& frame : client.frames)
      distinct.insert(frame.meta.sequence * 4 + frame.meta.slot);
    return distinct;
  }

  simulation::SimulatedNetwork network;
  base::SeededRandom random;
  TestRelay relay;
  PeerNode client;
  std::uint32_t sent = 0;
};

TEST(ClientPeerTest, ConnectsInAFewRoundTrips) {
  Call call;
  EXPECT_EQ(call.peer().state(), PeerState::kNew);
  const base::Instant begin = call.network.now();
  call.start();
  EXPECT_EQ(call.peer().state(), PeerState::kChecking);
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  // One for the check, two for DTLS.
  EXPECT_LE(call.network.now() - begin, milliseconds(90));
  call.network.run_for(milliseconds(100));
  EXPECT_TRUE(call.relay.is_connected());
  const ClientPeerStatistics statistics = call.peer().statistics();
  EXPECT_EQ(statistics.srtp_profile, "AEAD_AES_128_GCM");
  EXPECT_EQ(statistics.selected_path->remote, address("2001:db8::1", 7878));
  EXPECT_EQ(statistics.ice_round_trip, milliseconds(20));
  EXPECT_EQ(statistics.slots.size(), 4U);
  EXPECT_EQ(call.relay.reports_received, 1U);  // the first one ends the relay's handshake
  ASSERT_EQ(call.client.states.size(), 2U);
  EXPECT_EQ(call.client.states[0].state, PeerState::kChecking);
  EXPECT_EQ(call.client.states[1].state, PeerState::kConnected);
}

TEST(ClientPeerTest, FramesComeBackInTheirSlots) {
  for (const auto profiles :
       {crypto::DtlsSrtpProfiles::kGcmThenCm, crypto::DtlsSrtpProfiles::kCmOnly}) {
    Call call(2, {}, profiles);
    call.start();
    ASSERT_TRUE(call.wait(PeerState::kConnected));
    call.network.run_for(milliseconds(100));
    call.speak(400);
    call.network.run_for(milliseconds(100));
    ASSERT_EQ(call.client.frames.size(), 400U);
    for (std::uint32_t i = 0; i < 400; ++i) {
      const PeerNode::Frame& frame = call.client.frames[i];
      EXPECT_EQ(frame.meta.slot, i % 4);
      EXPECT_EQ(frame.payload.size(), 160U);
      EXPECT_EQ(frame.payload[2], static_cast<std::uint8_t>(i));
      EXPECT_EQ(frame.meta.marker, i % 50 == 0);
      EXPECT_EQ(frame.meta.timestamp - call.client.frames[0].meta.timestamp, i * 960);
      EXPECT_EQ(frame.meta.sequence, call.client.frames[i % 4].meta.sequence + i / 4);
    }
  }
}

TEST(ClientPeerTest, ReportsAndRoundTrips) {
  Call call;
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.speak(500);
  const ClientPeerStatistics statistics = call.peer().statistics();
  ASSERT_TRUE(statistics.round_trip);
  EXPECT_NEAR(static_cast<double>(statistics.round_trip->count()), 20'000, 500);
  ASSERT_TRUE(call.relay.round_trip);
  EXPECT_NEAR(static_cast<double>(call.relay.round_trip->count()), 20'000, 500);
  EXPECT_EQ(statistics.reported_loss, 0);
  EXPECT_EQ(statistics.packets_sent, 500U);
  EXPECT_EQ(call.relay.last_block->cumulative_lost, 0);
  EXPECT_FALSE(call.relay.cname.empty());
  // A report each 2 to 3 s while there is something to say, and none after.
  EXPECT_GE(call.relay.reports_received, 4U);
  EXPECT_LE(call.relay.reports_received, 7U);
  call.network.run_for(seconds(4));
  const std::uint64_t before = call.relay.reports_received;
  call.network.run_for(seconds(30));
  EXPECT_EQ(call.relay.reports_received, before);
}

TEST(ClientPeerTest, RepairsLossesBothWays) {
  Call call(7, {.loss = 0.1, .duplication = 0.05, .reordering = 0.1, .jitter = milliseconds(5)});
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.speak(2'000);
  call.network.run_for(seconds(1));
  const ClientPeerStatistics statistics = call.peer().statistics();
  // Without repair 81 % would come back.
  EXPECT_GE(call.relay.frames, 1'990U);
  EXPECT_GE(call.distinct_frames().size(), 1'980U);
  EXPECT_EQ(call.distinct_frames().size(), call.client.frames.size());  // never twice
  EXPECT_GE(statistics.packets_resent, 150U);
  EXPECT_GE(call.relay.resent, 150U);
  std::uint64_t repaired = 0;
  std::int64_t lost = 0;
  for (const SlotStatistics& slot : statistics.slots) {
    repaired += slot.repaired;
    lost += slot.lost;
  }
  EXPECT_GE(repaired, 150U);
  EXPECT_LE(lost, 20);
  EXPECT_EQ(statistics.dropped_unauthenticated, 0U);
  EXPECT_EQ(statistics.dropped_malformed, 0U);
}

TEST(ClientPeerTest, ReportsLossWhenNothingIsRepaired) {
  Call call(8, {.loss = 0.2});
  call.relay.repairs = false;
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.speak(3'000);
  const ClientPeerStatistics statistics = call.peer().statistics();
  EXPECT_NEAR(statistics.reported_loss, 0.2, 0.12);
  EXPECT_NEAR(static_cast<double>(statistics.slots[0].lost), 0.2 * 600, 40);
}

// What a load test counts is what a member that opens everything counts.
TEST(ClientPeerTest, AShareIsOpenedAndTheRestCountedByItsHeader) {
  const simulation::NetworkConditions conditions{
      .loss = 0.1, .duplication = 0.05, .reordering = 0.1, .jitter = milliseconds(5)};
  base::SeededRandom random(11);
  ClientPeerOptions options = Call::options();
  options.opened_share = 10;
  options.identity = std::make_shared<const ClientIdentity>(random, base::WallTime());
  Call call(7, conditions, crypto::DtlsSrtpProfiles::kGcmThenCm, options);
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.speak(2'000);
  call.network.run_for(seconds(1));
  const ClientPeerStatistics statistics = call.peer().statistics();
  std::uint64_t packets = 0, unopened = 0, repaired = 0;
  std::int64_t lost = 0;
  for (const SlotStatistics& slot : statistics.slots) {
    packets += slot.packets;
    unopened += slot.unopened;
    repaired += slot.repaired;
    lost += slot.lost;
    EXPECT_GT(slot.jitter, milliseconds(1));
  }
  EXPECT_EQ(packets - unopened, call.client.frames.size());
  EXPECT_NEAR(static_cast<double>(packets - unopened), 200, 20);
  EXPECT_GE(packets, 1'970U);
  EXPECT_LE(packets, 2'000U);  // repeated ones once
  EXPECT_GE(repaired, 100U);
  EXPECT_LE(lost, 20);
  EXPECT_EQ(statistics.dropped_unauthenticated, 0U);
}

TEST(ClientPeerTest, ConnectsUnderHeavyLoss) {
  int connected_late = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Call call(seed,
              {.loss = 0.25, .duplication = 0.1, .reordering = 0.2, .jitter = milliseconds(10)});
    const base::Instant begin = call.network.now();
    call.start();
    ASSERT_TRUE(call.wait(PeerState::kConnected)) << seed;
    if (call.network.now() - begin > seconds(3)) ++connected_late;
    call.speak(50);
    call.network.run_for(seconds(1));
    EXPECT_GE(call.client.frames.size(), 20U) << seed;
  }
  EXPECT_LE(connected_late, 3);
}

TEST(ClientPeerTest, CrossesTheRolloverOfTheSequence) {
  Call call(9, {.loss = 0.02});
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  // The stream starts below 2^15: 66,000 frames cross 65,535 for sure. Faster than real time.
  for (int i = 0; i < 66'000; ++i) {
    const base::Buffer payload(3, static_cast<std::uint8_t>(i % 4));
    call.peer().send_frame(call.network.now(), payload, static_cast<std::uint32_t>(i) * 960, false);
    call.network.poll(call.client.id);
    call.network.run_for(milliseconds(2));
  }
  call.network.run_for(seconds(1));
  EXPECT_GE(call.relay.frames, 65'900U);
  EXPECT_GE(call.distinct_frames().size(), 65'000U);
}

TEST(ClientPeerTest, TcpWhenUdpIsBlocked) {
  Call call;
  call.network.set_filter(
      [](const base::Path& path) { return path.protocol == base::TransportProtocol::kTcp; });
  const base::Instant begin = call.network.now();
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  EXPECT_LE(call.network.now() - begin, milliseconds(300));
  call.network.run_for(seconds(1));
  call.speak(100);
  call.network.run_for(milliseconds(100));
  EXPECT_EQ(call.client.frames.size(), 100U);
  EXPECT_EQ(call.peer().statistics().selected_path->protocol, base::TransportProtocol::kTcp);
}

TEST(ClientPeerTest, RestartKeepsKeysAndStreams) {
  Call call;
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.speak(50);
  call.network.change_addresses(call.client.id, {ip("203.0.113.50")});
  call.speak(10);  // lost
  call.restart({address("0.0.0.0", 6000)});
  call.network.run_for(milliseconds(200));
  const std::size_t before = call.client.frames.size();
  call.speak(100);
  call.network.run_for(milliseconds(200));
  EXPECT_GE(call.client.frames.size(), before + 100);
  EXPECT_EQ(call.peer().state(), PeerState::kConnected);
  EXPECT_EQ(call.relay.ice().selected_path()->remote, address("203.0.113.50", 6000));
}

TEST(ClientPeerTest, ReconnectsAfterConsentHasExpired) {
  Call call;
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.network.set_filter([](const base::Path&) { return false; });
  ASSERT_TRUE(call.wait(PeerState::kDisconnected, seconds(10)));
  EXPECT_TRUE(call.peer().send_frame(call.network.now(), base::Buffer(5), 0, false));
  ASSERT_TRUE(call.wait(PeerState::kFailed, seconds(40)));
  EXPECT_EQ(call.client.states.back().failure, PeerFailure::kConsentExpired);
  EXPECT_FALSE(call.peer().send_frame(call.network.now(), base::Buffer(5), 0, false));
  call.network.set_filter(nullptr);
  call.restart({address("0.0.0.0", 5000), address("::", 5000)});
  ASSERT_TRUE(call.wait(PeerState::kConnected, seconds(2)));
  const std::size_t before = call.client.frames.size();
  call.network.run_for(milliseconds(100));
  call.speak(10);
  call.network.run_for(milliseconds(100));
  EXPECT_EQ(call.client.frames.size(), before + 10);
}

TEST(ClientPeerTest, NoPathIsNamed) {
  Call call;
  call.network.set_filter([](const base::Path&) { return false; });
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kFailed, seconds(20)));
  EXPECT_EQ(call.client.states.back().failure, PeerFailure::kNoPath);
  EXPECT_EQ(call.client.sent_to, (std::set{ip("192.0.2.1"), ip("2001:db8::1")}));
}

TEST(ClientPeerTest, AnotherCertificateIsRefused) {
  Call call;
  std::string answer = call.relay.answer(call.network.now(), call.peer().create_offer(), 4);
  std::size_t at = 0;
  while ((at = answer.find("sha-256 ", at)) != std::string::npos) {
    at += 8;
    answer[at] = answer[at] == 'A' ? 'B' : 'A';
  }
  ASSERT_TRUE(call.peer().set_answer(call.network.now(), answer));
  call.network.poll(call.client.id);
  ASSERT_TRUE(call.wait(PeerState::kFailed));
  EXPECT_EQ(call.client.states.back().failure, PeerFailure::kDtls);
  EXPECT_FALSE(call.peer().send_frame(call.network.now(), base::Buffer(5), 0, false));
}

TEST(ClientPeerTest, TheOfferTellsNothing) {
  Call call;
  const std::string offer = call.peer().create_offer();
  EXPECT_EQ(offer.find("a=candidate"), std::string::npos);
  const auto parsed = wire::parse_sdp(offer);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(wire::check_offer(*parsed));
  Call other(2);
  const auto second = wire::parse_sdp(other.peer().create_offer());
  EXPECT_NE(parsed->media[0].sources[0], second->media[0].sources[0]);
  EXPECT_NE(parsed->media[0].fingerprint->digest, second->media[0].fingerprint->digest);
}

TEST(ClientPeerTest, RefusesAnswersThatDoNotFit) {
  Call call;
  const std::string good = call.relay.answer(call.network.now(), call.peer().create_offer(), 4);
  ASSERT_TRUE(parse_client_answer(good, 4));
  const auto without = [&good](std::string_view line, std::string_view instead) {
    std::string sdp = good;
    for (std::size_t at = 0; (at = sdp.find(line, at)) != std::string::npos; at += instead.size())
      sdp.replace(at, line.size(), instead);
    return sdp;
  };
  for (const std::string& bad :
       {std::string(), std::string("v=0\r\n"), without("a=setup:passive", "a=setup:active"),
        without("a=ice-pwd:", "a=x-pwd:"), without("sha-256", "sha-1"),
        without("a=recvonly", "a=inactive"), without("opus/48000/2", "PCMU/8000"),
        good.substr(0, good.size() / 2)}) {
    const auto result = call.peer().set_answer(call.network.now(), bad);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, base::ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(call.peer().state(), PeerState::kNew);
  EXPECT_FALSE(call.peer().create_restart_offer({}));
  EXPECT_TRUE(call.peer().set_answer(call.network.now(), good));
  EXPECT_FALSE(call.peer().set_answer(call.network.now(), good));
  EXPECT_FALSE(call.peer().set_restart_answer(call.network.now(), good));
}

TEST(ClientPeerTest, ARestartAtAnotherRelayIsRefused) {
  Call call;
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  TestRelay other(call.random, crypto::DtlsSrtpProfiles::kGcmThenCm);
  other.candidates = call.relay.candidates;
  const auto offer = call.peer().create_restart_offer({address("0.0.0.0", 5000)});
  ASSERT_TRUE(offer);
  const auto result = call.peer().set_restart_answer(call.network.now(),
                                                     other.answer(call.network.now(), *offer, 4));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, base::ErrorCode::kFailedPrecondition);
}

TEST(ClientPeerTest, FewerSlotsThanOffered) {
  Call call;
  const std::string answer = call.relay.answer(call.network.now(), call.peer().create_offer(), 2);
  ASSERT_TRUE(call.peer().set_answer(call.network.now(), answer));
  call.network.poll(call.client.id);
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.network.run_for(milliseconds(50));
  call.speak(4);
  call.network.run_for(milliseconds(50));
  EXPECT_EQ(call.client.frames.size(), 4U);
}

TEST(ClientPeerTest, GarbageChangesNothing) {
  Call call;
  call.start();
  ASSERT_TRUE(call.wait(PeerState::kConnected));
  call.network.run_for(milliseconds(200));
  const base::Path path = *call.peer().statistics().selected_path;
  base::Path elsewhere = path;
  elsewhere.remote.port = 9;
  for (int i = 0; i < 20'000; ++i) {
    base::Buffer bytes(call.random.below(1'600));
    call.random.fill(bytes);
    if (!bytes.empty() && i % 2 == 0) bytes[0] = i % 4 == 0 ? 0x80 : 22;
    call.peer().handle_datagram(call.network.now(), i % 10 == 0 ? elsewhere : path, bytes);
  }
  call.network.poll(call.client.id);
  EXPECT_TRUE(call.client.frames.empty());
  call.speak(20);
  call.network.run_for(milliseconds(100));
  EXPECT_EQ(call.client.frames.size(), 20U);
  EXPECT_EQ(call.peer().state(), PeerState::kConnected);
  EXPECT_GT(call.peer().statistics().dropped_malformed, 1'000U);
  EXPECT_GT(call.peer().statistics().dropped_unauthenticated, 1'000U);
}

}  // namespace
}  // namespace alcove::rtc
