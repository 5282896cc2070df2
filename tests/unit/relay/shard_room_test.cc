// Loss, repair, many members, several shards.
#include <gtest/gtest.h>

#include <map>

#include "relay_harness.h"
#include "wire/rtp.h"
#include "wire/sdp.h"

namespace alcove::relay {
namespace {

using base::milliseconds;
using base::seconds;

class ShardRoomTest : public RelayTest {};

TEST_F(ShardRoomTest, ResendsByteForByte) {
  set_up(1, {.loss = 0.1, .jitter = milliseconds(10)});
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::string> first;
  int resent = 0;
  relay_->on_sent = [&](base::Instant, const base::Path& path, base::Bytes datagram) {
    if (path.remote.ip != listener.address || datagram.size() < 12 || datagram[0] != 0x80 ||
        (datagram[1] & 0x7f) != wire::kOpusPayloadType)
      return;
    const auto header = wire::parse_rtp_header(datagram).value();
    const auto [entry, is_new] = first.try_emplace({header.fields.ssrc, header.fields.sequence},
                                                   std::string(base::as_text(datagram)));
    if (is_new) return;
    ++resent;
    EXPECT_EQ(entry->second, base::as_text(datagram));
  };
  talk({&speaker}, 1'000);
  network_->run_for(seconds(1));
  EXPECT_GT(resent, 50);
  EXPECT_EQ(relay_->counters().retransmissions, static_cast<std::uint64_t>(resent));
  EXPECT_GT(relay_->counters().nacks_to_speakers, 50U);
  // 10 % is lost each way, and then again of what is repaired.
  EXPECT_GT(heard_counts(listener, speaker).size(), 985U);
}

TEST_F(ShardRoomTest, ANackForWhatIsGoneOrTooMuchIsCounted) {
  set_up(1);
  MemberNode& speaker = join(true);
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 50);
  // Two seconds of the way to the listener are lost: more than the ring holds.
  network_->set_filter([&](const base::Path& path) { return path.remote.ip != listener.address; });
  talk({&speaker}, 5);
  network_->set_filter({});
  talk({&speaker}, 50);
  network_->run_for(milliseconds(500));
  EXPECT_EQ(heard_counts(listener, speaker).size(), 105U);
  EXPECT_GE(relay_->counters().retransmissions, 5U);
}

class ShardSpanTest : public RelayTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(ShardSpanTest, ARoomSpansShardsAndDatagramsComeInAnywhere) {
  const unsigned shards = GetParam();
  set_up(shards);
  std::vector<MemberNode*> speakers;
  for (int i = 0; i < 3; ++i) speakers.push_back(&join(true));
  for (int i = 0; i < 9; ++i) join(false);
  ASSERT_TRUE(connect_all());
  for (unsigned shard = 0; shard < shards; ++shard)
    EXPECT_EQ(relay_->shard(shard).counters().endpoints_connected, 12 / shards);
  EXPECT_GT(relay_->counters().datagrams_forwarded_to_shards, 0U);

  talk(speakers, 200);
  network_->run_for(milliseconds(100));
  for (const auto& member : members_) {
    for (const MemberNode* speaker : speakers) {
      EXPECT_EQ(heard_counts(*member, *speaker).size(), member.get() == speaker ? 0U : 200U);
    }
    for (const rtc::SlotStatistics& slot : member->peer->statistics().slots)
      EXPECT_EQ(slot.lost, 0);
  }

  // Down, on whichever shard: nothing more is placed.
  for (MemberNode* speaker : speakers) allow(*speaker, false);
  const std::uint64_t placed = relay_->counters().slot_packets;
  talk(speakers, 10);
  EXPECT_EQ(relay_->counters().slot_packets, placed);

  v1::RelayCommand close_room;
  close_room.mutable_close_room()->set_relay_room(bytes_of(room_));
  command(close_room);
  EXPECT_EQ(relay_->counters().endpoints, 0U);
  EXPECT_EQ(relay_->counters().rooms, 0U);
  EXPECT_EQ(relay_->assigner().size(), 0U);
  talk(speakers, 1);
  network_->run_for(milliseconds(50));
  EXPECT_EQ(relay_->counters().slot_packets, placed);
}

TEST_F(ShardRoomTest, APacketIsDecryptedOnceAndPassedOnOnceToEachShard) {
  constexpr unsigned kShards = 4;
  set_up(kShards);
  MemberNode& speaker = join(true);
  for (int i = 0; i < 19; ++i) join(false);
  ASSERT_TRUE(connect_all());
  for (unsigned shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(relay_->assigner().load(shard), 5U);
    EXPECT_EQ(relay_->shard(shard).counters().endpoints_connected, 5U);
  }
  std::size_t to_home = 0;
  std::map<const base::Buffer*, std::set<unsigned>> to_listeners;
  std::vector<std::shared_ptr<const base::Buffer>> kept;  // so that no address comes twice
  relay_->on_message = [&](const AddressedShardMessage& message) {
    if (std::holds_alternative<SpeakerPacket>(message.message)) ++to_home;
    if (const auto* packet = std::get_if<SlotPacket>(&message.message)) {
      EXPECT_TRUE(to_listeners[packet->payload.get()].insert(message.target).second);
      kept.push_back(packet->payload);
    }
  };
  const ShardCounters before = relay_->counters();
  talk({&speaker}, 50);
  network_->run_for(milliseconds(100));
  const ShardCounters after = relay_->counters();
  EXPECT_EQ(after.speaker_packets - before.speaker_packets, 50U);
  EXPECT_EQ(after.slot_packets - before.slot_packets, 50U);
  EXPECT_EQ(after.listener_packets - before.listener_packets, 50U * 19);
  EXPECT_LE(to_home, 50U);
  // One buffer a packet, the same for all the other shards.
  EXPECT_EQ(to_listeners.size(), 50U);
  for (const auto& [payload, targets] : to_listeners) EXPECT_EQ(targets.size(), kShards - 1);
  // Each shard has sent to its own listeners.
  for (unsigned shard = 0; shard < kShards; ++shard)
    EXPECT_GE(relay_->shard(shard).counters().listener_packets, 50U * 4);
}

INSTANTIATE_TEST_SUITE_P(Counts, ShardSpanTest, ::testing::Values(2U, 3U));

TEST_F(ShardRoomTest, TcpConnectionsOfOtherShardsWork) {
  set_up(3);
  MemberNode& speaker = join(true);
  std::vector<MemberNode*> listeners;
  for (int i = 0; i < 5; ++i) listeners.push_back(&join(false, tcp_only()));
  ASSERT_TRUE(connect_all());
  talk({&speaker}, 20);
  network_->run_for(milliseconds(100));
  for (const MemberNode* listener : listeners) EXPECT_EQ(listener->heard.size(), 20U);
  for (MemberNode* listener : listeners)
    network_->close_tcp(listener->id, listener->tcp_connection);
  network_->run_for(milliseconds(100));
  const std::uint64_t sent = relay_->counters().listener_packets;
  talk({&speaker}, 5);
  EXPECT_EQ(relay_->counters().listener_packets, sent);
}

TEST_F(ShardRoomTest, ListenersLossReachesASpeakerOnAnotherShard) {
  set_up(2);
  MemberNode& speaker = join(true);
  for (int i = 0; i < 6; ++i) join(false);
  ASSERT_TRUE(connect_all());
  base::SeededRandom dice(5);
  network_->set_filter([&](const base::Path& path) {
    return path.local.ip != ip("192.0.2.1") || path.remote.ip == speaker.address ||
           dice.below(4) == 0;
  });
  talk({&speaker}, 1'000);
  EXPECT_GT(speaker.peer->statistics().reported_loss, 0.05);
}

// The whole of it: 200 members, three of whom talk over one another and pause, on a network that
// loses 3 %, repeats 1 % and reorders 2 %.
TEST_F(ShardRoomTest, TwoHundredMembersHearThreeSpeakersThroughALossyNetwork) {
  set_up(2, {.loss = 0.03,
             .duplication = 0.01,
             .reordering = 0.02,
             .delay = milliseconds(20),
             .jitter = milliseconds(8)});
  std::vector<MemberNode*> speakers;
  for (int i = 0; i < 3; ++i) speakers.push_back(&join(true));
  while (members_.size() < 200) {
    join(false);
    network_->run_for(milliseconds(10));
  }
  ASSERT_TRUE(connect_all(seconds(30)));
  constexpr int kFrames = 250;
  for (int round = 0; round < 2; ++round) {
    talk(speakers, kFrames / 2);
    network_->run_for(milliseconds(1'500));
  }
  network_->run_for(seconds(1));

  std::size_t heard = 0;
  std::size_t expected = 0;
  for (const auto& member : members_) {
    std::map<std::size_t, std::set<std::uint64_t>> sequences;
    for (const HeardFrame& frame : member->heard) {
      // Each once, and nothing but what a speaker has said.
      ASSERT_TRUE(sequences[frame.slot].insert(frame.sequence).second);
      ASSERT_EQ(frame.payload.size(), 160U);
    }
    for (const MemberNode* speaker : speakers) {
      const std::size_t count = heard_counts(*member, *speaker).size();
      if (member.get() == speaker) {
        EXPECT_EQ(count, 0U);
        continue;
      }
      heard += count;
      expected += kFrames;
      EXPECT_GT(count, kFrames * 95U / 100);
    }
    // In order of the stream, a speaker's frames count up and its timestamps do too.
    std::map<std::pair<std::size_t, std::uint64_t>, const HeardFrame*> in_order;
    for (const HeardFrame& frame : member->heard) in_order[{frame.slot, frame.sequence}] = &frame;
    const HeardFrame* last = nullptr;
    for (const auto& [key, frame] : in_order) {
      if (last != nullptr && last->slot == frame->slot) {
        ASSERT_GT(static_cast<std::int32_t>(frame->timestamp - last->timestamp), 0);
        if (last->payload.substr(0, 16) == frame->payload.substr(0, 16)) {
          ASSERT_GT(std::stoi(frame->payload.substr(16)), std::stoi(last->payload.substr(16)));
        }
      }
      last = frame;
    }
  }
  EXPECT_GT(static_cast<double>(heard) / static_cast<double>(expected), 0.995);
  EXPECT_GT(relay_->counters().retransmissions, 100U);
}

}  // namespace
}  // namespace alcove::relay
