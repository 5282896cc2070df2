// One shard: members who come, speak, hear, lose, restart and go.
#include "relay/shard.h"

#include <gtest/gtest.h>

#include <map>

#include "relay_harness.h"
#include "wire/rtp.h"
#include "wire/sdp.h"

namespace alcove::relay {
namespace {

using base::milliseconds;
using base::seconds;

class ShardTest : public RelayTest {
 protected:
  void SetUp() override { set_up(1); }
  bool has_state(const MemberNode& member, v1::EndpointStateChanged::State state) const {
    return std::ranges::any_of(relay_->events, [&](const v1::RelayEvent& event) {
      return event.has_state_changed() && event.state_changed().state() == state &&
             event.state_changed().join_id() == bytes_of(member.join);
    });
  }
};

TEST_F(ShardTest, EveryoneButTheSpeakerHearsEachFrameOnceInOrder) {
  MemberNode& speaker = join(true);
  MemberNode& ann = join(false);
  MemberNode& ben = join(false);
  relay_->events.clear();
  ASSERT_TRUE(connect_all());
  for (const MemberNode* member : {&speaker, &ann, &ben}) {
    EXPECT_TRUE(has_state(*member, v1::EndpointStateChanged::STATE_CHECKED));
    EXPECT_TRUE(has_state(*member, v1::EndpointStateChanged::STATE_CONNECTED));
  }
  talk({&speaker}, 100);
  network_->run_for(milliseconds(200));
  for (const MemberNode* member : {&ann, &ben}) {
    ASSERT_EQ(member->heard.size(), 100U);
    for (std::size_t i = 0; i < 100; ++i) {
      EXPECT_EQ(member->heard[i].payload, payload_of(speaker, static_cast<int>(i)));
      EXPECT_EQ(member->heard[i].sequence, member->heard[0].sequence + i);
      EXPECT_EQ(member->heard[i].timestamp - member->heard[0].timestamp, i * 960);
      EXPECT_EQ(member->heard[i].marker, i == 0);
    }
  }
  EXPECT_TRUE(speaker.heard.empty());
  EXPECT_NE(ann.heard[0].timestamp, ben.heard[0].timestamp);
  const ShardCounters counters = relay_->counters();
  EXPECT_EQ(counters.endpoints_connected, 3U);
  EXPECT_EQ(counters.speaker_packets, 100U);
  EXPECT_EQ(counters.listener_packets, 200U);
}

TEST_F(ShardTest, WhoReceivesLaterConnectsAndIsSentNothingBefore) {
  set_up(1);
  MemberNode& speaker = join(true);
  MemberNode& waiting = join(false, {}, true);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_TRUE(waiting.heard.empty());
  EXPECT_EQ(relay_->counters().listener_packets, 0U);
  let_receive(waiting);
  let_receive(waiting);  // for good: a second time changes nothing
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(heard_counts(waiting, speaker).size(), 20U);
  EXPECT_EQ(relay_->counters().listener_packets, 20U);
  close(waiting);
  talk({&speaker}, 1);
  EXPECT_EQ(relay_->counters().listener_packets, 20U);
}

TEST_F(ShardTest, AdmittedBeforeItIsConnectedItHearsOnceItIs) {
  set_up(1);
  MemberNode& speaker = join(true);
  MemberNode& waiting = join(false, {}, true);
  let_receive(waiting);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(heard_counts(waiting, speaker).size(), 10U);
}

TEST_F(ShardTest, WhoWaitsAndLeavesLeavesTheListenersInOrder) {
  set_up(1);
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  MemberNode& waiting = join(false, {}, true);
  ASSERT_TRUE(connect_all());
  close(waiting);
  talk({&speaker}, 10);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(heard_counts(listener, speaker).size(), 10U);
}

TEST_F(ShardTest, AudienceMayNotSendAndMovedDownIsSilentAtOnce) {
  MemberNode& speaker = join(true);
  MemberNode& intruder = join(false);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker, &intruder}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(heard_counts(listener, speaker).size(), 20U);
  EXPECT_TRUE(heard_counts(listener, intruder).empty());
  EXPECT_EQ(relay_->counters().of(DropReason::kNotAllowedToSend), 20U);

  allow(speaker, false);
  const std::uint64_t sent = relay_->counters().listener_packets;
  talk({&speaker}, 20);
  EXPECT_EQ(relay_->counters().listener_packets, sent);

  // And up again: the same stream goes on, as a new talk spurt.
  allow(speaker, true);
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  const std::set<int> counts = heard_counts(listener, speaker);
  EXPECT_TRUE(counts.contains(19));
  EXPECT_FALSE(counts.contains(20));
  EXPECT_TRUE(counts.contains(59));
  for (const HeardFrame& frame : listener.heard) {
    if (frame.payload == payload_of(speaker, 40)) {
      EXPECT_TRUE(frame.marker);
    }
  }
}

TEST_F(ShardTest, APauseAdvancesTheTimestampAndNotTheSequence) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  network_->run_for(seconds(3));
  talk({&speaker}, 10);
  network_->run_for(milliseconds(100));
  ASSERT_EQ(listener.heard.size(), 20U);
  const HeardFrame& before = listener.heard[9];
  const HeardFrame& after = listener.heard[10];
  EXPECT_EQ(after.sequence, before.sequence + 1);
  EXPECT_TRUE(after.marker);
  EXPECT_EQ(after.timestamp - before.timestamp, 151U * 960);
}

TEST_F(ShardTest, FourSpeakAndAFifthIsRefused) {
  std::vector<MemberNode*> speakers;
  for (int i = 0; i < 5; ++i) speakers.push_back(&join(true));
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  talk(speakers, 50);
  network_->run_for(milliseconds(100));
  std::map<std::string, std::set<std::size_t>> slots;
  for (const HeardFrame& frame : listener.heard)
    slots[frame.payload.substr(0, 16)].insert(frame.slot);
  EXPECT_EQ(slots.size(), 4U);
  for (const auto& [who, used] : slots) EXPECT_EQ(used.size(), 1U);
  EXPECT_EQ(relay_->counters().of(DropReason::kNoFreeSlot), 50U);
  // Each of the four hears the three others, and no hole where its own voice is.
  for (const MemberNode* speaker : speakers) {
    for (const MemberNode* other : speakers) {
      const std::size_t heard = heard_counts(*speaker, *other).size();
      EXPECT_TRUE(heard == 50 || heard == 0);
      if (speaker == other) {
        EXPECT_EQ(heard, 0U);
      }
    }
    for (const rtc::SlotStatistics& slot : speaker->peer->statistics().slots)
      EXPECT_EQ(slot.lost, 0);
  }
}

TEST_F(ShardTest, SpeakersWhoShareASlotSeeNoHoleForTheirOwnTurns) {
  ShardOptions options;
  options.slots = 1;
  set_up(1, {}, options);
  const rtc::ClientPeerOptions one_slot = with_slots(1);
  MemberNode& ann = join(true, one_slot);
  MemberNode& ben = join(true, one_slot);
  MemberNode& listener = join(false, one_slot);
  ASSERT_TRUE(connect_all());
  for (int turn = 0; turn < 12; ++turn) {
    talk({turn % 2 == 0 ? &ann : &ben}, 15);
    network_->run_for(milliseconds(400));
  }
  EXPECT_EQ(listener.heard.size(), 12U * 15);
  EXPECT_EQ(ann.heard.size(), 6U * 15);
  EXPECT_EQ(ben.heard.size(), 6U * 15);
  for (const MemberNode* member : {&ann, &ben, &listener}) {
    for (std::size_t i = 1; i < member->heard.size(); ++i)
      ASSERT_EQ(member->heard[i].sequence, member->heard[i - 1].sequence + 1);
    EXPECT_EQ(member->peer->statistics().slots[0].lost, 0);
  }
}

TEST_F(ShardTest, ALateListenerHearsOnThroughARolloverOfTheSequence) {
  MemberNode& speaker = join(true);
  MemberNode& first = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 40);
  MemberNode& late = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 1);
  network_->run_for(milliseconds(100));
  ASSERT_EQ(late.heard.size(), 1U);
  const std::uint64_t begun = late.heard.front().sequence;
  ASSERT_LT(begun, 1U << 15);
  for (std::uint64_t sequence = begun + 1; sequence < 65'536 + 100; ++sequence) {
    first.heard.clear();
    late.heard.clear();
    talk({&speaker}, 1);
    // The frame of 20 ms ago: the network takes 10 ms each way.
    ASSERT_EQ(late.heard.size(), 1U);
    ASSERT_EQ(late.heard.front().sequence, sequence);
    ASSERT_EQ(late.heard.front().payload, payload_of(speaker, speaker.said - 1));
    ASSERT_EQ(first.heard.size(), 1U);
  }
}

TEST_F(ShardTest, RestartKeepsMediaAndMovesItToTheNewPath) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 20);
  const std::string answer_before = listener.peer->create_offer();

  const base::IpAddress moved = next_address();
  network_->change_addresses(listener.id, {moved});
  const auto offer = listener.peer->create_restart_offer({{moved, 41'000}});
  ASSERT_TRUE(offer);
  v1::RelayCommand restart;
  restart.mutable_restart()->set_join_id(bytes_of(listener.join));
  restart.mutable_restart()->set_sdp_offer(*offer);
  const v1::RelayEvent event = command(restart);
  ASSERT_TRUE(event.has_opened()) << event.ShortDebugString();
  EXPECT_NE(event.opened().sdp_answer().find("a=setup:passive"), std::string::npos);
  ASSERT_TRUE(listener.peer->set_restart_answer(network_->now(), event.opened().sdp_answer()));
  network_->poll(listener.id);
  network_->run_for(milliseconds(500));
  listener.heard.clear();
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(listener.heard.size(), 20U);
  EXPECT_EQ(listener.peer->statistics().selected_path->local.ip, moved);
  EXPECT_EQ(relay_->counters().endpoints, 2U);
}

TEST_F(ShardTest, RestartAnswersWithNewCredentialsAndTheSameStreams) {
  MemberNode& member = add_member();
  const std::string first = open(member, false, member.peer->create_offer()).opened().sdp_answer();
  ASSERT_TRUE(member.peer->set_answer(network_->now(), first));
  v1::RelayCommand restart;
  restart.mutable_restart()->set_join_id(bytes_of(member.join));
  restart.mutable_restart()->set_sdp_offer(
      member.peer->create_restart_offer({{member.address, 40'000}}).value());
  const std::string second = command(restart).opened().sdp_answer();
  const std::string third = command(restart).opened().sdp_answer();  // the answer was lost
  const auto before = wire::parse_sdp(first).value();
  for (const std::string& text : {second, third}) {
    const auto after = wire::parse_sdp(text).value();
    ASSERT_EQ(after.media.size(), before.media.size());
    EXPECT_GT(after.session_version, before.session_version);
    EXPECT_EQ(after.session_id, before.session_id);
    for (std::size_t i = 0; i < after.media.size(); ++i) {
      EXPECT_NE(after.media[i].ice, before.media[i].ice);
      EXPECT_EQ(after.media[i].fingerprint, before.media[i].fingerprint);
      EXPECT_EQ(after.media[i].sources, before.media[i].sources);
    }
  }
  // Other payload types would give a packet that is sent again another header under the same nonce.
  std::string renumbered = restart.restart().sdp_offer();
  const std::string type = before.media.front().formats.front();
  for (std::size_t at = 0; (at = renumbered.find(type, at)) != std::string::npos;
       at += type.size()) {
    const bool is_whole = at > 0 && (renumbered[at - 1] == ' ' || renumbered[at - 1] == ':');
    if (is_whole) renumbered.replace(at, type.size(), "109");
  }
  v1::RelayCommand other_types = restart;
  other_types.mutable_restart()->set_sdp_offer(renumbered);
  EXPECT_NE(command(other_types).refused().detail().find("payload types"), std::string::npos);
  // An offer with another fingerprint is another client: DTLS could not go on.
  MemberNode& other = add_member();
  restart.mutable_restart()->set_sdp_offer(other.peer->create_offer());
  EXPECT_EQ(command(restart).refused().reason(), v1::EndpointRefused::REASON_BAD_OFFER);
  restart.mutable_restart()->set_join_id(bytes_of(other.join));
  EXPECT_EQ(command(restart).refused().reason(), v1::EndpointRefused::REASON_UNKNOWN);
}

TEST_F(ShardTest, AnEndpointWithoutConsentGoes) {
  MemberNode& silent = join(false);
  MemberNode& speaker = join(true);
  ASSERT_TRUE(connect_all());
  network_->change_addresses(silent.id, {});  // the cable is out
  relay_->events.clear();
  network_->run_for(seconds(20));
  EXPECT_EQ(relay_->counters().endpoints, 2U);
  network_->run_for(seconds(15));
  EXPECT_TRUE(has_state(silent, v1::EndpointStateChanged::STATE_GONE));
  EXPECT_FALSE(has_state(speaker, v1::EndpointStateChanged::STATE_GONE));
  EXPECT_EQ(relay_->counters().endpoints, 1U);
  EXPECT_EQ(relay_->assigner().size(), 1U);
}

TEST_F(ShardTest, AnEndpointThatIsNeverCheckedGoes) {
  MemberNode& member = add_member();
  ASSERT_TRUE(open(member, true, member.peer->create_offer()).has_opened());
  network_->run_for(seconds(29));
  EXPECT_EQ(relay_->counters().endpoints, 1U);
  network_->run_for(seconds(2));
  EXPECT_EQ(relay_->counters().endpoints, 0U);
  EXPECT_EQ(relay_->counters().rooms, 0U);
  EXPECT_EQ(relay_->shard(0).next_deadline(), base::kNever);
}

TEST_F(ShardTest, ClosingIsQuietAndFreesTheSlot) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 5);
  relay_->events.clear();
  close(speaker);
  EXPECT_TRUE(relay_->events.empty());
  talk({&speaker}, 5);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(listener.heard.size(), 5U);
  EXPECT_EQ(relay_->counters().of(DropReason::kUnknownPath), 5U);

  v1::RelayCommand close_room;
  close_room.mutable_close_room()->set_relay_room(bytes_of(base::RelayRoomId::make(random_)));
  command(close_room);
  EXPECT_EQ(relay_->counters().endpoints, 1U);
  close_room.mutable_close_room()->set_relay_room(bytes_of(room_));
  command(close_room);
  EXPECT_EQ(relay_->counters().endpoints, 0U);
  EXPECT_EQ(relay_->counters().rooms, 0U);
}

TEST_F(ShardTest, RoomsDoNotHearEachOther) {
  MemberNode& speaker = join(true);
  MemberNode& inside = join(false);
  room_ = base::RelayRoomId::make(random_);
  MemberNode& outside = join(true);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(inside.heard.size(), 10U);
  EXPECT_TRUE(outside.heard.empty());
}

TEST_F(ShardTest, RefusesWithAReason) {
  MemberNode& member = add_member();
  const std::string offer = member.peer->create_offer();
  const auto detail = [&](const std::string& text) {
    const v1::RelayEvent event = open(member, true, text);
    EXPECT_EQ(event.refused().reason(), v1::EndpointRefused::REASON_BAD_OFFER);
    return event.refused().detail();
  };
  EXPECT_NE(detail("nonsense").find("line"), std::string::npos);
  EXPECT_FALSE(detail("").empty());
  EXPECT_FALSE(
      detail(offer + "a=candidate:1 1 udp 2130706431 192.168.1.2 5000 typ host\r\n").empty());
  std::string twice = offer;
  twice.replace(twice.find("a=recvonly"), 10, "a=sendonly");
  EXPECT_NE(detail(twice).find("m-line 2: a second m-line that sends"), std::string::npos);
  std::string none = offer;
  none.replace(none.find("a=sendonly"), 10, "a=inactive");
  EXPECT_FALSE(detail(none).empty());
  std::string foreign = offer;
  foreign.replace(foreign.find("opus/48000/2"), 12, "PCMX/48000/2");
  EXPECT_NE(detail(foreign).find("Opus"), std::string::npos);
  MemberNode& few = add_member(with_slots(2));
  EXPECT_NE(detail(few.peer->create_offer()).find("slots"), std::string::npos);

  v1::RelayCommand bad_id;
  bad_id.mutable_open()->set_join_id("short");
  bad_id.mutable_open()->set_sdp_offer(offer);
  EXPECT_TRUE(command(bad_id).has_refused());
  EXPECT_EQ(relay_->counters().endpoints, 0U);

  ASSERT_TRUE(open(member, true, offer).has_opened());
  EXPECT_EQ(open(member, true, offer).refused().reason(), v1::EndpointRefused::REASON_BAD_OFFER);
}

TEST_F(ShardTest, RefusesWhenFull) {
  ShardOptions options;
  options.max_endpoints = 2;
  set_up(1, {}, options);
  join(false);
  join(false);
  MemberNode& third = add_member();
  EXPECT_EQ(open(third, false, third.peer->create_offer()).refused().reason(),
            v1::EndpointRefused::REASON_FULL);
}

TEST_F(ShardTest, WorksOverTcpAndThroughTheEndOfAConnection) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false, tcp_only());
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 10);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(listener.heard.size(), 10U);
  EXPECT_EQ(listener.peer->statistics().selected_path->protocol, base::TransportProtocol::kTcp);

  network_->close_tcp(listener.id, listener.tcp_connection);
  network_->run_for(milliseconds(100));
  const std::uint64_t sent = relay_->counters().listener_packets;
  talk({&speaker}, 5);
  EXPECT_EQ(relay_->counters().listener_packets, sent);
  EXPECT_EQ(relay_->counters().endpoints, 2U);
}

TEST_F(ShardTest, ClosesTheTcpConnectionOfAStrangerAndOfAnEndpointThatGoes) {
  ShardOutput out;
  const base::Path stranger{
      base::TransportProtocol::kTcp, {ip("192.0.2.1"), 7878}, {ip("203.0.113.9"), 5'000}, 77};
  relay_->shard(0).handle_datagram(network_->now(), stranger, base::as_bytes("GET / HTTP/1.1"),
                                   out);
  EXPECT_EQ(out.close_connections, std::vector<std::uint64_t>{77});
  EXPECT_TRUE(out.datagrams.empty());

  MemberNode& member = join(false, tcp_only());
  ASSERT_TRUE(connect_all());
  close(member);
  EXPECT_EQ(relay_->closed_connections.size(), 1U);
}

TEST_F(ShardTest, GarbageChangesNothing) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  std::vector<base::Path> paths{
      {base::TransportProtocol::kUdp, {ip("192.0.2.1"), 7878}, {ip("203.0.113.9"), 5'000}, 0}};
  // From the members' own addresses too: forged, or a broken client.
  for (const MemberNode* member : {&speaker, &listener}) {
    base::Path path = *member->peer->statistics().selected_path;
    std::swap(path.local, path.remote);
    paths.push_back(path);
  }
  const std::vector<std::uint8_t> firsts{0,  1,  3,   4,   19,  20,  22,  23,
                                         63, 64, 127, 128, 144, 191, 192, 255};
  ShardOutput out;
  base::SeededRandom noise(99);
  talk({&speaker}, 5);
  for (int i = 0; i < 20'000; ++i) {
    base::Buffer datagram(noise.below(1'600));
    noise.fill(datagram);
    if (!datagram.empty())
      datagram[0] = firsts[noise.below(static_cast<std::uint32_t>(firsts.size()))];
    relay_->shard(0).handle_datagram(network_->now(), paths[noise.below(3)], datagram, out);
  }
  EXPECT_TRUE(out.empty());
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(listener.heard.size(), 25U);
  EXPECT_EQ(relay_->counters().endpoints_connected, 2U);
}

TEST_F(ShardTest, OneMembersCheckDoesNotTakeAnothersPath) {
  MemberNode& victim = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  // The attacker's own check is authentic; its source address is the victim's.
  MemberNode& attacker = add_member();
  const v1::RelayEvent event = open(attacker, true, attacker.peer->create_offer());
  ASSERT_TRUE(attacker.peer->set_answer(network_->now(), event.opened().sdp_answer()));
  attacker.peer->handle_timeout(network_->now());
  base::Path path = *victim.peer->statistics().selected_path;
  std::swap(path.local, path.remote);
  base::DatagramQueue& checks = attacker.peer->outgoing();
  ASSERT_FALSE(checks.empty());
  ShardOutput out;
  relay_->shard(0).handle_datagram(network_->now(), path, checks.bytes(checks.entries()[0]), out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(relay_->counters().of(DropReason::kForeignPath), 1U);
  talk({&victim}, 10);
  network_->run_for(milliseconds(100));
  EXPECT_EQ(listener.heard.size(), 10U);
}

TEST_F(ShardTest, ASpeakerWithoutMeasureIsCutToItsBudget) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  for (int i = 0; i < 1'000; ++i) {
    say(speaker);
    network_->run_for(milliseconds(1));
  }
  network_->run_for(milliseconds(200));
  EXPECT_GT(relay_->counters().of(DropReason::kOverBudget), 600U);
  EXPECT_LT(listener.heard.size(), 300U);
}

TEST_F(ShardTest, ReportsGoToActiveSlotsOnlyAndSpeakersHearOfListenersLoss) {
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  int reports = 0;
  relay_->on_sent = [&](base::Instant, const base::Path& path, base::Bytes datagram) {
    if (path.remote.ip == listener.address && datagram.size() > 1 && datagram[0] == 0x80 &&
        datagram[1] == 200)
      ++reports;
  };
  talk({&speaker}, 1'000);  // 20 s
  EXPECT_GE(reports, 3);
  EXPECT_LE(reports, 5);
  network_->run_for(seconds(6));
  reports = 0;
  network_->run_for(seconds(20));
  EXPECT_EQ(reports, 0);
  EXPECT_TRUE(speaker.peer->statistics().round_trip.has_value());
  EXPECT_EQ(speaker.peer->statistics().reported_loss, 0);

  // The way to the listener loses more than a NACK can repair; the way from the speaker nothing.
  base::SeededRandom dice(5);
  network_->set_filter([&](const base::Path& path) {
    return path.remote.ip != listener.address || dice.below(4) == 0;
  });
  talk({&speaker}, 1'000);
  EXPECT_GT(speaker.peer->statistics().reported_loss, 0.05);
}

}  // namespace
}  // namespace alcove::relay
