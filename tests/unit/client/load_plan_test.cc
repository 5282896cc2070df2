// What may be asked of a load, and when its members come and go.

#include "client/load_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/load_schedule.h"

namespace alcove::client {
namespace {

using base::milliseconds;
using base::seconds;
using testing::HasSubstr;

LoadTexts texts() {
  LoadTexts texts;
  texts.link = "http://127.0.0.1:8080/r/AAECAwQFBgcICQoLDA0ODw";
  return texts;
}

std::string error_of(const LoadTexts& wrong) {
  const auto options = make_load_options(wrong);
  return options ? "" : options.error().message;
}

TEST(LoadPlan, HasDefaultsAndTakesWhatIsSaid) {
  const auto options = make_load_options(texts());
  ASSERT_TRUE(options);
  EXPECT_EQ(options->server.host, "127.0.0.1");
  EXPECT_EQ(options->room.text(), "AAECAwQFBgcICQoLDA0ODw");
  EXPECT_FALSE(options->fragment);
  EXPECT_EQ(options->plan.members, 100U);
  EXPECT_EQ(options->plan.stay, seconds(30));
  LoadTexts more = texts();
  more.members = 3;
  more.rate = 0.5;
  more.seconds = "2m";
  more.profile = "churn";
  more.sample = 9;
  const auto second = make_load_options(more);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->plan.profile, LoadProfile::kChurn);
  EXPECT_EQ(second->plan.rate, 0.5);
  EXPECT_EQ(second->plan.stay, seconds(120));
  EXPECT_EQ(second->plan.sample, 3U);  // not more than there are
}

TEST(LoadPlan, AFlashIsTenSecondsOfTheRate) {
  LoadTexts flash = texts();
  flash.profile = "flash";
  flash.members = 2'500;
  flash.rate = 150;
  EXPECT_EQ(make_load_plan(flash)->already, 1'000U);
  EXPECT_EQ(make_load_plan(flash)->fill_rate, 100);
  flash.already = 7;
  EXPECT_EQ(make_load_plan(flash)->already, 7U);
  flash.already = -1;
  flash.members = 20;
  EXPECT_EQ(make_load_plan(flash)->already, 0U);
}

TEST(LoadPlan, SaysWhichOptionIsWrong) {
  LoadTexts wrong = texts();
  wrong.link = "http://127.0.0.1:8080/other";
  EXPECT_NE(error_of(wrong), "");
  wrong = texts();
  wrong.link += "#short";
  EXPECT_THAT(error_of(wrong), HasSubstr("#"));
  wrong = texts();
  wrong.profile = "burst";
  EXPECT_THAT(error_of(wrong), HasSubstr("--profile"));
  for (const std::int64_t members : {std::int64_t{0}, kMaxLoadMembers + 1}) {
    wrong = texts();
    wrong.members = members;
    EXPECT_THAT(error_of(wrong), HasSubstr("--members"));
  }
  for (const double rate : {0.0, -1.0, kMaxLoadRate + 1, std::nan("")}) {
    wrong = texts();
    wrong.rate = rate;
    EXPECT_THAT(error_of(wrong), HasSubstr("--rate"));
  }
  wrong = texts();
  wrong.seconds = "soon";
  EXPECT_THAT(error_of(wrong), HasSubstr("--seconds"));
  wrong = texts();
  wrong.sample = -1;
  EXPECT_THAT(error_of(wrong), HasSubstr("--sample"));
  wrong = texts();
  wrong.already = 5;
  EXPECT_THAT(error_of(wrong), HasSubstr("--already"));
  wrong.profile = "flash";
  wrong.already = wrong.members;
  EXPECT_THAT(error_of(wrong), HasSubstr("--already"));
}

TEST(LoadPlan, KnowsWhatIsReachedOverLoopback) {
  for (const auto* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const auto* host : {"example.org", "192.0.2.1", "2001:db8::1", "localhost.example.org"})
    EXPECT_FALSE(is_loopback_host(host)) << host;
}

// A room that lets in after a while, driven by a schedule in virtual time.
class LoadScheduleTest : public testing::Test {
 protected:
  void begin(LoadPlan plan) {
    schedule.emplace(plan);
    schedule->start(now);
  }
  // Each step as its deadline comes, until the stage is another or the time is over.
  void run(base::Duration duration) {
    const base::Instant until = now + duration;
    const LoadStage stage = schedule->stage();
    while (schedule->stage() == stage && schedule->next_deadline() <= until) {
      now = std::max(now, schedule->next_deadline());
      const LoadSchedule::Due due = schedule->poll(now, counts);
      joins += due.joins;
      leaves += due.leaves;
      measuring += due.measuring_begins ? 1 : 0;
      counts.inside += due.joins;
      counts.inside -= std::min(counts.inside, due.leaves);
    }
    if (schedule->stage() == stage) now = until;
  }

  base::Instant now{seconds(1000)};
  std::optional<LoadSchedule> schedule;
  LoadSchedule::Counts counts;
  std::size_t joins = 0;
  std::size_t leaves = 0;
  int measuring = 0;
};

TEST_F(LoadScheduleTest, SteadyComesAtItsRateAndStays) {
  begin({.profile = LoadProfile::kSteady,
         .members = 100,
         .rate = 20,
         .stay = seconds(10),
         .fill_rate = 20});
  run(seconds(1));
  EXPECT_NEAR(static_cast<double>(joins), 21, 1);
  run(seconds(10));
  EXPECT_EQ(joins, 100U);
  EXPECT_EQ(schedule->stage(), LoadStage::kSettling);
  counts.joining = 3;  // not everybody is in yet
  run(seconds(20));
  EXPECT_EQ(schedule->stage(), LoadStage::kSettling);
  counts.joining = 0;
  run(seconds(5));
  EXPECT_EQ(schedule->stage(), LoadStage::kMeasuring);
  EXPECT_EQ(measuring, 1);
  const base::Instant begun = now;
  run(seconds(60));
  EXPECT_EQ(schedule->stage(), LoadStage::kLeaving);
  EXPECT_NEAR(std::chrono::duration<double>(now - begun).count(), 10, 0.2);
  EXPECT_EQ(leaves, 0U);
  run(seconds(5));
  EXPECT_EQ(leaves, 100U);
  EXPECT_EQ(schedule->stage(), LoadStage::kOver);
  EXPECT_EQ(schedule->next_deadline(), base::kNever);
}

TEST_F(LoadScheduleTest, WhoDoesNotComeInHoldsNobodyUp) {
  begin({.members = 1, .rate = 20, .stay = seconds(1), .fill_rate = 20});
  run(seconds(1));
  counts.joining = 1;
  run(LoadSchedule::kSettleAtMost + seconds(3));
  EXPECT_EQ(schedule->stage(), LoadStage::kMeasuring);
}

TEST_F(LoadScheduleTest, AFlashComesWhenTheOthersListen) {
  begin({.profile = LoadProfile::kFlash,
         .members = 60,
         .rate = 100,
         .stay = seconds(5),
         .already = 10,
         .fill_rate = 50});
  run(seconds(1));
  EXPECT_EQ(joins, 10U);
  run(seconds(3));
  EXPECT_EQ(schedule->stage(), LoadStage::kMeasuring);
  EXPECT_EQ(measuring, 1);
  const base::Instant begun = now;
  run(milliseconds(250));
  EXPECT_NEAR(static_cast<double>(joins), 10 + 25, 2);
  run(seconds(60));
  EXPECT_EQ(joins, 60U);
  // The stay begins after the last of the crowd.
  EXPECT_NEAR(std::chrono::duration<double>(now - begun).count(), 5.5, 0.3);
}

TEST_F(LoadScheduleTest, ChurnKeepsTheNumber) {
  begin({.profile = LoadProfile::kChurn,
         .members = 50,
         .rate = 10,
         .stay = seconds(20),
         .fill_rate = 10});
  run(seconds(6));
  run(seconds(3));
  ASSERT_EQ(schedule->stage(), LoadStage::kMeasuring);
  EXPECT_EQ(joins, 51U);  // the first of the churn is due at once
  run(seconds(10));
  EXPECT_NEAR(static_cast<double>(joins), 50 + 100, 3);
  EXPECT_EQ(leaves, joins - 50);
  EXPECT_EQ(counts.inside, 50U);
}

TEST_F(LoadScheduleTest, LeavingEndsWithTheLastOrAfterAWhile) {
  begin({.members = 10, .rate = 10, .fill_rate = 10});
  run(milliseconds(300));
  schedule->leave(now);
  EXPECT_EQ(schedule->stage(), LoadStage::kLeaving);
  run(seconds(1));
  EXPECT_EQ(counts.inside, 0U);
  counts.leaving = 1;  // who does not get an answer
  begin({.members = 10, .rate = 10, .fill_rate = 10});
  schedule->leave(now);
  run(LoadSchedule::kLeaveAtMost - seconds(1));
  EXPECT_EQ(schedule->stage(), LoadStage::kLeaving);
  run(seconds(2));
  EXPECT_EQ(schedule->stage(), LoadStage::kOver);
}

}  // namespace
}  // namespace alcove::client
