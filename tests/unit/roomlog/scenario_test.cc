// The vectors' log through all ways of following it.

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/roomlog/log_scenario.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

void expect_same_stage_state(const LogState& a, const LogState& b) {
  EXPECT_EQ(a.stage_hash(), b.stage_hash());
  ASSERT_EQ(a.stage().size(), b.stage().size());
  for (const auto& [seat, member] : a.stage()) {
    ASSERT_NE(b.at_seat(seat), nullptr);
    EXPECT_EQ(member.since, b.at_seat(seat)->since);
    EXPECT_EQ(a.has_authority(member.certificate.identity),
              b.has_authority(member.certificate.identity));
  }
  EXPECT_EQ(a.locked(), b.locked());
  EXPECT_EQ(a.link_void(), b.link_void());
  EXPECT_EQ(a.link_generation(), b.link_generation());
  EXPECT_EQ(a.next_free_seat(), b.next_free_seat());
  EXPECT_EQ(a.last_authority(), b.last_authority());
  EXPECT_EQ(a.last_short(), b.last_short());
  EXPECT_EQ(a.authority_entries(), b.authority_entries());
  EXPECT_EQ(a.epoch(), b.epoch());
}

TEST(Scenario, ShortFollowsTheShortPathToTheSameStage) {
  const auto scenario = make_scenario();
  LogState state(scenario->log.genesis());
  for (std::size_t i = 0; i < scenario->steps.size(); ++i) {
    const WrittenEntry& written = scenario->log.entries()[i];
    if (!written.entry_class.is_short()) continue;
    const auto applied = state.apply(written.entry, Follow::kShort);
    ASSERT_TRUE(applied.has_value()) << scenario->steps[i].what << ": " << to_text(applied.error());
    expect_same_stage_state(state, scenario->steps[i].after);
    EXPECT_TRUE(state.roster().empty());
    EXPECT_FALSE(state.is_full());
    EXPECT_EQ(state.roster_hash(), scenario->steps[i].after.roster_hash());
  }
}

TEST(Scenario, AJoinerOfEachAdmitWalksTheChainAndGoesOn) {
  const auto scenario = make_scenario();
  const auto& entries = scenario->log.entries();
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const auto walked = walk_chain(scenario->log.chain(i), scenario->log.room());
    ASSERT_TRUE(walked.has_value()) << i << " " << to_text(walked.error());
    LogState state = walked->state;
    EXPECT_EQ(state.last_short(), walked->head->hash);
    EXPECT_EQ(state.n(), walked->head->body.n());
    expect_same_stage_state(state, scenario->steps[i - 1].after);
    // The admit, then the short path.
    ASSERT_TRUE(state.apply(entries[i].entry, Follow::kShort).has_value());
    for (std::size_t k = i + 1; k < entries.size(); ++k)
      if (entries[k].entry_class.is_short()) {
        ASSERT_TRUE(state.apply(entries[k].entry, Follow::kShort).has_value()) << i << " " << k;
      }
    expect_same_stage_state(state, scenario->log.state());
  }
}

TEST(Scenario, InvalidEntriesAreRefusedForTheirReasonAndChangeNothing) {
  const auto scenario = make_scenario();
  for (const InvalidEntry& invalid : invalid_entries(*scenario)) {
    ASSERT_TRUE(parse_entry(invalid.entry.object).has_value()) << invalid.what;
    LogState state = scenario->steps[invalid.after - 1].after;
    const auto applied = state.apply(invalid.entry, invalid.follow);
    ASSERT_FALSE(applied.has_value()) << invalid.what;
    EXPECT_EQ(to_text(applied.error()), to_text(invalid.error)) << invalid.what;
    EXPECT_TRUE(state.is_full());
    EXPECT_EQ(state.n(), invalid.after);
    // What comes next in the room still follows.
    if (invalid.after < scenario->steps.size()) {
      EXPECT_TRUE(
          state.apply(scenario->log.entries()[invalid.after].entry, Follow::kFull).has_value())
          << invalid.what;
    }
  }
}

TEST(Scenario, InvalidChainsAreRefused) {
  const auto scenario = make_scenario();
  for (const InvalidChain& invalid : invalid_chains(*scenario)) {
    const auto walked = walk_chain(invalid.chain, scenario->log.room());
    ASSERT_FALSE(walked.has_value()) << invalid.what;
    EXPECT_EQ(to_text(walked.error()), to_text(invalid.error)) << invalid.what;
  }
}

TEST(Scenario, AChainWithoutRepetitionsIsTheSame) {
  const auto scenario = make_scenario();
  std::size_t shorter = 0;
  for (std::size_t count = 1; count <= scenario->steps.size(); ++count) {
    const v1::LogChain whole = scenario->log.chain(count);
    v1::LogChain chain = whole;
    const auto is = [](const v1::SignedObject& a, const v1::SignedObject& b) {
      return a.signature() == b.signature();
    };
    const auto is_listed = [&](const v1::SignedObject& entry) {
      return std::ranges::any_of(whole.authority(),
                                 [&](const auto& other) { return is(entry, other); });
    };
    if (is_listed(whole.advance())) chain.clear_advance();
    if (is_listed(whole.head()) || is(whole.head(), whole.advance())) chain.clear_head();
    if (!chain.has_head()) ++shorter;
    const auto walked = walk_chain(chain, scenario->log.room());
    const auto expected = walk_chain(whole, scenario->log.room());
    ASSERT_TRUE(walked.has_value() && expected.has_value()) << count;
    EXPECT_EQ(walked->state.last(), expected->state.last());
    EXPECT_EQ(walked->advance->hash, expected->advance->hash);
    EXPECT_EQ(walked->head->hash, expected->head->hash);
  }
  EXPECT_GT(shorter, 10U);
}

}  // namespace
}  // namespace alcove::roomlog
