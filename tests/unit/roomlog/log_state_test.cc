#include "roomlog/log_state.h"

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

// A room with its host on seat 1, Anna a speaker on seat 2, Mona a moderator on seat 3, and Leo a
// listener.
class LogStateTest : public testing::Test {
 protected:
  LogStateTest() {
    log_.found();
    log_.write(host(), {admit_op(log_.certificate("Anna")), admit_op(log_.certificate("Mona")),
                        admit_op(log_.certificate("Leo"))});
    log_.make_speaker("Anna");
    log_.make_speaker("Mona");
    log_.make_moderator("Mona");
  }
  const Join& host() { return log_.join("Host"); }
  const Join& anna() { return log_.join("Anna"); }
  const Join& mona() { return log_.join("Mona"); }
  const Join& leo() { return log_.join("Leo"); }

  // What a draft of these ops says: nullopt when they are valid.
  std::optional<LogError> refused(const Join& author, std::vector<v1::LogOp> ops) {
    const auto body = log_.state().draft(author.certificate.leaf_hash, std::move(ops),
                                         v1::ADVANCE_NONE, false, log_.time_ms);
    if (body) return std::nullopt;
    return body.error();
  }
  RoomLog log_;
};

TEST_F(LogStateTest, FoundedRoomHasItsPeopleWhereTheyWerePut) {
  const LogState& state = log_.state();
  EXPECT_EQ(state.n(), 5U);
  EXPECT_EQ(state.epoch(), 1U);
  EXPECT_EQ(state.roster().size(), 4U);
  ASSERT_EQ(state.stage().size(), 3U);
  EXPECT_EQ(state.at_seat(1)->certificate.display_name, "Host");
  EXPECT_EQ(state.at_seat(1)->role, v1::ROLE_MODERATOR);
  EXPECT_EQ(state.at_seat(2)->role, v1::ROLE_SPEAKER);
  EXPECT_EQ(state.at_seat(3)->role, v1::ROLE_MODERATOR);
  EXPECT_EQ(state.next_free_seat(), 4);
  EXPECT_TRUE(state.has_authority(mona().certificate.identity));
  EXPECT_FALSE(state.has_authority(anna().certificate.identity));
}

template <typename Kind>
const Kind* find_change(const std::vector<Change>& changes) {
  for (const Change& change : changes)
    if (const Kind* found = std::get_if<Kind>(&change)) return found;
  return nullptr;
}

// The changes of an entry, applied to a copy.
std::vector<Change> changes_of(RoomLog& log, const Join& author, std::vector<v1::LogOp> ops) {
  LogState copy = log.state();
  log.write(author, std::move(ops));
  const auto changes = copy.apply(log.last(), Follow::kFull);
  EXPECT_TRUE(changes.has_value());
  return changes.value_or(std::vector<Change>{});
}

TEST_F(LogStateTest, AdmitsAListener) {
  const auto changes = changes_of(log_, anna(), {admit_op(log_.certificate("Quinn"))});
  ASSERT_EQ(changes.size(), 1U);
  const Admitted& admitted = std::get<Admitted>(changes[0]);
  EXPECT_EQ(admitted.certificate.display_name, "Quinn");
  EXPECT_EQ(admitted.seat, 0);
  EXPECT_EQ(admitted.role, v1::ROLE_LISTENER);
  EXPECT_FALSE(admitted.replaced);
  EXPECT_EQ(log_.state().roster_size(), 5U);
  EXPECT_NE(log_.state().member(log_.leaf("Quinn")), nullptr);
  EXPECT_NE(log_.state().member_of(log_.certificate("Quinn").identity), nullptr);
}

TEST_F(LogStateTest, ReplacesAListener) {
  const auto changes = changes_of(log_, anna(), {admit_op(log_.certificate("Leo", 1))});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(std::get<Admitted>(changes[0]).replaced, log_.leaf("Leo"));
  EXPECT_EQ(log_.state().roster_size(), 4U);
  EXPECT_EQ(log_.state().member(log_.leaf("Leo")), nullptr);
  EXPECT_EQ(log_.state().member_of(leo().certificate.identity)->leaf_hash, log_.leaf("Leo", 1));
}

TEST_F(LogStateTest, ReplacesAStageMemberInItsPlace) {
  const StageMember before = *log_.state().at_seat(3);
  const auto changes = changes_of(log_, anna(), {admit_op(log_.certificate("Mona", 1))});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(std::get<Admitted>(changes[0]).replaced, log_.leaf("Mona"));
  EXPECT_EQ(std::get<Admitted>(changes[0]).seat, 3);
  EXPECT_EQ(std::get<Admitted>(changes[0]).role, v1::ROLE_MODERATOR);
  const StageMember& after = *log_.state().at_seat(3);
  EXPECT_EQ(after.certificate.leaf_hash, log_.leaf("Mona", 1));
  EXPECT_EQ(after.role, v1::ROLE_MODERATOR);
  EXPECT_EQ(after.since, before.since);
  EXPECT_EQ(after.last_entry_ms, log_.state().time_ms());
  EXPECT_EQ(log_.state().last_authority(), log_.last().hash);
}

TEST_F(LogStateTest, AModeratorComesBackWithTheNextFreeSeat) {
  log_.write(mona(), {depart_op(mona().certificate.leaf_hash)});
  EXPECT_TRUE(log_.state().has_authority(mona().certificate.identity));
  const v1::LogOp with_seat = admit_op(log_.certificate("Mona", 1), 4);
  EXPECT_EQ(refused(anna(), {with_seat}), LogError::kNotPermitted);
  EXPECT_EQ(refused(host(), {admit_op(log_.certificate("Mona", 1), 3)}), LogError::kNotPermitted);
  log_.write(host(), {with_seat});
  EXPECT_EQ(log_.state().at_seat(4)->role, v1::ROLE_MODERATOR);
  EXPECT_EQ(log_.state().at_seat(3), nullptr);
}

TEST_F(LogStateTest, AModeratorWhoComesBackAsListenerSpeaksAsSpeaker) {
  log_.write(mona(), {depart_op(mona().certificate.leaf_hash)});
  log_.write(anna(), {admit_op(log_.certificate("Mona", 1))});
  EXPECT_EQ(log_.state().on_stage(log_.leaf("Mona", 1)), nullptr);
  log_.make_speaker("Mona", 1);
  EXPECT_EQ(log_.state().on_stage(log_.leaf("Mona", 1))->role, v1::ROLE_SPEAKER);
  EXPECT_TRUE(log_.state().has_authority(mona().certificate.identity));
  EXPECT_EQ(refused(log_.join("Mona", 1), {lock_op(true)}), LogError::kNotPermitted);
}

TEST_F(LogStateTest, LockedRoomsTakeNobodyNewFromASpeaker) {
  const auto changes = changes_of(log_, mona(), {lock_op(true)});
  EXPECT_TRUE(find_change<Locked>(changes)->locked);
  EXPECT_EQ(refused(anna(), {admit_op(log_.certificate("Quinn"))}), LogError::kNotPermitted);
  EXPECT_EQ(refused(anna(), {admit_op(log_.certificate("Leo", 1))}), std::nullopt);
  EXPECT_EQ(refused(anna(), {admit_op(log_.certificate("Mona", 1))}), std::nullopt);
  EXPECT_EQ(refused(mona(), {admit_op(log_.certificate("Quinn"))}), std::nullopt);
  log_.write(host(), {lock_op(false)});
  EXPECT_EQ(refused(anna(), {admit_op(log_.certificate("Quinn"))}), std::nullopt);
}

TEST_F(LogStateTest, DepartsThatNeedNoWait) {
  EXPECT_EQ(refused(anna(), {depart_op(log_.leaf("Leo"))}), std::nullopt);
  EXPECT_EQ(refused(anna(), {depart_op(log_.leaf("Anna"))}), std::nullopt);
  EXPECT_EQ(refused(mona(), {depart_op(log_.leaf("Anna"))}), std::nullopt);
  EXPECT_EQ(refused(host(), {depart_op(log_.leaf("Host"))}), std::nullopt);
  EXPECT_EQ(refused(host(), {depart_op(log_.leaf("Mona"))}), LogError::kNotPermitted);
  EXPECT_EQ(refused(anna(), {depart_op(log_.leaf("Mona"))}), LogError::kNotPermitted);
  const auto changes = changes_of(log_, mona(), {depart_op(log_.leaf("Anna"))});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(std::get<Departed>(changes[0]).seat, 2);
  EXPECT_FALSE(std::get<Departed>(changes[0]).ejected);
  EXPECT_EQ(log_.state().at_seat(2), nullptr);
  EXPECT_EQ(log_.state().member(log_.leaf("Anna")), nullptr);
}

TEST_F(LogStateTest, DepartAfterThirtySecondsOfSilence) {
  log_.write(mona(), {});
  const std::int64_t beat = log_.state().time_ms();
  // What is not on the short path is not heard by all, so it does not count.
  log_.write(mona(), {admit_op(log_.certificate("Quinn"))});
  EXPECT_EQ(log_.state().on_stage(log_.leaf("Mona"))->last_entry_ms, beat);
  log_.time_ms = beat + 29'999;
  EXPECT_EQ(refused(anna(), {depart_op(log_.leaf("Mona"))}), LogError::kNotPermitted);
  EXPECT_EQ(refused(host(), {depart_op(log_.leaf("Mona"))}), LogError::kNotPermitted);
  log_.time_ms = beat + 30'000;
  EXPECT_EQ(refused(anna(), {depart_op(log_.leaf("Mona"))}), std::nullopt);
  EXPECT_EQ(refused(host(), {depart_op(log_.leaf("Mona"))}), std::nullopt);
}

TEST_F(LogStateTest, EjectBlocksTheIdentityAndVoidsTheLink) {
  const auto changes = changes_of(log_, host(), {eject_op(mona().certificate)});
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_TRUE(std::get<Departed>(changes[0]).ejected);
  EXPECT_EQ(std::get<Departed>(changes[0]).seat, 3);
  EXPECT_TRUE(std::get<LinkChanged>(changes[1]).voided);
  const LogState& state = log_.state();
  EXPECT_TRUE(state.is_blocked(mona().certificate.identity));
  EXPECT_FALSE(state.has_authority(mona().certificate.identity));
  EXPECT_TRUE(state.link_void());
  EXPECT_EQ(refused(host(), {admit_op(log_.certificate("Mona", 1))}), LogError::kNotPermitted);
  // The link is void already.
  EXPECT_EQ(changes_of(log_, host(), {eject_op(leo().certificate)}).size(), 1U);
  const auto renewed = changes_of(log_, host(), {link_op(1)});
  EXPECT_EQ(std::get<LinkChanged>(renewed.at(0)).generation, 1U);
  EXPECT_FALSE(std::get<LinkChanged>(renewed.at(0)).voided);
  EXPECT_FALSE(state.link_void());
  EXPECT_EQ(state.link_generation(), 1U);
  EXPECT_TRUE(state.is_blocked(leo().certificate.identity));
}

TEST_F(LogStateTest, StepDownTakesAuthority) {
  const auto changes = changes_of(log_, mona(), {role_op(log_.leaf("Mona"), v1::ROLE_LISTENER)});
  ASSERT_EQ(changes.size(), 1U);
  const RoleChanged& changed = std::get<RoleChanged>(changes[0]);
  EXPECT_EQ(changed.before, v1::ROLE_MODERATOR);
  EXPECT_EQ(changed.after, v1::ROLE_LISTENER);
  EXPECT_EQ(changed.seat, 3);
  EXPECT_FALSE(changed.by_rule);
  EXPECT_FALSE(log_.state().has_authority(mona().certificate.identity));
  EXPECT_NE(log_.state().member(log_.leaf("Mona")), nullptr);
  EXPECT_EQ(log_.state().next_free_seat(), 4);  // not 3 again
  // The host may go down itself, though nobody may move it.
  log_.write(host(), {role_op(log_.leaf("Host"), v1::ROLE_LISTENER)});
  EXPECT_FALSE(log_.state().has_authority(host().certificate.identity));
}

TEST_F(LogStateTest, InvitesAreBounded) {
  std::vector<crypto::Ed25519PublicKey> identities;
  for (int i = 0; i < 1024; ++i) identities.push_back(hash_of("invited " + std::to_string(i)));
  for (std::size_t i = 0; i < 1024; i += 64)
    log_.write(host(), {invite_op({identities.begin() + static_cast<std::ptrdiff_t>(i),
                                   identities.begin() + static_cast<std::ptrdiff_t>(i) + 64})});
  EXPECT_TRUE(log_.state().is_invited(identities[1023]));
  EXPECT_FALSE(log_.state().is_invited(leo().certificate.identity));
  EXPECT_EQ(refused(host(), {invite_op({leo().certificate.identity})}), LogError::kNotPermitted);
  EXPECT_EQ(refused(host(), {invite_op({identities[5]})}), std::nullopt);
}

TEST_F(LogStateTest, TheLogIsFullAtItsBound) {
  while (log_.state().authority_entries() < 1024) log_.write(host(), {lock_op(true)});
  EXPECT_EQ(refused(host(), {lock_op(false)}), LogError::kLogFull);
  EXPECT_EQ(refused(host(), {depart_op(log_.leaf("Anna"))}), LogError::kLogFull);
  EXPECT_EQ(refused(host(), {admit_op(log_.certificate("Quinn"))}), std::nullopt);
  const auto walked = walk_chain(log_.chain(), log_.room());
  ASSERT_TRUE(walked.has_value());
  EXPECT_EQ(walked->state.authority_entries(), 1024U);
  v1::LogChain longer = log_.chain();
  *longer.add_authority() = log_.last().object;
  EXPECT_EQ(walk_chain(longer, log_.room()).error(), LogError::kLogFull);
}

TEST_F(LogStateTest, ClassesFollowFromTheBody) {
  const LogState& state = log_.state();
  const auto class_of = [&](std::vector<v1::LogOp> ops, v1::Advance advance = v1::ADVANCE_NONE) {
    v1::LogEntry body;
    for (v1::LogOp& op : ops) *body.add_ops() = std::move(op);
    body.set_advance(advance);
    return state.class_of(body);
  };
  EXPECT_TRUE(class_of({}).beat);
  EXPECT_FALSE(class_of({}, v1::ADVANCE_FRESH).beat);
  EXPECT_TRUE(class_of({}, v1::ADVANCE_FRESH).advance);
  EXPECT_FALSE(class_of({admit_op(log_.certificate("Quinn"))}).is_short());
  EXPECT_FALSE(class_of({admit_op(log_.certificate("Leo", 1))}).is_short());
  EXPECT_TRUE(class_of({admit_op(log_.certificate("Anna", 1))}).authority);
  EXPECT_TRUE(class_of({admit_op(log_.certificate("Quinn"), 4)}).authority);
  EXPECT_FALSE(class_of({depart_op(log_.leaf("Leo"))}).is_short());
  EXPECT_TRUE(class_of({depart_op(log_.leaf("Leo")), depart_op(log_.leaf("Anna"))}).authority);
  EXPECT_TRUE(class_of({invite_op({leo().certificate.identity})}).authority);
  const EntryClass both = class_of({lock_op(true)}, v1::ADVANCE_RATCHET);
  EXPECT_TRUE(both.authority && both.advance && !both.resume);
}

TEST_F(LogStateTest, DraftIsWhatFollows) {
  const auto body = log_.state().draft(log_.leaf("Anna"), {admit_op(log_.certificate("Quinn"))},
                                       v1::ADVANCE_RATCHET, false, log_.state().time_ms() - 5);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->time_ms(), log_.state().time_ms());
  EXPECT_EQ(body->epoch(), log_.state().epoch() + 1);
  EXPECT_EQ(body->roster_size(), 5U);
  EXPECT_EQ(log_.state().n(), 5U);  // nothing is applied
  EXPECT_EQ(refused(leo(), {}), LogError::kBadAuthor);
  EXPECT_EQ(refused(host(), {lock_op(true), link_op(1)}), LogError::kNotPermitted);
  EXPECT_EQ(refused(host(), {v1::LogOp()}), LogError::kNotPermitted);
  LogState short_state = log_.state();
  log_.write(anna(), {});
  ASSERT_TRUE(short_state.apply(log_.last(), Follow::kShort).has_value());
  EXPECT_EQ(short_state.draft(log_.leaf("Anna"), {}, v1::ADVANCE_NONE, false, 0).error(),
            LogError::kWrongState);
}

TEST_F(LogStateTest, WithoutTheRosterNothingIsFollowedInFull) {
  LogState state = log_.state();
  log_.write(anna(), {});
  ASSERT_TRUE(state.apply(log_.last(), Follow::kShort).has_value());
  log_.write(anna(), {});
  EXPECT_EQ(state.apply(log_.last(), Follow::kFull).error(), LogError::kWrongState);
  EXPECT_TRUE(state.apply(log_.last(), Follow::kShort).has_value());
}

TEST_F(LogStateTest, CheckSaysTheSameAsApplyAndChangesNothing) {
  const LogState before = log_.state();
  log_.write(anna(), {admit_op(log_.certificate("Quinn"))});
  EXPECT_TRUE(before.check(log_.last(), Follow::kFull).has_value());
  EXPECT_EQ(before.n(), 5U);
  EXPECT_EQ(log_.state().check(log_.last(), Follow::kFull).error(), LogError::kFork);
}

TEST(Founding, OnlyTheHostsResumeIsFirst) {
  RoomLog log;
  const LogState& empty = log.state();
  EXPECT_EQ(empty.n(), 0U);
  EXPECT_TRUE(empty.is_full());
  const auto draft = [&](const Join& author, std::uint32_t seat, bool resume) {
    return empty.draft(author.certificate.leaf_hash, {admit_op(author.certificate, seat)},
                       resume ? v1::ADVANCE_FRESH : v1::ADVANCE_NONE, resume, log.time_ms);
  };
  EXPECT_EQ(draft(log.join("Anna"), 1, true).error(), LogError::kBadAuthor);
  EXPECT_EQ(draft(log.join("Host"), 1, false).error(), LogError::kBadAuthor);
  EXPECT_EQ(draft(log.join("Host"), 0, true).error(), LogError::kNotPermitted);
  EXPECT_EQ(draft(log.join("Host"), 2, true).error(), LogError::kNotPermitted);
  ASSERT_TRUE(draft(log.join("Host"), 1, true).has_value());
  log.found();
  EXPECT_EQ(log.last().body.prev(), to_string(log.room()));
  EXPECT_EQ(log.last().body.prev_authority(), to_string(log.room()));
  EXPECT_EQ(log.state().at_seat(1)->since, 1U);
}

TEST(Succession, TheLongestOnTheStageIsModeratorByRule) {
  RoomLog log;
  log.found();
  for (const char* name : {"Anna", "Ben"}) {
    log.admit(name);
    log.make_speaker(name);
  }
  // A replaced leaf keeps its time on the stage.
  log.admit("Anna", 1);
  const auto changes =
      changes_of(log, log.join("Host"), {role_op(log.leaf("Host"), v1::ROLE_LISTENER)});
  ASSERT_EQ(changes.size(), 2U);
  const RoleChanged& by_rule = std::get<RoleChanged>(changes[1]);
  EXPECT_TRUE(by_rule.by_rule);
  EXPECT_EQ(by_rule.leaf, log.leaf("Anna", 1));
  EXPECT_EQ(by_rule.after, v1::ROLE_MODERATOR);
  EXPECT_TRUE(log.state().has_authority(log.certificate("Anna").identity));
  log.write(log.join("Ben"), {depart_op(log.leaf("Ben"))});
  log.write(log.join("Anna", 1), {depart_op(log.leaf("Anna", 1))});
  EXPECT_TRUE(log.state().stage().empty());
  EXPECT_TRUE(log.state().has_authority(log.certificate("Anna").identity));
}

}  // namespace
}  // namespace alcove::roomlog
