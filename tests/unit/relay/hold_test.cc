// Packets of several slots wait for each other, so that a listener's lie next to each other.
#include <gtest/gtest.h>

#include <map>

#include "relay/held_packets.h"
#include "relay_harness.h"
#include "wire/rtp.h"
#include "wire/sdp.h"

namespace alcove::relay {
namespace {

using base::milliseconds;
using base::seconds;

class HoldTest : public RelayTest {
 protected:
  struct Sent {
    base::Instant at;
    base::SocketAddress to;
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    std::size_t size = 0;
  };

  void SetUp() override {
    if (uses_other_methods()) GTEST_SKIP() << "nothing is held there";
    set_up(1);
    for (int i = 0; i < 3; ++i) speakers_.push_back(&join(true));
    listener_ = &join(false);
    ASSERT_TRUE(connect_all());
    relay_->on_sent = [this](base::Instant at, const base::Path& path, base::Bytes datagram) {
      if (datagram.size() < 12 || datagram[0] != 0x80 ||
          (datagram[1] & 0x7f) != wire::kOpusPayloadType)
        return;
      const auto header = wire::parse_rtp_header(datagram).value();
      sent_.push_back(
          {at, path.remote, header.fields.ssrc, header.fields.sequence, datagram.size()});
    };
  }
  // Each speaker at its phase of 20 ms. Returns when each has said all.
  void talk_at(const std::vector<base::Duration>& phases, int frames) {
    for (int i = 0; i < frames; ++i) {
      base::Duration gone{};
      for (std::size_t speaker = 0; speaker < phases.size(); ++speaker) {
        network_->run_for(phases[speaker] - gone);
        gone = phases[speaker];
        said_at_.push_back(network_->now());
        say(*speakers_[speaker], i == 0);
      }
      network_->run_for(milliseconds(20) - gone);
    }
  }
  std::vector<Sent> sent_to(const MemberNode& member) const {
    std::vector<Sent> result;
    for (const Sent& one : sent_)
      if (one.to.ip == member.address) result.push_back(one);
    return result;
  }

  static constexpr base::Duration kWay = milliseconds(10);  // the network's
  std::vector<MemberNode*> speakers_;
  MemberNode* listener_ = nullptr;
  std::vector<Sent> sent_;
  std::vector<base::Instant> said_at_;
};

TEST_F(HoldTest, OneSpeakerIsNeverDelayed) {
  talk_at({milliseconds(0)}, 50);
  network_->run_for(seconds(1));
  const std::vector<Sent> sent = sent_to(*listener_);
  ASSERT_EQ(sent.size(), 50U);
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(sent[i].at, said_at_[i] + kWay);
  EXPECT_EQ(relay_->shard(0).counters().held_packets, 0U);
}

TEST_F(HoldTest, WhatComesTogetherLiesTogetherAndLeavesWithTheLast) {
  talk_at({milliseconds(0), milliseconds(3), milliseconds(6)}, 50);
  network_->run_for(milliseconds(50));
  const std::vector<Sent> sent = sent_to(*listener_);
  ASSERT_EQ(sent.size(), 150U);
  // From the second frame on all three are known to speak.
  for (std::size_t i = 3; i < sent.size(); i += 3) {
    EXPECT_EQ(sent[i].at, said_at_[i + 2] + kWay);
    EXPECT_EQ(sent[i + 2].at, sent[i].at);
    EXPECT_EQ(sent[i].size, sent[i + 2].size);
    EXPECT_NE(sent[i].ssrc, sent[i + 1].ssrc);
  }
  // Next to each other in the output, too.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < sent_.size(); ++i)
    if (sent_[i].to.ip == listener_->address) places.push_back(i);
  for (std::size_t i = 3; i < places.size(); i += 3) EXPECT_EQ(places[i + 2], places[i] + 2);
}

TEST_F(HoldTest, NothingWaitsLongerThanTheLimitAndOrderIsKept) {
  talk_at({milliseconds(0), milliseconds(7), milliseconds(14)}, 100);
  network_->run_for(milliseconds(50));
  const std::vector<Sent> sent = sent_to(*listener_);
  ASSERT_EQ(sent.size(), 300U);
  std::map<std::uint32_t, std::vector<Sent>> slots;
  for (const Sent& one : sent) slots[one.ssrc].push_back(one);
  ASSERT_EQ(slots.size(), 3U);
  std::size_t held = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_GE(sent[i].at, said_at_[i] + kWay);
    EXPECT_LE(sent[i].at, said_at_[i] + kWay + kLongestHold);
    if (sent[i].at != said_at_[i] + kWay) ++held;
  }
  EXPECT_GT(held, 50U);
  for (const auto& [ssrc, packets] : slots) {
    ASSERT_EQ(packets.size(), 100U);
    for (std::size_t i = 1; i < packets.size(); ++i)
      EXPECT_EQ(packets[i].sequence, static_cast<std::uint16_t>(packets[i - 1].sequence + 1));
  }
}

TEST_F(HoldTest, ASpeakerWhoStopsIsNotWaitedForLong) {
  talk_at({milliseconds(0), milliseconds(1)}, 5);
  sent_.clear();
  said_at_.clear();
  speakers_.resize(1);
  talk_at({milliseconds(0)}, 20);
  network_->run_for(milliseconds(50));
  const std::vector<Sent> sent = sent_to(*listener_);
  ASSERT_EQ(sent.size(), 20U);
  EXPECT_GT(sent.front().at, said_at_.front() + kWay);
  for (std::size_t i = 6; i < sent.size(); ++i) EXPECT_EQ(sent[i].at, said_at_[i] + kWay);
}

TEST_F(HoldTest, WhatIsHeldIsNotLostWhenSomebodyLeaves) {
  talk_at({milliseconds(0), milliseconds(1), milliseconds(2)}, 5);
  say(*speakers_[0]);
  network_->run_for(kWay + milliseconds(1));
  const std::size_t before = sent_to(*listener_).size();
  EXPECT_EQ(before, 15U);  // the sixteenth is held
  close(*speakers_[0]);    // whose packet it is
  EXPECT_EQ(sent_to(*listener_).size(), 16U);
  network_->run_for(milliseconds(50));
  EXPECT_EQ(sent_to(*listener_).size(), 16U);
  EXPECT_EQ(heard_counts(*listener_, *speakers_[0]).size(), 6U);
}

TEST_F(HoldTest, AListenerThatComesInBetweenHearsWhatIsHeld) {
  talk_at({milliseconds(0), milliseconds(1)}, 5);
  MemberNode& late = join(false, {}, true);
  ASSERT_TRUE(connect_all());
  talk_at({milliseconds(0), milliseconds(1)}, 5);
  say(*speakers_[0]);
  network_->run_for(kWay + milliseconds(1));
  let_receive(late);
  network_->run_for(milliseconds(50));
  EXPECT_EQ(heard_counts(late, *speakers_[0]).size(), 1U);
}

TEST_F(HoldTest, ABurstIsReleasedWhenThereIsNoRoomForMore) {
  talk_at({milliseconds(0), milliseconds(1)}, 5);
  sent_.clear();
  for (int i = 0; i < 20; ++i) say(*speakers_[0]);
  network_->run_for(kWay);
  EXPECT_EQ(sent_to(*listener_).size(), HeldPackets::kCapacity);
  network_->run_for(milliseconds(20));
  EXPECT_EQ(sent_to(*listener_).size(), 20U);
}

TEST_F(HoldTest, NothingIsHeldWhereNothingIsMerged) {
  ShardOptions options;
  options.hold_packets = false;
  set_up(1, {}, options);
  members_.clear();
  speakers_ = {&join(true), &join(true)};
  MemberNode& listener = join(false);
  ASSERT_TRUE(connect_all());
  std::vector<base::Instant> at;
  relay_->on_sent = [&](base::Instant now, const base::Path& path, base::Bytes datagram) {
    if (path.remote.ip == listener.address && datagram[0] == 0x80 && datagram.size() > 150)
      at.push_back(now);
  };
  talk_at({milliseconds(0), milliseconds(4)}, 20);
  network_->run_for(milliseconds(50));
  ASSERT_EQ(at.size(), said_at_.size());
  for (std::size_t i = 0; i < at.size(); ++i) EXPECT_EQ(at[i], said_at_[i] + kWay);
}

}  // namespace
}  // namespace alcove::relay
