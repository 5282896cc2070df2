// What happens to members over a room's life: stage, departures, reloads, lost connections, beats.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e2ee/room_keys.h"
#include "support/simulated_room.h"

namespace alcove::e2ee {
namespace {

using base::milliseconds;
using base::seconds;
using simulation::Room;
using simulation::Who;

constexpr Who kHost = simulation::SimulatedHouse::kHost;

std::size_t beats_of(Room& room, Who who) {
  return static_cast<std::size_t>(std::ranges::count_if(room.appends, [&](const auto& append) {
    const auto entry = roomlog::parse_entry(append.second.entry());
    return append.first == who && entry && entry->body.ops_size() == 0 && !entry->has_advance();
  }));
}

TEST(RoomKeysLife, PromotedListenerGetsTheRosterAndIsAKeeper) {
  Room room(2);
  EXPECT_FALSE(room.keys(1).state().is_full());
  room.give_stage(kHost, 1);
  room.run_for(seconds(1));
  EXPECT_TRUE(room.keys(1).state().is_full());
  EXPECT_TRUE(room.keys(1).may_send());
  EXPECT_TRUE(room.hears(2, 1));
  // Now it lets others in.
  room.may_ask = [](Who who) { return who == 1; };
  const Who joiner = room.add_person("joiner");
  room.join(joiner);
  room.run_for(milliseconds(1500));  // until the others send in its epoch
  EXPECT_TRUE(room.keys(joiner).admitted());
  EXPECT_TRUE(room.hears(joiner, kHost));
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, KeeperThatCameInLatelyWritesARatchet) {
  Room room(1);
  room.run_for(seconds(6));
  room.join(room.add_person("first"));  // with an advance
  room.run_for(seconds(1));
  const Who keeper = room.add_person("keeper");
  room.join(keeper);  // without
  room.run_for(milliseconds(500));
  room.give_stage(kHost, keeper);
  room.run_for(milliseconds(500));
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.may_ask = [&](Who who) { return who == keeper; };
  const Who joiner = room.add_person("joiner");
  room.join(joiner);
  room.run_for(milliseconds(500));
  EXPECT_TRUE(room.keys(joiner).admitted());
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
}

TEST(RoomKeysLife, StageIsGivenOnlyToWhomThisClientInvited) {
  Room room(1);
  room.accept_stage(kHost, room.leaf(1));
  room.run_for(seconds(1));
  EXPECT_EQ(room.keys(kHost).state().on_stage(room.leaf(1)), nullptr);
}

TEST(RoomKeysLife, SteppingDownSilencesAndGoesOnInShort) {
  Room room(2, 1);
  ASSERT_TRUE(room.keys(1).set_role(room.now, room.wall(), room.leaf(1), v1::ROLE_LISTENER));
  const base::Buffer before = room.sound(1);
  room.drain(1);
  room.run_for(milliseconds(100));
  EXPECT_FALSE(room.keys(1).may_send());
  EXPECT_TRUE(room.sound(1).empty());
  EXPECT_FALSE(room.hears(2, 1, before));
  room.run_for(seconds(20));
  EXPECT_EQ(room.keys(1).state().last_short(), room.keys(kHost).state().last_short());
  EXPECT_TRUE(room.hears(1, kHost));
  room.give_stage(kHost, 1);
  room.run_for(seconds(1));
  EXPECT_TRUE(room.keys(1).state().is_full());
  EXPECT_TRUE(room.hears(2, 1));
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, ModeratorMovesSomebodyDownAndMakesModerators) {
  Room room(2, 2);
  ASSERT_TRUE(room.keys(kHost).set_role(room.now, room.wall(), room.leaf(1), v1::ROLE_MODERATOR));
  room.drain(kHost);
  room.run_for(milliseconds(200));
  ASSERT_TRUE(room.keys(1).set_role(room.now, room.wall(), room.leaf(2), v1::ROLE_LISTENER));
  EXPECT_FALSE(room.keys(1).set_role(room.now, room.wall(), room.leaf(kHost), v1::ROLE_LISTENER));
  EXPECT_FALSE(room.keys(1).eject(room.now, room.wall(), room.leaf(kHost)));
  room.drain(1);
  room.run_for(milliseconds(200));
  EXPECT_EQ(room.keys(kHost).state().stage().size(), 2);
  EXPECT_FALSE(room.keys(2).set_locked(room.now, room.wall(), true));
}

TEST(RoomKeysLife, DepartureOfASpeakerBringsAFreshEpoch) {
  Room room(2, 2);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  ASSERT_TRUE(room.keys(2).depart(room.now, room.wall()));
  room.drain(2);
  room.run_for(seconds(3));
  EXPECT_FALSE(room.keys(2).admitted());
  EXPECT_EQ(room.keys(kHost).state().stage().size(), 2);
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
  EXPECT_FALSE(room.hears(2, kHost));
  EXPECT_TRUE(room.hears(1, kHost));
}

TEST(RoomKeysLife, LostSpeakerIsTakenOutByASpeakerOnlyAfterThirtySeconds) {
  Room room(2, 2);
  room.may_ask = [](Who who) { return who == 1; };
  const roomlog::Hash gone = room.leaf(2);
  room.run_for(seconds(3));
  room.leave(2);
  room.run_for(seconds(15));
  EXPECT_NE(room.keys(1).state().member(gone), nullptr);
  room.run_for(seconds(25));
  EXPECT_EQ(room.keys(1).state().member(gone), nullptr);
}

TEST(RoomKeysLife, ListenersInClosedRoomsAreFollowedByAFreshEpochWithinAMinute) {
  Room room(2, 1, v1::ROOM_KIND_CLOSED, true);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.leave(2);
  room.run_for(seconds(30));
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch);
  EXPECT_EQ(room.keys(kHost).roster().size(), 2);
  room.run_for(seconds(40));
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
  EXPECT_TRUE(room.hears(1, kHost));
}

TEST(RoomKeysLife, FreshEpochEveryTenMinutes) {
  Room room(2, 1);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.run_for(seconds(590));
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch);
  room.run_for(seconds(30));
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
  EXPECT_TRUE(room.hears(2, 1));
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, OnlyStageMemberResumesWithFiveListeners) {
  Room room(5);
  room.disconnect(kHost);
  room.run_for(seconds(3));
  room.join(kHost);
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(kHost).admitted());
  EXPECT_TRUE(room.keys(kHost).may_send());
  EXPECT_EQ(room.keys(kHost).state().roster_size(), 6);
  for (const Who who : {1, 2, 3, 4, 5}) EXPECT_TRUE(room.hears(who, kHost)) << who;
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, ReloadOfAModeratorWithOthersOnTheStage) {
  Room room(3, 1);
  const roomlog::Hash old = room.leaf(kHost);
  room.join(kHost);
  room.run_for(milliseconds(1500));
  ASSERT_TRUE(room.keys(kHost).admitted());
  EXPECT_NE(room.leaf(kHost), old);
  EXPECT_EQ(room.keys(1).state().on_stage(room.leaf(kHost))->role, v1::ROLE_MODERATOR);
  EXPECT_TRUE(room.keys(kHost).state().is_full());
  EXPECT_TRUE(room.hears(2, kHost));
  EXPECT_TRUE(room.hears(kHost, 1));
  EXPECT_EQ(room.keys(1).roster().size(), 4);
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, WhoWaitsIsLetInByTheOneWhoResumes) {
  Room room;
  const Who waiter = room.add_person("waiter");
  room.disconnect(kHost);
  room.join(waiter);
  room.run_for(seconds(1));
  EXPECT_THAT(room.person(waiter).waiting, testing::ElementsAre(v1::Waiting::REASON_NOBODY));
  room.join(kHost);
  room.run_for(seconds(2));
  EXPECT_TRUE(room.keys(waiter).admitted());
  EXPECT_TRUE(room.hears(waiter, kHost));
}

TEST(RoomKeysLife, ResumeGoesOnAfterALostConnection) {
  Room room(1);
  room.disconnect(kHost);
  room.run_for(seconds(3));
  room.join(kHost);
  const std::size_t written = room.appends.size();
  room.filter_append = [](Who, v1::AppendEntry&) { return false; };
  while (room.appends.size() == written) room.run_for(milliseconds(1));
  room.disconnect(kHost);
  room.filter_append = nullptr;
  room.reconnect(kHost);
  room.run_for(milliseconds(500));
  EXPECT_TRUE(room.keys(kHost).admitted());
  EXPECT_TRUE(room.hears(1, kHost));
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, ReconnectCatchesUpWithBoxes) {
  Room room(3, 1);
  for (const Who who : {1, 2}) room.disconnect(who);
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(3));
  room.drain(kHost);
  room.run_for(seconds(7));
  EXPECT_FALSE(room.hears(2, kHost));
  for (const Who who : {1, 2}) room.reconnect(who);
  room.run_for(seconds(1));
  for (const Who who : {1, 2}) {
    EXPECT_EQ(room.keys(who).state().last_short(), room.keys(kHost).state().last_short());
    EXPECT_TRUE(room.hears(who, kHost));
  }
  EXPECT_TRUE(room.keys(1).may_send());
  EXPECT_EQ(room.count(1, KeyWarning::kFailedCheck), 0);
}

TEST(RoomKeysLife, MissingAndWrongBoxesAreMadeUpForByARebox) {
  Room room(3, 1);
  room.tamper = [](Who to, v1::KeysFromServer& message) {
    if (!message.has_delivery()) return base::Duration{};
    for (v1::DeliveredEntry& entry : *message.mutable_delivery()->mutable_entries()) {
      if (to == 1) entry.clear_box();
      if (to == 2 && !entry.box().empty()) entry.mutable_box()->at(40) ^= 1;
    }
    return base::Duration{};
  };
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(3));
  room.drain(kHost);
  room.run_for(milliseconds(30));
  EXPECT_FALSE(room.keys(1).may_send());
  EXPECT_FALSE(room.hears(2, kHost));
  room.run_for(milliseconds(100));
  EXPECT_TRUE(room.keys(1).may_send());
  EXPECT_TRUE(room.hears(2, kHost));
  EXPECT_TRUE(room.hears(2, 1));
  EXPECT_EQ(room.count(1, KeyWarning::kFaultyAuthor), 0);
}

TEST(RoomKeysLife, SenderStopsWithoutFreshEntriesAndRecovers) {
  Room room(1, 1);
  room.disconnect(1);
  room.run_for(milliseconds(15'500));
  EXPECT_FALSE(room.keys(1).may_send());
  EXPECT_TRUE(room.sound(1).empty());
  EXPECT_TRUE(room.hears(1, kHost));  // reception goes on
  EXPECT_EQ(room.count(1, KeyWarning::kStale), 1);
  EXPECT_EQ(room.count(kHost, KeyWarning::kStale), 0);
  room.reconnect(1);
  room.run_for(seconds(1));
  EXPECT_TRUE(room.keys(1).may_send());
  EXPECT_EQ(room.count(1, KeyWarning::kStale, false), 1);
}

TEST(RoomKeysLife, OneMemberBeatsAloneEveryFiveSeconds) {
  Room room;
  room.run_for(seconds(60));
  EXPECT_NEAR(static_cast<double>(beats_of(room, kHost)), 12, 1);
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, TwoMembersBeatInTurn) {
  Room room(1, 1);
  room.run_for(seconds(60));
  EXPECT_NEAR(static_cast<double>(beats_of(room, kHost)), 6, 1);
  EXPECT_NEAR(static_cast<double>(beats_of(room, 1)), 6, 1);
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, FiveMembersBeatInTurnAndTheModeratorEveryTwentySeconds) {
  Room room(4, 4);
  room.run_for(seconds(100));
  std::size_t all = 0;
  for (const Who who : {0, 1, 2, 3, 4}) all += beats_of(room, who);
  for (const Who who : {1, 2, 3}) EXPECT_GE(beats_of(room, who), 3) << who;
  EXPECT_LE(all, 26);
  EXPECT_GE(beats_of(room, kHost), 4);
  EXPECT_EQ(room.all_warnings(), 0);
}

// The first of the stage, the host among them.
void make_moderators(Room& room, std::size_t moderators) {
  for (Who who = 1; who < moderators; ++who) {
    ASSERT_TRUE(
        room.keys(kHost).set_role(room.now, room.wall(), room.leaf(who), v1::ROLE_MODERATOR));
    room.drain(kHost);
    room.run_for(milliseconds(200));
  }
}

TEST(RoomKeysLife, ModeratorsBeatsLeaveTheTurnsOfOthers) {
  for (const std::size_t moderators : {1, 2, 6}) {
    Room room(9, 8);
    make_moderators(room, moderators);
    room.run_for(seconds(60));
    room.appends.clear();
    room.run_for(seconds(180));  // 36 turns of nine members
    for (Who who = 0; who < 9; ++who) {
      EXPECT_GE(beats_of(room, who), 3) << who << " with " << moderators << " moderators";
      if (who < moderators)
        EXPECT_GE(beats_of(room, who), 7) << who;
      else
        EXPECT_LE(beats_of(room, who), 5) << who;
    }
    EXPECT_EQ(room.all_warnings(), 0) << moderators;
  }
}

TEST(RoomKeysLife, AdvancesLeaveTheTurnsOfOthers) {
  Room room(6, 5);
  room.appends.clear();
  // A crowd: the host's client writes a ratchet every five seconds.
  for (int i = 0; i < 20; ++i) {
    room.join(room.add_person("joiner" + std::to_string(i)));
    room.run_for(milliseconds(5200));
  }
  for (const Who who : {1, 2, 3, 4, 5}) EXPECT_GE(beats_of(room, who), 2) << who;
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, MemberThatMissesItsTurnsIsToldOfOnALargeStageToo) {
  Room room(8, 7);
  make_moderators(room, 3);
  room.disconnect(7);
  room.run_for(seconds(170));
  EXPECT_EQ(room.warned_of(kHost, KeyWarning::kNotSameLog), "member7");
  EXPECT_EQ(room.warned_of(8, KeyWarning::kNotSameLog), "member7");
  EXPECT_EQ(room.count(kHost, KeyWarning::kNotSameLog), 1);
  EXPECT_EQ(room.count(8, KeyWarning::kStale), 0);
}

TEST(RoomKeysLife, MemberThatMissesItsTurnsIsToldOfAndAFreshEpochFollows) {
  Room room(3, 2);
  room.disconnect(2);
  const std::uint32_t epoch = room.keys(kHost).state().epoch();
  room.run_for(seconds(60));
  EXPECT_EQ(room.warned_of(kHost, KeyWarning::kNotSameLog), "member2");
  EXPECT_EQ(room.warned_of(3, KeyWarning::kNotSameLog), "member2");
  EXPECT_EQ(room.keys(kHost).state().epoch(), epoch + 1);
  room.reconnect(2);
  room.run_for(seconds(20));
  EXPECT_EQ(room.count(kHost, KeyWarning::kNotSameLog, false), 1);
}

TEST(RoomKeysLife, ClosedRoomLetsInByLinkOnly) {
  Room room(1, 1, v1::ROOM_KIND_CLOSED, true);
  ASSERT_TRUE(room.keys(1).admitted());
  const Who stranger = room.add_person("stranger");
  room.join(stranger);
  room.run_for(seconds(1));
  EXPECT_FALSE(room.keys(stranger).admitted());
  EXPECT_THAT(room.person(stranger).refusals,
              testing::ElementsAre(v1::RefuseCandidate::REASON_NO_LINK));
  const Who liar = room.add_person("liar");
  room.person(liar).link = roomlog::LinkSecret{1, 2, 3};
  room.join(liar);
  room.run_for(seconds(1));
  EXPECT_THAT(room.person(liar).refusals,
              testing::ElementsAre(v1::RefuseCandidate::REASON_NO_LINK));
  const Who invited = room.add_person("invited");
  ASSERT_TRUE(room.keys(kHost).invite_identities(room.now, room.wall(),
                                                 {room.person(invited).identity->public_key()}));
  room.drain(kHost);
  room.run_for(milliseconds(200));
  room.join(invited);
  room.run_for(seconds(1));
  EXPECT_TRUE(room.keys(invited).admitted());
}

TEST(RoomKeysLife, LinkIsVoidAfterAnEjectAndRenewed) {
  Room room(2, 1, v1::ROOM_KIND_CLOSED, true);
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(2));
  room.drain(kHost);
  room.run_for(milliseconds(300));
  EXPECT_FALSE(room.keys(kHost).link().has_value());
  const Who late = room.add_person("late");
  room.person(late).link = room.link_secret;
  room.join(late);
  room.run_for(seconds(1));
  EXPECT_THAT(room.person(late).refusals,
              testing::ElementsAre(v1::RefuseCandidate::REASON_NO_LINK));
  ASSERT_TRUE(room.keys(kHost).renew_link(room.now, room.wall()));
  room.drain(kHost);
  room.run_for(milliseconds(300));
  ASSERT_TRUE(room.keys(kHost).link().has_value());
  EXPECT_NE(room.keys(kHost).link()->secret, room.link_secret);
  // The speaker got it too, and checks with it.
  EXPECT_EQ(room.keys(1).link()->secret, room.keys(kHost).link()->secret);
  room.may_ask = [](Who who) { return who == 1; };
  room.person(late).link = room.keys(kHost).link()->secret;
  room.join(late);
  room.run_for(seconds(1));
  EXPECT_TRUE(room.keys(late).admitted());
}

TEST(RoomKeysLife, NewSpeakerGetsTheRenewedLink) {
  Room room(1, 0, v1::ROOM_KIND_CLOSED, true);
  room.keys(kHost).renew_link(room.now, room.wall());
  room.drain(kHost);
  room.run_for(milliseconds(300));
  EXPECT_FALSE(room.keys(1).link().has_value());
  room.give_stage(kHost, 1);
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(1).link().has_value());
  EXPECT_EQ(room.keys(1).link()->secret, room.keys(kHost).link()->secret);
}

// A closed room whose link the host renewed; its person, and member1 on the stage, have the old
// one.
struct RenewedLink : Room {
  RenewedLink() : Room(2, 1, v1::ROOM_KIND_CLOSED, true) {
    keys(kHost).renew_link(now, wall());
    drain(kHost);
    run_for(milliseconds(300));
  }
  bool lets_in_with(const roomlog::LinkSecret& link, Who keeper) {
    may_ask = [keeper](Who who) { return who == keeper; };
    const Who late = add_person("late" + std::to_string(people.size()));
    person(late).link = link;
    join(late);
    run_for(seconds(1));
    return keys(late).admitted();
  }
};

TEST(RoomKeysLife, OldLinkIsNotTheCurrentOneToWhoComesBackByAuthority) {
  RenewedLink room;
  const roomlog::LinkSecret current = room.keys(kHost).link()->secret;
  room.join(kHost);  // the page anew, by the old link
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(kHost).admitted());
  EXPECT_FALSE(room.keys(kHost).link().has_value());
  EXPECT_FALSE(room.lets_in_with(room.link_secret, kHost));
  EXPECT_TRUE(room.lets_in_with(current, 1));
  room.give_stage(kHost, 2);
  room.run_for(seconds(1));
  EXPECT_FALSE(room.keys(2).link().has_value());  // no box with an old secret
  ASSERT_TRUE(room.keys(kHost).renew_link(room.now, room.wall()));
  room.drain(kHost);
  room.run_for(milliseconds(300));
  EXPECT_TRUE(room.lets_in_with(room.keys(kHost).link()->secret, kHost));
}

TEST(RoomKeysLife, OldLinkIsNotTheCurrentOneToWhoIsReplacedOrInvited) {
  RenewedLink room;
  const roomlog::LinkSecret current = room.keys(kHost).link()->secret;
  room.join(1);
  const Who invited = room.add_person("invited");
  room.person(invited).link = room.link_secret;
  ASSERT_TRUE(room.keys(kHost).invite_identities(room.now, room.wall(),
                                                 {room.person(invited).identity->public_key()}));
  room.drain(kHost);
  room.run_for(seconds(1));
  room.join(invited);
  room.run_for(seconds(1));
  for (const Who who : {Who{1}, invited}) {
    ASSERT_TRUE(room.keys(who).admitted());
    EXPECT_FALSE(room.keys(who).link().has_value());
  }
  EXPECT_FALSE(room.lets_in_with(room.link_secret, 1));
  EXPECT_TRUE(room.lets_in_with(current, kHost));
}

TEST(RoomKeysLife, FirstLinkStaysWithAHostThatComesBack) {
  Room room(1, 0, v1::ROOM_KIND_CLOSED, true);
  room.join(kHost);
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(kHost).admitted());
  const Who late = room.add_person("late");
  room.person(late).link = room.link_secret;
  room.join(late);
  room.run_for(seconds(1));
  EXPECT_TRUE(room.keys(late).admitted());
  // Not beyond doubt: it may have been somebody's own, and is not passed on.
  room.give_stage(kHost, 1);
  room.run_for(seconds(1));
  EXPECT_EQ(room.keys(kHost).state().on_stage(room.leaf(1))->certificate.display_name, "member1");
  const auto entry = roomlog::parse_entry(room.log().authority.back());
  EXPECT_TRUE(entry->body.ops(0).role().link_box().empty());
}

TEST(RoomKeysLife, NextJoinOfAVisitGoesOnWithTheRenewedLink) {
  RenewedLink room;
  const roomlog::LinkSecret current = room.keys(kHost).link()->secret;
  room.next_options = room.keys(kHost).options_for_next_join();
  room.join(kHost);
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(kHost).link().has_value());
  EXPECT_EQ(room.keys(kHost).link()->secret, current);
  EXPECT_TRUE(room.lets_in_with(current, kHost));
  EXPECT_FALSE(room.lets_in_with(room.link_secret, kHost));
  room.may_ask = nullptr;
  // Renewed by another while this one was away: the secret is an old one now.
  ASSERT_TRUE(room.keys(kHost).set_role(room.now, room.wall(), room.leaf(1), v1::ROLE_MODERATOR));
  room.drain(kHost);
  room.run_for(seconds(1));
  room.next_options = room.keys(kHost).options_for_next_join();
  room.disconnect(kHost);
  ASSERT_TRUE(room.keys(1).renew_link(room.now, room.wall()));
  room.drain(1);
  room.run_for(seconds(1));
  room.join(kHost);
  room.run_for(seconds(1));
  ASSERT_TRUE(room.keys(kHost).admitted());
  EXPECT_FALSE(room.keys(kHost).link().has_value());
}

TEST(RoomKeysLife, LockedRoomLetsInOnlyWhoWasInside) {
  Room room(1, 1);
  room.keys(kHost).set_locked(room.now, room.wall(), true);
  room.drain(kHost);
  room.run_for(milliseconds(200));
  const Who stranger = room.add_person("stranger");
  room.join(stranger);
  const Who known = room.add_person("known");
  room.join(known, true);
  room.run_for(seconds(1));
  EXPECT_FALSE(room.keys(stranger).admitted());
  EXPECT_THAT(room.person(stranger).refusals,
              testing::Contains(v1::RefuseCandidate::REASON_LOCKED));
  EXPECT_TRUE(room.keys(known).admitted());
}

TEST(RoomKeysLife, ListenerAsksForTheRoster) {
  Room room(70);
  room.keys(5).request_roster();
  room.drain(5);
  room.run_for(milliseconds(100));
  EXPECT_TRUE(room.person(5).roster_ready);
  EXPECT_EQ(room.keys(5).roster().size(), 71);
  EXPECT_FALSE(room.keys(5).state().is_full());
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, EntriesMayComeBetweenTheListenersPartsOfTheRoster) {
  Room room(70);
  room.hold_roster = true;
  room.keys(5).request_roster();
  room.drain(5);
  room.run_for(seconds(12));  // beats
  ASSERT_FALSE(room.held_parts.empty());
  for (const auto& part : room.held_parts) part();
  room.run_for(milliseconds(100));
  EXPECT_TRUE(room.person(5).roster_ready);
  EXPECT_EQ(room.keys(5).roster().size(), 71);
  EXPECT_EQ(room.all_warnings(), 0);
}

TEST(RoomKeysLife, WishThatIsNotAcknowledgedIsTold) {
  Room room(1, 1);
  room.filter_append = [](Who, v1::AppendEntry&) { return false; };
  room.keys(kHost).set_locked(room.now, room.wall(), true);
  room.drain(kHost);
  room.run_for(seconds(3));
  EXPECT_TRUE(room.warned(kHost, KeyWarning::kNotAcknowledged));
  EXPECT_FALSE(room.keys(kHost).state().locked());
  room.filter_append = nullptr;
  room.run_for(seconds(20));
  EXPECT_TRUE(room.keys(kHost).may_send());
}

TEST(RoomKeysLife, ClockThatIsAheadIsToldUntilTheServerTakesAnEntryAgain) {
  Room room(1, 1);
  room.filter_append = [&](Who who, v1::AppendEntry& append) {
    v1::KeysFromServer refusal;
    refusal.mutable_append_refused()->set_request(append.request());
    refusal.mutable_append_refused()->set_reason("log.clock_ahead");
    room.at(room.now + milliseconds(10), [&room, who, refusal] {
      room.keys(who).handle_message(room.now, room.wall(), refusal);
      room.drain(who);
    });
    return false;
  };
  room.keys(kHost).set_locked(room.now, room.wall(), true);
  room.drain(kHost);
  room.run_for(milliseconds(50));
  EXPECT_TRUE(room.warned(kHost, KeyWarning::kClockAhead));
  room.filter_append = nullptr;
  room.keys(kHost).set_locked(room.now, room.wall(), true);
  room.drain(kHost);
  room.run_for(seconds(2));
  EXPECT_TRUE(room.keys(kHost).state().locked());
}

TEST(RoomKeysLife, ExportedLogBeginsWhereItsOwnerBegan) {
  Room room(2, 1);
  room.run_for(seconds(20));
  const v1::LogExport host = room.keys(kHost).export_log();
  EXPECT_EQ(host.entries_size(), static_cast<int>(room.keys(kHost).state().n()));
  EXPECT_EQ(host.authority_size(), 0);
  // A speaker's is complete from the roster on: it can be followed in full.
  const v1::LogExport speaker = room.keys(1).export_log();
  v1::LogChain chain;
  *chain.mutable_genesis() = speaker.genesis();
  ASSERT_EQ(speaker.roster_size(), 2);
  const auto head = roomlog::parse_entry(speaker.entries(0));
  ASSERT_TRUE(head.has_value());
  const v1::LogExport listener = room.keys(2).export_log();
  EXPECT_GE(listener.authority_size(), 2);
  EXPECT_EQ(listener.entries(listener.entries_size() - 1).signature(),
            host.entries(host.entries_size() - 1).signature());
}

}  // namespace
}  // namespace alcove::e2ee
