// Floods and overload: what waits, what is refused, and that media does not wait for either. The
// relay's thread is modelled: what it does takes time, and what arrives meanwhile waits.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash.h"
#include "relay/endpoint.h"
#include "relay/offer.h"
#include "relay_harness.h"
#include "wire/demux.h"
#include "wire/stun.h"

namespace alcove::relay {
namespace {

using base::microseconds;
using base::milliseconds;
using base::seconds;

constexpr base::Duration kFlightCost = microseconds(330);
constexpr base::Duration kDatagramCost = microseconds(3);
constexpr base::Duration kSendCost = microseconds(1);

// A relay of one thread, as net::MediaThread runs it: a batch is read, then timers have their turn.
class BusyRelay final : public RelayNode {
 public:
  explicit BusyRelay(base::RandomSource& random) : RelayNode(1, random) {}

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    waiting_.push_back({now, path, base::to_buffer(datagram)});
  }
  base::Instant next_deadline() override {
    const base::Instant due =
        waiting_.empty() ? RelayNode::next_deadline() : waiting_.front().arrived;
    return due == base::kNever ? due : std::max(due, busy_until_);
  }
  void handle_timeout(base::Instant now) override {
    if (now < busy_until_) return;
    const ShardCounters before = counters();
    std::size_t read = 0;
    std::optional<base::Instant> oldest_media;
    for (; !waiting_.empty() && read < 64; ++read) {
      const Waiting& next = waiting_.front();
      if (wire::classify_packet(next.datagram) == wire::PacketKind::kRtp && !oldest_media)
        oldest_media = next.arrived;
      RelayNode::handle_datagram(now, next.path, next.datagram);
      waiting_.pop_front();
    }
    // Media leaves before timers run.
    const base::Instant sent = now + cost(before, read);
    if (oldest_media) media_delay = std::max(media_delay, sent - *oldest_media);
    if (RelayNode::next_deadline() <= now) RelayNode::handle_timeout(now);
    busy_until_ = now + cost(before, read);
    longest_turn = std::max(longest_turn, busy_until_ - now);
  }

  base::Duration media_delay{};  // the longest, from arrival to the last send
  base::Duration longest_turn{};

 private:
  struct Waiting {
    base::Instant arrived;
    base::Path path;
    base::Buffer datagram;
  };
  base::Duration cost(const ShardCounters& before, std::size_t read) const {
    const ShardCounters after = counters();
    const auto flights = static_cast<int>(after.handshake_flights - before.handshake_flights);
    const auto sent = static_cast<int>(after.listener_packets - before.listener_packets);
    return flights * kFlightCost + sent * kSendCost + static_cast<int>(read) * kDatagramCost;
  }
  std::deque<Waiting> waiting_;
  base::Instant busy_until_{};
};

class FloodTest : public RelayTest {
 protected:
  void SetUp() override {
    network_ = std::make_unique<simulation::SimulatedNetwork>(11);
    auto busy = std::make_unique<BusyRelay>(random_);
    busy_ = busy.get();
    relay_ = std::move(busy);
    relay_id_ = network_->add(*relay_, {ip("192.0.2.1")});
    room_ = base::RelayRoomId::make(random_);
  }
  // A join that takes note of how long it takes to the keys.
  void join_timed(std::size_t& connected, base::Duration& longest) {
    MemberNode& member = join(false);
    const base::Instant begun = network_->now();
    watched_.push_back([this, &member, &connected, &longest, begun] {
      if (!member.is_connected()) return false;
      ++connected;
      longest = std::max(longest, network_->now() - begun);
      return true;
    });
  }
  void run_watching(MemberNode& speaker, base::Duration time) {
    for (base::Duration passed{}; passed < time; passed += milliseconds(20)) {
      say(speaker);
      network_->run_for(milliseconds(20));
      std::erase_if(watched_, [](const auto& done) { return done(); });
    }
  }

  BusyRelay* busy_ = nullptr;
  std::vector<std::function<bool()>> watched_;
};

TEST_F(FloodTest, HandshakesOfManyAtOnceDoNotHoldMedia) {
  MemberNode& speaker = join(true);
  for (int i = 0; i < 30; ++i) join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  busy_->media_delay = {};
  std::size_t connected = 0;
  base::Duration longest{};
  constexpr std::size_t kFlood = 250;  // 500 flights of 0.33 ms: 165 ms of work, all at once
  for (std::size_t i = 0; i < kFlood; ++i) join_timed(connected, longest);
  run_watching(speaker, seconds(3));
  EXPECT_EQ(connected, kFlood);
  EXPECT_GE(relay_->counters().handshake_flights, 2 * kFlood);
  // One flight may just have begun; the rest is media itself.
  EXPECT_LT(busy_->media_delay, milliseconds(2));
  EXPECT_LT(longest, milliseconds(1'000));
  EXPECT_EQ(relay_->counters().of(DropReason::kHandshakesQueued), 0U);
}

TEST_F(FloodTest, ThreeHundredJoinsASecondGetIn) {
  MemberNode& speaker = join(true);
  for (int i = 0; i < 30; ++i) join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  busy_->media_delay = {};
  std::size_t connected = 0;
  base::Duration longest{};
  constexpr std::size_t kJoins = 300;
  for (std::size_t i = 0; i < kJoins; i += 6) {
    for (int each = 0; each < 6; ++each) join_timed(connected, longest);
    run_watching(speaker, milliseconds(20));
  }
  run_watching(speaker, seconds(1));
  EXPECT_EQ(connected, kJoins);
  EXPECT_LT(longest, milliseconds(400));
  EXPECT_LT(busy_->media_delay, milliseconds(2));
}

TEST_F(FloodTest, HandshakesTakeNoMoreThanTheirShareBesideMedia) {
  MemberNode& speaker = join(true);
  join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  std::size_t connected = 0;
  base::Duration longest{};
  for (int i = 0; i < 250; ++i) join_timed(connected, longest);
  run_watching(speaker, milliseconds(100));  // checks
  const std::uint64_t before = relay_->counters().handshake_flights;
  run_watching(speaker, milliseconds(100));
  const auto flights = static_cast<int>(relay_->counters().handshake_flights - before);
  EXPECT_GT(relay_->counters().handshakes_waiting, 0U);  // there was more to do
  EXPECT_LE(flights * kFlightCost, milliseconds(40 + 4));
  EXPECT_GE(flights * kFlightCost, milliseconds(30));
}

std::string value_of(const std::string& sdp, std::string_view key) {
  const std::size_t begin = sdp.find(key) + key.size();
  return sdp.substr(begin, sdp.find('\r', begin) - begin);
}
std::string ufrag_of(const std::string& sdp) { return value_of(sdp, "a=ice-ufrag:"); }

class CheckFloodTest : public RelayTest {
 protected:
  // A check for the endpoint with a wrong password, or for nobody.
  void send_bad_check(const std::string& username, const base::SocketAddress& from,
                      unsigned shard = 0) {
    send_check(username, "not the password at all", from, shard);
  }
  void send_check(const std::string& username, std::string_view password,
                  const base::SocketAddress& from, unsigned shard = 0) {
    std::array<std::uint8_t, 256> space{};
    wire::StunWriter writer(space);
    wire::TransactionId transaction{};
    random_.fill(transaction);
    writer.begin(wire::StunClass::kRequest, wire::kStunBinding, transaction);
    writer.add_username(username);
    writer.add_priority(1);
    writer.add_ice_controlling(1);
    writer.add_integrity(base::as_bytes(password), crypto::hmac_sha1);
    writer.add_fingerprint();
    const base::Path path{base::TransportProtocol::kUdp, {ip("192.0.2.1"), RelayNode::kPort}, from};
    relay_->shard(shard).handle_datagram(network_->now(), path, writer.finish(), out_);
  }
  std::uint64_t count(DropReason reason) { return relay_->counters().of(reason); }

  ShardOutput out_;
};

TEST_F(CheckFloodTest, ASourceThatFailsIsNotReadAnyMore) {
  set_up(1);
  MemberNode& member = add_member();
  const v1::RelayEvent opened = open(member, false, member.peer->create_offer());
  const std::string ufrag = ufrag_of(opened.opened().sdp_answer());
  const std::string username = ufrag + ":" + "wrong";
  const base::IpAddress attacker = ip("203.0.113.9");
  for (std::uint16_t i = 0; i < 10'000; ++i)
    send_bad_check(username, {attacker, static_cast<std::uint16_t>(1024 + i)});
  EXPECT_EQ(count(DropReason::kRefusedStun), static_cast<std::uint64_t>(kFailedCheckBurst));
  EXPECT_EQ(count(DropReason::kLimitedStun), 10'000U - kFailedCheckBurst);
  // What is not looked at is not answered.
  EXPECT_LE(out_.datagrams.entries().size(), static_cast<std::size_t>(kFailedCheckBurst));
  // A second later the source has a little credit again, and no more.
  network_->run_for(seconds(1));
  for (std::uint16_t i = 0; i < 1'000; ++i) send_bad_check(username, {attacker, 1024});
  EXPECT_LE(count(DropReason::kRefusedStun),
            static_cast<std::uint64_t>(kFailedCheckBurst + kFailedChecksPerSecond));
}

TEST_F(CheckFloodTest, ManyForgedSourcesAreLimitedByTheEndpointTheyName) {
  set_up(1);
  MemberNode& victim = join(false);
  ASSERT_TRUE(connect_all());
  MemberNode& member = add_member();
  const v1::RelayEvent opened = open(member, false, member.peer->create_offer());
  const std::string username = ufrag_of(opened.opened().sdp_answer()) + ":wrong";
  for (unsigned i = 0; i < 5'000; ++i)
    send_bad_check(username, {base::IpAddress::v4({203, 0, static_cast<std::uint8_t>(i >> 8),
                                                   static_cast<std::uint8_t>(i)}),
                              4000});
  EXPECT_EQ(count(DropReason::kRefusedStun), static_cast<std::uint64_t>(kFailedCheckBurst));
  EXPECT_TRUE(victim.is_connected());
}

TEST_F(CheckFloodTest, WhoIsConnectedStaysThroughAFloodFromItsAddressAndOthersGetIn) {
  set_up(1);
  MemberNode& speaker = join(true);
  MemberNode& victim = join(false);
  ASSERT_TRUE(connect_all());
  MemberNode& pawn = add_member();
  const v1::RelayEvent opened = open(pawn, false, pawn.peer->create_offer());
  const std::string username = ufrag_of(opened.opened().sdp_answer()) + ":wrong";
  // From the victim's own address, for longer than consent lasts.
  for (int second = 0; second < 40; ++second) {
    for (std::uint16_t i = 0; i < 200; ++i)
      send_bad_check(username, {victim.address, static_cast<std::uint16_t>(50'000 + i)});
    out_.clear();
    network_->run_for(seconds(1));
  }
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(heard_counts(victim, speaker).size(), 20U);
  members_.erase(std::ranges::find(members_, &pawn, &std::unique_ptr<MemberNode>::get));
  join(false);
  EXPECT_TRUE(connect_all());
}

TEST_F(CheckFloodTest, AMemberIsAnsweredOnlySoManyChecksAndStays) {
  set_up(1);
  MemberNode& member = add_member();
  const std::string offer = member.peer->create_offer();
  const v1::RelayEvent opened = open(member, false, offer);
  const std::string& sdp = opened.opened().sdp_answer();
  ASSERT_TRUE(member.peer->set_answer(network_->now(), sdp));
  network_->poll(member.id);
  network_->run_for(milliseconds(300));
  ASSERT_TRUE(member.is_connected());
  // Good ones, and ones for nobody from the same path.
  const std::string good = ufrag_of(sdp) + ":" + ufrag_of(offer);
  const std::string bad = ufrag_of(sdp) + ":any";
  const std::string password = value_of(sdp, "a=ice-pwd:");
  for (int second = 0; second < 40; ++second) {
    out_.clear();
    for (int i = 0; i < 1'000; ++i)
      send_check(second % 2 == 0 ? good : bad, password, {member.address, 40'000});
    EXPECT_LE(out_.datagrams.entries().size(), static_cast<std::size_t>(kRequestBurst));
    network_->run_for(seconds(1));
  }
  EXPECT_LE(out_.datagrams.entries().size(), static_cast<std::size_t>(kRequestsPerSecond) + 1);
  EXPECT_GT(count(DropReason::kLimitedStun), 30'000U);
  EXPECT_TRUE(relay_->counters().endpoints_connected == 1) << "consent went on";
}

TEST_F(CheckFloodTest, AFloodDoesNotKeepOthersOutWhoComeFromItsAddress) {
  set_up(1);
  MemberNode& pawn = add_member();
  const v1::RelayEvent opened = open(pawn, false, pawn.peer->create_offer());
  const std::string username = ufrag_of(opened.opened().sdp_answer()) + ":wrong";
  MemberNode& neighbour = add_member();
  for (std::uint16_t i = 0; i < 1'000; ++i)
    send_bad_check(username, {neighbour.address, static_cast<std::uint16_t>(50'000 + i)});
  ASSERT_GT(count(DropReason::kLimitedStun), 0U);
  const v1::RelayEvent event = open(neighbour, false, neighbour.peer->create_offer());
  ASSERT_TRUE(neighbour.peer->set_answer(network_->now(), event.opened().sdp_answer()));
  network_->poll(neighbour.id);
  network_->run_for(milliseconds(300));
  EXPECT_TRUE(neighbour.is_connected());
}

TEST_F(CheckFloodTest, ChecksForNobodyAreNotAnsweredAndTakeNoPlace) {
  set_up(1);
  for (unsigned i = 0; i < 5'000; ++i) send_bad_check("Aunknown:other", {ip("203.0.113.9"), 4000});
  EXPECT_EQ(count(DropReason::kUnknownUfrag), 5'000U);
  EXPECT_TRUE(out_.empty());
}

TEST_F(CheckFloodTest, StrangersGetAShareOfTheWayBetweenShards) {
  set_up(2);
  const std::string username = std::string(1, ufrag_prefix(1)) + "abc:other";
  for (unsigned i = 0; i < 10'000; ++i) send_bad_check(username, {ip("203.0.113.9"), 4000}, 0);
  EXPECT_EQ(out_.to_shards.size(), static_cast<std::size_t>(kStrangersBurst));
  EXPECT_EQ(count(DropReason::kLimitedStun), 10'000U - kStrangersBurst);
}

class OverloadTest : public RelayTest {
 protected:
  // Every 20 ms a batch that takes this long.
  void work(base::Duration each, base::Duration time) {
    for (base::Duration passed{}; passed < time; passed += milliseconds(20)) {
      const base::Instant began = network_->now();
      relay_->shard(0).handle_batch_cost(began + each, each);
      network_->run_for(milliseconds(20));
    }
  }
};

TEST_F(OverloadTest, RefusesNewListenersWithAReasonOfItsOwnAndKeepsThoseWhoAreThere) {
  set_up(1);
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  work(milliseconds(19), seconds(5));
  ASSERT_TRUE(relay_->shard(0).load().overloaded);
  MemberNode& late = add_member();
  const v1::RelayEvent refused = open(late, false, late.peer->create_offer());
  ASSERT_TRUE(refused.has_refused()) << refused.ShortDebugString();
  EXPECT_EQ(refused.refused().reason(), v1::EndpointRefused::REASON_OVERLOADED);
  EXPECT_EQ(relay_->counters().refused_overloaded, 1U);
  EXPECT_EQ(relay_->assigner().size(), 2U);

  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(heard_counts(listener, speaker).size(), 20U);

  // A restart is of somebody who is there; who is needed comes in.
  v1::RelayCommand restart;
  restart.mutable_restart()->set_join_id(bytes_of(listener.join));
  restart.mutable_restart()->set_sdp_offer(listener.peer->create_offer());
  EXPECT_NE(command(restart).refused().reason(), v1::EndpointRefused::REASON_OVERLOADED);
  v1::RelayCommand needed;
  needed.mutable_open()->set_join_id(bytes_of(late.join));
  needed.mutable_open()->set_relay_room(bytes_of(room_));
  needed.mutable_open()->set_sdp_offer(late.peer->create_offer());
  needed.mutable_open()->set_needed(true);
  EXPECT_TRUE(command(needed).has_opened());

  work(milliseconds(5), seconds(15));
  EXPECT_FALSE(relay_->shard(0).load().overloaded);
  MemberNode& later = add_member();
  EXPECT_TRUE(open(later, false, later.peer->create_offer()).has_opened());
}

TEST_F(OverloadTest, HandshakesAloneAreNoOverload) {
  set_up(1);
  // 80 flights at 330 us and nothing else: a shard with nobody to keep waiting. What the batches
  // take is what they cost.
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 2; ++i) join(false);
    for (int step = 0; step < 25; ++step) {
      const std::uint64_t before = relay_->counters().handshake_flights;
      network_->run_for(milliseconds(1));
      const auto flights = static_cast<int>(relay_->counters().handshake_flights - before);
      const base::Instant now = network_->now();
      relay_->shard(0).handle_batch_cost(now, flights * kFlightCost);
    }
  }
  EXPECT_LT(relay_->shard(0).load().busy, 50U);
}

TEST_F(OverloadTest, AgesAreFromTheReadOfTheSpeakersPacket) {
  set_up(1);
  MemberNode& speaker = join(true);
  join(false);
  ASSERT_TRUE(connect_all());
  for (int i = 0; i < 300; ++i) {
    say(speaker);
    network_->run_for(milliseconds(20));
    // The simulated way takes 10 ms, so the packet was read 10 ms ago, and sent 2 ms from now.
    relay_->shard(0).handle_batch_cost(network_->now() + milliseconds(2), milliseconds(2));
  }
  EXPECT_EQ(relay_->shard(0).load().queue_age, milliseconds(12));
}

}  // namespace
}  // namespace alcove::relay
