// Logs checked from outside: the chain of a server, and a member's export.

#include "client/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "client/verify_input.h"
#include "support/room_log_fixture.h"
#include "support/simulated_room.h"

namespace alcove::client {
namespace {

using roomlog_test::RoomLog;
using testing::AllOf;
using testing::HasSubstr;

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    log_.found();
    log_.admit("Anna");
    log_.make_speaker("Anna");
    log_.admit("Bob");
    log_.admit("Carl");
    log_.write(log_.join("Host"), {roomlog_test::eject_op(log_.certificate("Bob"))},
               v1::ADVANCE_FRESH);
    log_.write(log_.join("Anna"), {});
    log_.admit("Dora");
  }

  base::RoomId room() const {
    return *base::RoomId::from_bytes(base::as_bytes(log_.genesis().body.room_id()));
  }
  v1::LogExport whole() const {
    v1::LogExport log;
    *log.mutable_genesis() = log_.genesis().object;
    for (const auto& written : log_.entries()) *log.add_entries() = written.entry.object;
    return log;
  }
  // As a member exports it that came after `count` entries and has the roster from `full` on.
  v1::LogExport from_the_middle(std::size_t count, std::optional<std::size_t> full) const {
    v1::LogExport log;
    *log.mutable_genesis() = log_.genesis().object;
    const std::size_t first = full ? *full - 1 : count;
    for (std::size_t i = 0; i < log_.entries().size(); ++i) {
      const auto& written = log_.entries()[i];
      if (i < first && written.entry_class.is_authority()) {
        *log.add_authority() = written.entry.object;
      } else if (i >= first && (full || i == first || written.entry_class.is_short())) {
        *log.add_entries() = written.entry.object;
      }
    }
    return log;
  }
  static std::vector<std::string> names(const VerifyReport& report) {
    std::vector<std::string> names;
    for (const MemberEvent& event : to_events(report)) names.push_back(event.name);
    return names;
  }
  static std::int64_t field(const VerifyReport& report, std::string_view event_name,
                            std::string_view name) {
    for (const MemberEvent& event : to_events(report))
      if (event.name == event_name) return std::get<std::int64_t>(*event.find(name));
    return -1;
  }
  static std::uint64_t first_problem(const VerifyReport& report) {
    return report.problems.empty() ? 0 : report.problems.front().n;
  }

  RoomLog log_;
};

TEST_F(VerifyTest, AChainYieldsTheStage) {
  const VerifyReport report = verify_chain(log_.chain(), room(), log_.room());
  ASSERT_TRUE(report.verified());
  EXPECT_TRUE(report.compared);
  ASSERT_TRUE(report.state);
  EXPECT_EQ(report.state->stage().size(), 2U);
  EXPECT_EQ(field(report, "log", "roster_size"), 3);
  EXPECT_EQ(names(report), (std::vector<std::string>{"room", "log", "stage_member", "stage_member",
                                                     "unchecked", "unchecked", "result"}));
}

TEST_F(VerifyTest, WithoutAFragmentTheRoomIsNotCompared) {
  const VerifyReport report = verify_chain(log_.chain(), room(), std::nullopt);
  EXPECT_TRUE(report.verified());
  EXPECT_FALSE(report.compared);
  EXPECT_EQ(report.unchecked.size(), 3U);
}

TEST_F(VerifyTest, AnEmptyRoomHasAChainToo) {
  const RoomLog empty;
  EXPECT_TRUE(verify_chain(empty.chain(), room(), empty.room()).verified());
}

TEST_F(VerifyTest, AnotherRoomIsRefused) {
  roomlog::Hash other = log_.room();
  other[0] ^= 1;
  EXPECT_FALSE(verify_chain(log_.chain(), room(), other).verified());
  EXPECT_FALSE(verify_chain(log_.chain(), base::RoomId(), std::nullopt).verified());
  EXPECT_FALSE(verify_chain(v1::LogChain(), room(), std::nullopt).verified());
}

TEST_F(VerifyTest, ALeftOutOrChangedEntryIsNamed) {
  v1::LogChain chain = log_.chain();
  chain.mutable_authority()->DeleteSubrange(1, 1);
  VerifyReport report = verify_chain(chain, room(), log_.room());
  EXPECT_FALSE(report.verified());
  EXPECT_EQ(first_problem(report), 6U);

  chain = log_.chain();
  chain.mutable_authority(1)->mutable_signature()->at(5) ^= 1;
  report = verify_chain(chain, room(), log_.room());
  EXPECT_FALSE(report.verified());
  EXPECT_EQ(first_problem(report), 3U);

  chain = log_.chain();
  chain.mutable_head()->mutable_signature()->at(5) ^= 1;
  report = verify_chain(chain, room(), log_.room());
  EXPECT_FALSE(report.verified());
  EXPECT_EQ(first_problem(report), 7U);
}

TEST_F(VerifyTest, AnExportFromTheBeginningIsCheckedCompletely) {
  const VerifyReport report = verify_export(whole());
  ASSERT_TRUE(report.verified());
  EXPECT_EQ(report.complete_from, 1U);
  EXPECT_EQ(report.counts.entries, 8U);
  EXPECT_EQ(report.counts.admitted, 5U);
  EXPECT_EQ(report.counts.ejected, 1U);
  EXPECT_EQ(report.counts.departed, 0U);
  EXPECT_EQ(report.state->roster().size(), 4U);
  EXPECT_EQ(report.state->n(), 8U);
}

TEST_F(VerifyTest, AnExportFromTheMiddleIsCompleteFromItsRosterOn) {
  v1::LogExport log = from_the_middle(4, 5);
  RoomLog before;
  before.found();
  before.admit("Anna");
  before.make_speaker("Anna");
  before.admit("Bob");
  before.admit("Carl");
  for (const roomlog::Certificate& certificate : before.roster())
    *log.add_roster() = certificate.object;
  VerifyReport report = verify_export(log);
  ASSERT_TRUE(report.verified()) << report.problems[0].n << report.problems[0].message;
  EXPECT_EQ(report.complete_from, 5U);
  EXPECT_EQ(report.state->roster().size(), 4U);

  log.mutable_roster()->DeleteSubrange(0, 1);
  report = verify_export(log);
  EXPECT_FALSE(report.verified());
}

TEST_F(VerifyTest, AListenersExportIsCheckedAlongTheShortPath) {
  const VerifyReport report = verify_export(from_the_middle(4, std::nullopt));
  ASSERT_TRUE(report.verified()) << report.problems[0].n << report.problems[0].message;
  EXPECT_EQ(report.complete_from, 0U);
  EXPECT_EQ(report.state->n(), 7U);
  EXPECT_EQ(report.state->stage().size(), 2U);
}

TEST_F(VerifyTest, EveryChangedEntryOfAnExportIsFound) {
  for (int i = 0; i < 8; ++i) {
    v1::LogExport log = whole();
    log.mutable_entries(i)->mutable_signature()->at(9) ^= 1;
    VerifyReport report = verify_export(log);
    EXPECT_FALSE(report.verified());
    EXPECT_EQ(first_problem(report), static_cast<std::uint64_t>(i + 1));

    if (i == 7) continue;  // that a log ends early cannot be seen in it
    log = whole();
    log.mutable_entries()->DeleteSubrange(i, 1);
    report = verify_export(log);
    EXPECT_FALSE(report.verified());
    EXPECT_EQ(first_problem(report), static_cast<std::uint64_t>(i + 2));
  }
}

TEST_F(VerifyTest, WhatIsNoLogIsNotVerified) {
  EXPECT_FALSE(verify_export(v1::LogExport()).verified());
  v1::LogExport log = whole();
  log.mutable_entries(2)->set_body("nonsense");
  log.mutable_entries(5)->clear_signature();
  const VerifyReport report = verify_export(log);
  ASSERT_EQ(report.problems.size(), 2U);
  EXPECT_EQ(report.problems[1].n, 6U);
  EXPECT_EQ(names(report).back(), "result");
}

TEST_F(VerifyTest, AnExportSaysThatItsEndIsNotProven) {
  const auto says_so = [](const VerifyReport& report) {
    return std::ranges::any_of(report.unchecked, [](const std::string& what) {
      return what.find("newest entries") != std::string::npos;
    });
  };
  EXPECT_TRUE(says_so(verify_export(whole())));
  EXPECT_FALSE(says_so(verify_chain(log_.chain(), room(), log_.room())));
}

TEST(VerifyInput, WithoutALinkBothWaysAreNamed) {
  for (const char* text : {"", "room.log", "/tmp/room.log"}) {
    const auto link = parse_verify_link(text);
    ASSERT_FALSE(link) << text;
    EXPECT_THAT(link.error().message, AllOf(HasSubstr("link"), HasSubstr("--log FILE"))) << text;
  }
  EXPECT_FALSE(parse_verify_link("http://example.org/"));
  EXPECT_TRUE(parse_verify_link("http://example.org/r/AAAAAAAAAAAAAAAAAAAAAA"));
}

TEST(VerifyInput, WithoutAnAnswerTheServerAndTheReasonAreNamed) {
  const ServerAddress server{false, "example.org", 8080};
  const auto message = [&](const base::Result<HttpAnswer>& answer) {
    const auto chain = parse_log_answer(server, answer);
    return chain ? std::string() : chain.error().message;
  };
  EXPECT_THAT(message(base::fail(base::ErrorCode::kUnavailable, "Connection refused")),
              AllOf(HasSubstr("http://example.org:8080"), HasSubstr("Connection refused"),
                    HasSubstr("Check the link's host and port")));
  EXPECT_THAT(message(HttpAnswer{404, "text/html", "<h1>"}),
              AllOf(HasSubstr("not an Alcove server"), HasSubstr("404")));
  EXPECT_THAT(message(HttpAnswer{200, "text/html", "<h1>"}), HasSubstr("not an Alcove server"));
  EXPECT_THAT(message(HttpAnswer{502, "text/html", "<h1>"}), HasSubstr("try again later"));
  v1::ErrorResponse error;
  error.set_code("not_found");
  error.set_message("There is no such room.");
  EXPECT_THAT(message(HttpAnswer{404, std::string(kProtobufType), error.SerializeAsString()}),
              AllOf(HasSubstr("There is no such room."), HasSubstr("--log FILE")));
}

TEST_F(VerifyTest, WhatIsNoExportIsSaidSoWithTheCommandThatMakesOne) {
  const std::string good = whole().SerializeAsString();
  EXPECT_TRUE(parse_log_export("a.log", good));
  for (const std::string& content :
       {std::string(), std::string("a text"), good.substr(0, good.size() - 5)}) {
    const auto log = parse_log_export("a.log", content);
    ASSERT_FALSE(log);
    EXPECT_THAT(log.error().message, AllOf(HasSubstr("a.log"), HasSubstr("export-log FILE")));
  }
}

TEST(VerifyOfAMember, AnExportOfWhoSteppedDownIsValid) {
  simulation::Room room(3, 1);
  ASSERT_TRUE(room.keys(1).set_role(room.now, room.wall(), room.leaf(1), v1::ROLE_LISTENER));
  room.drain(1);
  room.run_for(base::seconds(2));
  const simulation::Who late = room.add_person("late");  // an entry that is not of the short path
  room.join(late);
  room.run_for(base::seconds(20));
  ASSERT_TRUE(room.keys(late).admitted());
  const VerifyReport report = verify_export(room.keys(1).export_log());
  EXPECT_TRUE(report.verified()) << testing::PrintToString(report.problems.size());
}

}  // namespace
}  // namespace alcove::client
