#include "rooms/room.h"

#include <gtest/gtest.h>

#include "room_fixture.h"

namespace alcove::rooms {
namespace {

TEST_F(RoomTest, TheHostIsModeratorOnTheFirstJoin) {
  const MemberId early = join("early");
  EXPECT_EQ(at(early).role, Role::kListener);
  const MemberId host = join("host");
  EXPECT_EQ(at(host).role, Role::kModerator);
  EXPECT_EQ(at(host).seat, 1);
  EXPECT_EQ(room.audience_count(), 1U);
}

TEST_F(RoomTest, HandsQueueInOrderAndGoDownOnStage) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  const MemberId b = join("b");
  must(RaiseHand{}, b);
  must(RaiseHand{}, a);
  EXPECT_EQ(room.raised_hands, (std::vector{b, a}));
  EXPECT_TRUE(must(RaiseHand{}, a).empty());
  const Events events = to_stage(b, host);
  EXPECT_EQ(count<RaisedHandsChanged>(events), 1U);
  EXPECT_EQ(count<MemberChanged>(events), 1U);
  EXPECT_EQ(room.raised_hands, (std::vector{a}));
  must(DismissHand{a}, host);
  EXPECT_TRUE(room.raised_hands.empty());
  EXPECT_FALSE(at(a).hand_raised);
}

TEST_F(RoomTest, TheQueueOfHandsIsBounded) {
  restart(RoomKind::kOpen, {.max_raised_hands = 1});
  join("host");
  must(RaiseHand{}, join("a"));
  EXPECT_EQ(refusal(RaiseHand{}, join("b")), Refusal::kHandsFull);
}

TEST_F(RoomTest, AcceptingNeedsAnInvitation) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  EXPECT_EQ(refusal(AcceptInvitation{}, a), Refusal::kNotInvited);
  EXPECT_EQ(refusal(DeclineInvitation{}, a), Refusal::kNotInvited);
  must(RaiseHand{}, a);
  must(Invite{a}, host);
  EXPECT_TRUE(must(Invite{a}, host).empty());
  must(DeclineInvitation{}, a);
  EXPECT_FALSE(at(a).invited);
  EXPECT_FALSE(at(a).hand_raised);
  EXPECT_EQ(refusal(AcceptInvitation{}, a), Refusal::kNotInvited);
}

TEST_F(RoomTest, OnlyThePersonUnmutes) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  must(SetMuted{a, true}, host);
  EXPECT_TRUE(at(a).muted);
  EXPECT_FALSE(at(a).may_send());
  EXPECT_EQ(refusal(SetMuted{a, false}, host), Refusal::kUnmuteOthers);
  must(SetMuted{.member = {}, .muted = false}, a);
  EXPECT_TRUE(at(a).may_send());
  must(SetMuted{a, true}, a);
  EXPECT_TRUE(at(a).muted);
  EXPECT_TRUE(at(a).may_send());
  // A moderator's mute counts for somebody who is muted already.
  must(SetMuted{a, true}, host);
  EXPECT_FALSE(at(a).may_send());
  EXPECT_TRUE(must(SetMuted{.member = {}, .muted = true}, a).empty());
  EXPECT_FALSE(at(a).may_send());
}

TEST_F(RoomTest, MovedDownMeansNoSeatAndNoSending) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  EXPECT_TRUE(at(a).may_send());
  const Events events = must(MoveToAudience{a}, host);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<MemberChanged>(events[0]).role_before, Role::kSpeaker);
  EXPECT_FALSE(at(a).may_send());
  EXPECT_EQ(at(a).seat, 0);
  to_stage(a, host);
  EXPECT_EQ(at(a).seat, 3) << "a seat is not used again while there are fresh ones";
}

TEST_F(RoomTest, SeatsComeBackOldestFirstWhenAllWereUsed) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  for (unsigned seat = 2; seat <= 255; ++seat) {
    to_stage(a, host);
    EXPECT_EQ(at(a).seat, seat);
    must(MoveToAudience{}, a);
  }
  for (const unsigned seat : {2U, 3U, 4U}) {
    to_stage(a, host);
    EXPECT_EQ(at(a).seat, seat);
    must(MoveToAudience{}, a);
  }
}

TEST_F(RoomTest, TheStageHolds255) {
  const MemberId host = join("host");
  for (int i = 0; i < 254; ++i) speaker("s" + std::to_string(i), host);
  EXPECT_EQ(room.stage.size(), 255U);
  const MemberId late = join("late");
  must(Invite{late}, host);
  EXPECT_EQ(refusal(AcceptInvitation{}, late), Refusal::kStageFull);
  EXPECT_TRUE(at(late).invited);
  must(MoveToAudience{room.by_account.at(account("s7"))}, host);
  must(AcceptInvitation{}, late);
  must(GiveStage{late}, host);
}

TEST_F(RoomTest, TheLastModeratorHandsOverToTheLongestOnStage) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  const MemberId b = speaker("b", host);
  must(MoveToAudience{a}, host);
  to_stage(a, host);  // b has been on stage for longer now
  const Events events = must(Depart{host}, host);
  EXPECT_EQ(at(b).role, Role::kModerator);
  EXPECT_EQ(at(a).role, Role::kSpeaker);
  EXPECT_EQ(count<MemberChanged>(events), 1U);
  EXPECT_FALSE(room.ended);
}

TEST_F(RoomTest, HandoverIsByTimeOnStageAlone) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  const MemberId b = speaker("b", host);
  must(Disconnect{}, a);
  must(Depart{host}, host);
  EXPECT_EQ(at(a).role, Role::kModerator) << "connected or not: it is the log's rule";
  EXPECT_EQ(at(b).role, Role::kSpeaker);
}

TEST_F(RoomTest, AcceptingIsNotYetBeingOnTheStage) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  must(Invite{a}, host);
  EXPECT_EQ(at(a).invited_by, host);
  EXPECT_EQ(refusal(GiveStage{a}, host), Refusal::kNotInvited) << "nobody is put on the stage";
  EXPECT_EQ(count<MemberChanged>(must(AcceptInvitation{}, a)), 1U);
  EXPECT_TRUE(must(AcceptInvitation{}, a).empty());
  EXPECT_TRUE(at(a).accepting);
  EXPECT_FALSE(at(a).on_stage());
  must(DeclineInvitation{}, a);
  EXPECT_FALSE(at(a).accepting);
  EXPECT_EQ(refusal(GiveStage{a}, host), Refusal::kNotInvited);
  must(Invite{a}, host);
  must(AcceptInvitation{}, a);
  EXPECT_EQ(refusal(GiveStage{a}, a), Refusal::kNotAllowed);
  must(GiveStage{a}, host);
  EXPECT_EQ(at(a).role, Role::kSpeaker);
}

TEST_F(RoomTest, AnInvitationIsForTheJoinThatHasIt) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  must(RaiseHand{}, a);
  must(Invite{a}, host);
  must(AcceptInvitation{}, a);
  const Events events = must(join_of("a"));  // a reload
  EXPECT_FALSE(at(a).invited);
  EXPECT_FALSE(at(a).accepting);
  EXPECT_EQ(at(a).invited_by, MemberId::kNone);
  EXPECT_TRUE(at(a).hand_raised) << "the place in the queue stays";
  EXPECT_EQ(count<RaisedHandsChanged>(events), 1U) << "which shows who is invited";
  EXPECT_EQ(refusal(GiveStage{a}, host), Refusal::kNotInvited);
  must(Invite{a}, host);
  must(AcceptInvitation{}, a);
  must(GiveStage{a}, host);
}

TEST_F(RoomTest, WhoLeavesIsOutOfSightUntilTheLogSaysSo) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  const MemberId b = speaker("b", host);
  Events events = must(Leave{}, a);
  ASSERT_EQ(count<MemberLeaving>(events), 1U);
  EXPECT_EQ(room.audience_count(), 0U);
  EXPECT_EQ(room.member_count(), 2U);
  EXPECT_NE(room.find(a), nullptr);
  EXPECT_EQ(refusal(Leave{}, a), Refusal::kNotMember);
  must(Leave{}, b);
  EXPECT_EQ(room.member_count(), 3U - 1U) << "a seat is shown until it is given back";
  EXPECT_FALSE(at(b).connected);
  events = must(Depart{a}, host);
  EXPECT_TRUE(std::get<MemberLeft>(events.at(0)).was_leaving);
  EXPECT_EQ(room.find(a), nullptr);
  must(Depart{b}, host);
  EXPECT_EQ(room.member_count(), 1U);
}

TEST_F(RoomTest, OnlyWhoHasLeftIsTakenOutByOthers) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  const MemberId b = speaker("b", host);
  for (const MemberId each : {a, b}) {
    EXPECT_EQ(refusal(Depart{each}, host), Refusal::kGraceNotOver);
    must(Disconnect{}, each);
    EXPECT_EQ(refusal(Depart{each}, host), Refusal::kGraceNotOver) << "it may come back";
    now += base::seconds(15);
    must(Expire{}, each);
    must(Depart{each}, host);
    EXPECT_EQ(refusal(Depart{each}, host), Refusal::kMemberNotFound);
  }
  const MemberId c = speaker("c", host);
  must(Disconnect{}, c);
  must(Depart{c}, c);  // itself at any time
}

TEST_F(RoomTest, WhoComesBackWhileLeavingKeepsThePlace) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  must(Leave{}, a);
  const Events events = must(join_of("a"));
  EXPECT_TRUE(std::get<MemberJoined>(events.at(0)).replaced);
  EXPECT_FALSE(at(a).leaving);
  EXPECT_TRUE(at(a).connected);
  EXPECT_EQ(at(a).role, Role::kSpeaker);
  EXPECT_TRUE(room.leaving.empty());
}

TEST_F(RoomTest, AnotherDeviceOfAnAccountIsAnotherMember) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  Join other = join_of("a");
  other.replaces = MemberId::kNone;
  const Events events = must(other);
  EXPECT_EQ(std::get<MemberLeaving>(events.at(0)).cause, LeaveCause::kReplaced);
  const MemberId b = room.by_account.at(account("a"));
  EXPECT_NE(b, a);
  EXPECT_EQ(at(b).role, Role::kListener);
  EXPECT_TRUE(at(a).leaving);
  EXPECT_EQ(room.find(other.leaf)->id, b);
  must(Depart{a}, host);
  EXPECT_EQ(room.by_account.at(account("a")), b);
}

TEST_F(RoomTest, AnotherDeviceDoesNotTakeTheStageFromUnderTheRoom) {
  const MemberId host = join("host");
  const MemberId listener = join("listener");
  Join other = join_of("host");
  other.replaces = MemberId::kNone;
  EXPECT_EQ(refusal(other), Refusal::kOnStageElsewhere);
  EXPECT_FALSE(room.ended);
  EXPECT_FALSE(at(host).leaving);
  must(Disconnect{}, host);
  EXPECT_EQ(refusal(other), Refusal::kOnStageElsewhere) << "it may come back";
  must(Reconnect{}, host);
  // With somebody who stays it may go; with somebody who is going it may not.
  to_stage(listener, host);
  must(Leave{}, listener);
  EXPECT_EQ(refusal(other), Refusal::kOnStageElsewhere);
  must(Depart{listener}, host);
  const MemberId b = speaker("b", host);
  must(other);
  EXPECT_TRUE(at(host).leaving);
  must(Depart{host}, b);
  EXPECT_FALSE(room.ended);
  EXPECT_EQ(at(b).role, Role::kModerator);
}

TEST_F(RoomTest, AnotherDeviceThatComesOntoTheStageItselfKeepsTheRoom) {
  const MemberId host = join("host");
  must(Disconnect{}, host);
  Join other = join_of("host");
  other.replaces = MemberId::kNone;
  other.as_moderator = true;
  must(other);
  EXPECT_FALSE(room.ended);
  EXPECT_TRUE(at(host).leaving);
  EXPECT_EQ(at(room.by_account.at(account("host"))).role, Role::kModerator);
}

TEST_F(RoomTest, AStageOfLeaversEndsTheRoom) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  must(Leave{}, host);
  EXPECT_FALSE(room.ended);
  EXPECT_EQ(at(host).role, Role::kModerator) << "until the log says otherwise";
  must(Disconnect{}, a);
  now += base::seconds(15);
  must(Expire{}, a);
  EXPECT_TRUE(room.ended);
}

TEST_F(RoomTest, ATransactionIsAllOrNothingAndSettlesOnce) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  const MemberId b = speaker("b", host);
  must(Leave{}, host);
  must(Leave{}, a);
  Transaction refused(room, now);
  EXPECT_TRUE(refused.apply(Depart{host}, b));
  EXPECT_FALSE(refused.apply(MakeModerator{host}, b));
  EXPECT_NE(room.find(host), nullptr);
  Transaction both(room, now);
  EXPECT_TRUE(both.apply(Depart{host}, b));
  EXPECT_TRUE(both.apply(Depart{a}, b));
  EXPECT_EQ(both.room().find(a), nullptr);
  const Events events = std::move(both).commit(room);
  EXPECT_EQ(count<MemberLeft>(events), 2U);
  EXPECT_EQ(count<MemberChanged>(events), 1U) << "a was not made moderator in between";
  EXPECT_EQ(at(b).role, Role::kModerator);
}

TEST_F(RoomTest, WithoutSpeakersTheRoomEnds) {
  const MemberId host = join("host");
  join("listener");
  const Events events = must(Depart{host}, host);
  ASSERT_EQ(count<RoomEnded>(events), 1U);
  EXPECT_EQ(std::get<RoomEnded>(events.back()).cause, EndCause::kEmpty);
  EXPECT_EQ(refusal(join_of("late")), Refusal::kEnded);
}

TEST_F(RoomTest, AModeratorAloneOnStageCannotStepDown) {
  const MemberId host = join("host");
  EXPECT_EQ(refusal(MoveToAudience{}, host), Refusal::kLastModerator);
  const MemberId gone = speaker("gone", host);
  must(Leave{}, gone);
  ASSERT_TRUE(at(gone).leaving);
  EXPECT_EQ(refusal(MoveToAudience{}, host), Refusal::kLastModerator) << "who leaves is no help";
  must(Depart{gone}, host);
  const MemberId a = speaker("a", host);
  must(MoveToAudience{}, host);
  EXPECT_EQ(at(a).role, Role::kModerator);
  EXPECT_EQ(at(host).role, Role::kListener);
}

TEST_F(RoomTest, RemovedStaysOut) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  must(RaiseHand{}, a);
  const Events events = must(Remove{a}, host);
  EXPECT_EQ(count<RaisedHandsChanged>(events), 1U);
  EXPECT_EQ(room.find(a), nullptr);
  EXPECT_EQ(refusal(join_of("a")), Refusal::kBlocked);
  EXPECT_EQ(refusal(Remove{host}, host), Refusal::kWrongRole);
}

TEST_F(RoomTest, ALockedRoomTakesOnlyThoseWhoComeBack) {
  const MemberId host = join("host");
  const MemberId a = join("a");
  const MemberId moderator_b = moderator("b", host);
  must(SetLocked{true}, host);
  EXPECT_TRUE(must(SetLocked{true}, host).empty());
  EXPECT_EQ(refusal(join_of("new")), Refusal::kLocked);
  must(Depart{a}, a);
  must(Depart{moderator_b}, moderator_b);
  EXPECT_EQ(join("a"), a) << "the member id is kept";
  EXPECT_EQ(join("b"), moderator_b);
  EXPECT_EQ(at(moderator_b).role, Role::kModerator);
  must(SetLocked{false}, host);
  join("new");
}

TEST_F(RoomTest, ASocialRoomAdmitsWhomAModeratorFollows) {
  restart(RoomKind::kSocial);
  join("host");
  EXPECT_EQ(refusal(join_of("stranger")), Refusal::kNotAdmitted);
  must(join_of("friend", true));
  must(Depart{room.by_account.at(account("friend"))}, room.by_account.at(account("friend")));
  must(join_of("friend", false));  // coming back
}

TEST_F(RoomTest, AClosedRoomAdmitsWhoeverHasTheLink) {
  restart(RoomKind::kClosed);
  join("host");
  join("with_link");
}

TEST_F(RoomTest, AFullRoomRefuses) {
  restart(RoomKind::kOpen, {.max_members = 2});
  const MemberId host = join("host");
  join("a");
  EXPECT_EQ(refusal(join_of("b")), Refusal::kFull);
  EXPECT_EQ(join("host"), host) << "replacing a member needs no place";
}

TEST_F(RoomTest, ASecondJoinReplacesTheFirst) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  const Seat seat = at(a).seat;
  must(Disconnect{}, a);
  const Events events = must(join_of("a"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::get<MemberJoined>(events[0]).replaced);
  EXPECT_EQ(std::get<MemberJoined>(events[0]).member, a);
  EXPECT_EQ(at(a).seat, seat);
  EXPECT_EQ(at(a).role, Role::kSpeaker);
  EXPECT_TRUE(at(a).connected);
}

TEST_F(RoomTest, ADisconnectedModeratorHandsOverWhenTheGraceIsOver) {
  const MemberId host = join("host");
  const MemberId a = speaker("a", host);
  must(Disconnect{}, host);
  EXPECT_TRUE(must(Disconnect{}, host).empty());
  EXPECT_EQ(at(host).role, Role::kModerator);
  EXPECT_EQ(refusal(Expire{}, host), Refusal::kGraceNotOver);
  now += base::seconds(15);
  const Events events = must(Expire{}, host);
  EXPECT_EQ(std::get<MemberLeaving>(events[0]).cause, LeaveCause::kGone);
  must(Depart{host}, a);
  EXPECT_EQ(at(a).role, Role::kModerator);
}

TEST_F(RoomTest, SomebodyWhoCameBackDoesNotExpire) {
  const MemberId host = join("host");
  must(Disconnect{}, host);
  must(Reconnect{}, host);
  now += base::seconds(60);
  EXPECT_EQ(refusal(Expire{}, host), Refusal::kGraceNotOver);
  EXPECT_TRUE(at(host).connected);
}

TEST_F(RoomTest, EndingEndsEverything) {
  const MemberId host = join("host");
  const Events events = must(End{}, host);
  EXPECT_EQ(std::get<RoomEnded>(events.at(0)).cause, EndCause::kEnded);
  EXPECT_EQ(refusal(RaiseHand{}, host), Refusal::kEnded);
  EXPECT_EQ(refusal(Close{EndCause::kServer}), Refusal::kEnded);
  EXPECT_TRUE(allowed_commands(room, host).empty());
}

TEST_F(RoomTest, VisitorsAreBounded) {
  Visitors visitors;
  const auto first = base::AccountId::make(random);
  visitors.remember(first, MemberId{1});
  for (std::uint32_t i = 0; i < 20'000; ++i)
    visitors.remember(base::AccountId::make(random), MemberId{i + 2});
  EXPECT_FALSE(visitors.find(first));
}

}  // namespace
}  // namespace alcove::rooms
