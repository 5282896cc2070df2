// Members of a room with an honest house, on virtual time.

#include "e2ee/room_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/simulated_room.h"

namespace alcove::e2ee {
namespace {

using base::milliseconds;
using base::seconds;
using simulation::Room;
using simulation::Who;

constexpr Who kHost = simulation::SimulatedHouse::kHost;

TEST(RoomKeys, HostFoundsTheRoom) {
  Room room;
  const RoomKeys& host = room.keys(kHost);
  EXPECT_THAT(room.person(kHost).waiting, testing::ElementsAre(v1::Waiting::REASON_RESUME));
  ASSERT_TRUE(host.admitted());
  EXPECT_TRUE(host.may_send());
  EXPECT_EQ(host.state().n(), 1);
  EXPECT_EQ(host.state().epoch(), 1);
  EXPECT_EQ(host.state().on_stage(host.leaf_hash())->role, v1::ROLE_MODERATOR);
  EXPECT_EQ(host.link()->secret, room.link_secret);
  EXPECT_EQ(host.roster().size(), 1);
  EXPECT_FALSE(room.sound(kHost).empty());
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeys, ThreeMembersHearEachOther) {
  Room room(2, 2);
  for (const Who from : {0, 1, 2}) {
    ASSERT_TRUE(room.keys(from).may_send());
    EXPECT_TRUE(room.keys(from).state().is_full());
    EXPECT_EQ(room.keys(from).roster().size(), 3);
    const base::Buffer frame = room.sound(from);
    for (const Who to : {0, 1, 2}) {
      if (to == from) continue;
      EXPECT_TRUE(room.hears(to, from, frame)) << from << " to " << to;
    }
  }
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeys, ListenerHearsAndCannotSend) {
  Room room(2, 1);
  EXPECT_TRUE(room.hears(2, kHost));
  EXPECT_TRUE(room.hears(2, 1));
  EXPECT_FALSE(room.keys(2).may_send());
  EXPECT_TRUE(room.sound(2).empty());
  EXPECT_FALSE(room.keys(2).state().is_full());
}

TEST(RoomKeys, JoinerCannotOpenWhatWasBefore) {
  Room room(1, 1);
  room.run_for(seconds(6));
  const base::Buffer before = room.sound(kHost);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  const Who joiner = room.add_person("joiner");
  room.join(joiner);
  room.run_for(milliseconds(1500));
  ASSERT_TRUE(room.keys(joiner).admitted());
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);  // a ratchet
  EXPECT_FALSE(room.hears(joiner, kHost, before));
  EXPECT_TRUE(room.hears(joiner, kHost));
  EXPECT_TRUE(room.hears(1, kHost, before));
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeys, JoinsWithinFiveSecondsOfAnAdvanceNeedNone) {
  Room room;
  room.run_for(seconds(6));
  const Who first = room.add_person("first");
  const Who second = room.add_person("second");
  room.join(first);
  room.run_for(milliseconds(500));
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.join(second);
  room.run_for(milliseconds(500));
  EXPECT_TRUE(room.keys(second).admitted());
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch);
}

TEST(RoomKeys, EjectedCannotOpenWhatIsSentLater) {
  Room room(3, 1);
  const base::Buffer before = room.sound(kHost);
  EXPECT_TRUE(room.hears(3, kHost, before));
  ASSERT_TRUE(room.keys(kHost).eject(room.now, room.wall(), room.leaf(3)));
  room.drain(kHost);
  room.run_for(milliseconds(100));
  EXPECT_FALSE(room.keys(3).admitted());
  const base::Buffer after = room.sound(kHost);  // at once, not a second later
  ASSERT_FALSE(after.empty());
  EXPECT_FALSE(room.hears(3, kHost, after));
  EXPECT_TRUE(room.hears(1, kHost, after));
  EXPECT_TRUE(room.hears(2, kHost, after));
  EXPECT_TRUE(room.keys(kHost).state().is_blocked(room.person(3).identity->public_key()));
  EXPECT_EQ(room.all_warnings(), 0);
  room.join(3);
  room.run_for(seconds(1));
  EXPECT_THAT(room.person(3).refusals, testing::ElementsAre(v1::RefuseCandidate::REASON_BLOCKED));
}

TEST(RoomKeys, SeveralEjectsShareOneFreshEpoch) {
  Room room(5, 1);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  for (const Who who : {3, 4, 5})
    ASSERT_TRUE(room.keys(kHost).eject(room.now, room.wall(), room.leaf(who)));
  room.drain(kHost);
  room.run_for(milliseconds(300));
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
  EXPECT_EQ(room.keys(kHost).roster().size(), 3);
  for (const Who who : {3, 4, 5}) EXPECT_FALSE(room.hears(who, kHost));
  EXPECT_TRUE(room.hears(2, kHost));
}

TEST(RoomKeys, FurtherEjectsWithinThreeHundredMillisecondsAreCollected) {
  Room room(5, 1);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(3));
  room.drain(kHost);
  for (const Who who : {4, 5}) {
    room.run_for(milliseconds(100));
    room.keys(kHost).eject(room.now, room.wall(), room.leaf(who));
    room.drain(kHost);
  }
  room.run_for(milliseconds(50));
  EXPECT_EQ(room.keys(kHost).roster().size(), 5);
  room.run_for(milliseconds(250));
  EXPECT_EQ(room.keys(kHost).roster().size(), 3);
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 2);
}

TEST(RoomKeys, TwoKeepersInConflictBothGetTheirEntry) {
  Room room(3, 1);
  // Both write for the same n.
  ASSERT_TRUE(room.keys(kHost).set_locked(room.now, room.wall(), true));
  v1::KeysFromServer task;
  task.mutable_task()->mutable_depart()->set_leaf(simulation::to_field(room.leaf(3)));
  room.inject(1, task);
  room.keys(kHost).handle_timeout(room.now, room.wall());
  room.drain(kHost);
  room.run_for(milliseconds(600));
  EXPECT_TRUE(room.keys(kHost).state().locked());
  EXPECT_EQ(room.keys(kHost).state().member(room.leaf(3)), nullptr);
  EXPECT_EQ(room.keys(kHost).state().n(), room.keys(1).state().n());
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeys, NextKeeperAdmitsWhenTheFirstDisappears) {
  Room room(1, 1);
  const Who joiner = room.add_person("joiner");
  // The host's client is silent, its connection is not cut yet.
  room.filter_append = [](Who from, v1::AppendEntry&) { return from != kHost; };
  const base::Instant asked = room.now;
  room.join(joiner);
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(joiner).admitted());
  EXPECT_LE(*room.person(joiner).admitted_at - asked, seconds(1));
}

TEST(RoomKeys, WhoIsGoneIsLeftOutOfTheNextEntry) {
  Room room(1, 1);
  std::vector<Who> joiners;
  for (const char* name : {"first", "gone", "there"}) joiners.push_back(room.add_person(name));
  std::uint32_t gone = 0;
  std::optional<std::vector<std::uint32_t>> next;
  room.filter_append = [&](Who from, v1::AppendEntry& append) {
    if (gone != 0 && !next && append.join_boxes_size() != 0) {
      next.emplace();
      for (const v1::JoinBox& box : append.join_boxes()) next->push_back(box.candidate());
    }
    if (gone != 0 || append.join_boxes_size() != 2) return true;
    gone = append.join_boxes(0).candidate();
    v1::KeysFromServer refused;
    refused.mutable_append_refused()->set_request(append.request());
    refused.mutable_append_refused()->set_reason("log.candidate_gone");
    refused.mutable_append_refused()->add_gone(gone);
    room.deliver(from, refused);
    return false;
  };
  for (const Who joiner : joiners) room.join(joiner);
  room.run_for(milliseconds(480));
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(*next, std::vector{gone + 1});
  EXPECT_TRUE(room.keys(joiners[2]).admitted());
  EXPECT_FALSE(room.keys(joiners[1]).admitted());
  EXPECT_TRUE(room.person(joiners[1]).refusals.empty());
}

TEST(RoomKeys, ThreeHundredJoinsInASecond) {
  Room room(1, 1);
  std::vector<Who> joiners;
  for (int i = 0; i < 300; ++i) {
    joiners.push_back(room.add_person("joiner" + std::to_string(i)));
    room.at(room.now + milliseconds(i * 10 / 3), [&room, who = joiners.back()] { room.join(who); });
  }
  const base::Instant begin = room.now;
  room.run_for(seconds(3));
  for (const Who who : joiners) {
    ASSERT_TRUE(room.person(who).admitted_at.has_value());
    EXPECT_LE(*room.person(who).admitted_at - begin, seconds(2));
  }
  EXPECT_EQ(room.keys(kHost).roster().size(), 302);
  EXPECT_TRUE(room.hears(joiners.back(), kHost));
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeys, FreshEpochForFiveHundredMembers) {
  Room room;
  for (int i = 1; i <= 500; ++i) room.join(room.add_person("member" + std::to_string(i)));
  room.run_for(seconds(2));  // contexts are made ahead
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(7));
  room.drain(kHost);
  room.run_for(milliseconds(100));
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
  EXPECT_EQ(room.appends.back().second.boxes().size(), 499U * 80);
  const base::Buffer frame = room.sound(kHost);
  for (Who who = 1; who <= 500; ++who) EXPECT_EQ(room.hears(who, kHost, frame), who != 7) << who;
}

TEST(RoomKeys, DeviceThatChangedIsTold) {
  struct Devices : KnownDevices {
    std::map<std::string, crypto::Ed25519PublicKey, std::less<>> known;
    Seen see(const roomlog::Certificate& met) override {
      const auto [found, is_new] = known.try_emplace(met.account, met.identity);
      if (is_new) return Seen::kNew;
      return std::exchange(found->second, met.identity) == met.identity ? Seen::kKnown
                                                                        : Seen::kChanged;
    }
  };
  Devices devices;
  devices.known["account-host"] = {1, 2, 3};
  Room room;
  const Who joiner = room.add_person("joiner");
  room.join(joiner, false, &devices);
  room.run_for(seconds(1));
  EXPECT_EQ(room.warned_of(joiner, KeyWarning::kDeviceChanged), "host");
  EXPECT_EQ(devices.known["account-host"], room.person(kHost).identity->public_key());
}

}  // namespace
}  // namespace alcove::e2ee
