#include "base/log.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace alcove::base {
namespace {

std::vector<std::string> g_lines;

class Log : public testing::Test {
 protected:
  void SetUp() override {
    g_lines.clear();
    set_log_level(LogLevel::kInfo);
    set_log_sink([](LogLevel, std::string_view line) { g_lines.emplace_back(line); });
  }
  void TearDown() override { set_log_sink(nullptr); }
};

TEST_F(Log, WritesEveryKindOfField) {
  log(LogLevel::kInfo, "room-opened",
      {{"members", 3U}, {"open", true}, {"load", 0.25}, {"kind", "social"}, {"delta", -7}});
  ASSERT_EQ(g_lines.size(), 1U);
  EXPECT_EQ(g_lines[0], "info room-opened members=3 open=true load=0.25 kind=\"social\" delta=-7");
}

TEST_F(Log, LevelsFilter) {
  log(LogLevel::kDebug, "quiet");
  log(LogLevel::kWarning, "loud");
  set_log_level(LogLevel::kError);
  log(LogLevel::kWarning, "quiet");
  log(LogLevel::kError, "last");
  EXPECT_EQ(g_lines, (std::vector<std::string>{"warning loud", "error last"}));
}

TEST_F(Log, NoSinkNoLine) {
  set_log_sink(nullptr);
  log(LogLevel::kError, "nobody-hears");
  EXPECT_TRUE(g_lines.empty());
}

// Text from outside must not compile as a field, in whatever form it comes.
static_assert(!std::is_constructible_v<LogField, Literal, std::string>);
static_assert(!std::is_constructible_v<LogField, Literal, std::string_view>);
static_assert(!std::is_constructible_v<LogField, Literal, const void*>);
static_assert(!std::is_constructible_v<Literal, std::string>);
static_assert(std::is_constructible_v<LogField, Literal, std::uint8_t>);
static_assert(std::is_constructible_v<LogField, Literal, std::int64_t>);

}  // namespace
}  // namespace alcove::base
