// Coming from short to full.

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

// A listener who follows a room in short and asks for the roster.
class RosterTest : public testing::Test {
 protected:
  RosterTest() : listener_(log_.genesis()) {
    log_.found();
    for (const char* name : {"Anna", "Ben", "Leo", "Zoe"}) log_.admit(name);
    log_.make_speaker("Anna");
    for (const WrittenEntry& written : log_.entries())
      if (written.entry_class.is_short()) {
        EXPECT_TRUE(listener_.apply(written.entry, Follow::kShort).has_value());
      }
  }
  std::optional<LogError> adopt(std::vector<Certificate> certificates, const Entry& head) {
    const auto result = listener_.adopt_roster(certificates, head);
    if (result) return std::nullopt;
    return result.error();
  }
  // Nothing changed, and the right roster is still taken.
  void expect_still_short() {
    EXPECT_FALSE(listener_.is_full());
    EXPECT_TRUE(listener_.roster().empty());
    EXPECT_EQ(adopt(log_.roster(), log_.last()), std::nullopt);
  }
  RoomLog log_;
  LogState listener_;
};

TEST_F(RosterTest, AsOfTheLastEntry) {
  EXPECT_EQ(adopt(log_.roster(), log_.last()), std::nullopt);
  EXPECT_TRUE(listener_.is_full());
  EXPECT_EQ(listener_.roster().size(), 5U);
  EXPECT_EQ(listener_.roster_hash(), log_.state().roster_hash());
  EXPECT_NE(listener_.member(log_.leaf("Leo")), nullptr);
  log_.write(log_.join("Anna"), {depart_op(log_.leaf("Leo"))});
  ASSERT_TRUE(listener_.apply(log_.last(), Follow::kFull).has_value());
  EXPECT_EQ(listener_.member(log_.leaf("Leo")), nullptr);
}

TEST_F(RosterTest, AsOfARosterEntryThatTheListenerDidNotGet) {
  log_.admit("Quinn");
  log_.admit("Rita");
  EXPECT_EQ(adopt(log_.roster(), log_.last()), std::nullopt);
  EXPECT_EQ(listener_.n(), log_.state().n());
  EXPECT_EQ(listener_.last(), log_.last().hash);
  log_.write(log_.join("Host"), {lock_op(true)});
  EXPECT_TRUE(listener_.apply(log_.last(), Follow::kFull).has_value());
}

TEST_F(RosterTest, AsOfTheNextShortEntry) {
  log_.make_moderator("Anna");
  EXPECT_EQ(adopt(log_.roster(), log_.last()), std::nullopt);
  EXPECT_EQ(listener_.stage_hash(), log_.state().stage_hash());
}

TEST_F(RosterTest, WhatDoesNotFollowIsAFork) {
  log_.make_moderator("Anna");
  log_.write(log_.join("Anna"), {});
  EXPECT_EQ(adopt(log_.roster(), log_.last()), LogError::kFork);
  EXPECT_EQ(adopt(log_.roster(), log_.entries()[1].entry), LogError::kFork);
  EXPECT_FALSE(listener_.is_full());
}

TEST_F(RosterTest, MissingExtraWrongOrDisorderedCertificatesAreRefused) {
  const std::vector<Certificate> good = log_.roster();
  std::vector<Certificate> roster = good;
  roster.pop_back();
  EXPECT_EQ(adopt(roster, log_.last()), LogError::kWrongState);
  roster = good;
  roster.push_back(log_.certificate("Quinn"));
  EXPECT_EQ(adopt(roster, log_.last()), LogError::kWrongState);
  roster = good;
  std::ranges::swap(roster[1], roster[2]);
  EXPECT_EQ(adopt(roster, log_.last()), LogError::kWrongState);
  roster = good;
  roster[2] = roster[1];
  EXPECT_EQ(adopt(roster, log_.last()), LogError::kWrongState);
  std::erase_if(roster = good, [&](const Certificate& certificate) {
    return certificate.leaf_hash == log_.leaf("Leo");
  });
  roster.push_back(log_.certificate("Leo", 1));
  std::ranges::sort(roster, {}, &Certificate::leaf_hash);
  EXPECT_EQ(adopt(roster, log_.last()), LogError::kWrongState);
  expect_still_short();
}

// A host that signs whatever roster it likes still cannot leave the stage out of it, or have
// somebody in it twice.
TEST_F(RosterTest, ARosterThatIsSignedMustHaveTheStageAndEachOnce) {
  const auto signed_head = [&](const std::vector<Certificate>& roster) {
    auto body = log_.state().draft(log_.leaf("Host"), {}, v1::ADVANCE_NONE, false, log_.time_ms);
    base::Buffer leaves;
    for (const Certificate& certificate : roster)
      leaves.insert(leaves.end(), certificate.leaf_hash.begin(), certificate.leaf_hash.end());
    body->set_roster_size(static_cast<std::uint32_t>(roster.size()));
    body->set_roster_hash(to_string(crypto::sha256(leaves)));
    return log_.sign(log_.join("Host"), *body).entry;
  };
  std::vector<Certificate> roster = log_.roster();
  std::erase_if(roster, [&](const Certificate& certificate) {
    return certificate.leaf_hash == log_.leaf("Anna");
  });
  EXPECT_EQ(adopt(roster, signed_head(roster)), LogError::kWrongState);
  roster = log_.roster();
  roster.push_back(log_.certificate("Leo", 1));
  std::ranges::sort(roster, {}, &Certificate::leaf_hash);
  EXPECT_EQ(adopt(roster, signed_head(roster)), LogError::kBadCertificate);
  expect_still_short();
}

TEST_F(RosterTest, IsBounded) {
  // 65,535 people who never signed anything: adopt_roster() takes certificates that were parsed.
  std::vector<Certificate> roster = log_.roster();
  while (roster.size() < 65'535) {
    Certificate made;
    made.leaf_hash = hash_of("leaf " + std::to_string(roster.size()));
    made.identity = hash_of("identity " + std::to_string(roster.size()));
    roster.push_back(std::move(made));
  }
  std::ranges::sort(roster, {}, &Certificate::leaf_hash);
  base::Buffer leaves;
  for (const Certificate& certificate : roster)
    leaves.insert(leaves.end(), certificate.leaf_hash.begin(), certificate.leaf_hash.end());
  auto body = log_.state().draft(log_.leaf("Host"), {}, v1::ADVANCE_NONE, false, log_.time_ms);
  body->set_roster_size(static_cast<std::uint32_t>(roster.size()));
  body->set_roster_hash(to_string(crypto::sha256(leaves)));
  ASSERT_EQ(adopt(roster, log_.sign(log_.join("Host"), *body).entry), std::nullopt);
  const auto draft = [&](std::vector<v1::LogOp> ops) {
    return listener_.draft(log_.leaf("Host"), std::move(ops), v1::ADVANCE_NONE, false,
                           log_.time_ms + 1000);
  };
  EXPECT_EQ(draft({admit_op(log_.certificate("Quinn"))}).error(), LogError::kNotPermitted);
  EXPECT_TRUE(draft({admit_op(log_.certificate("Leo", 1))}).has_value());
  EXPECT_TRUE(
      draft({depart_op(log_.leaf("Leo")), admit_op(log_.certificate("Quinn"))}).has_value());
}

}  // namespace
}  // namespace alcove::roomlog
