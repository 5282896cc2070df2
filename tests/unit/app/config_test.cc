#include "alcove/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace alcove::app {
namespace {

using testing::HasSubstr;
using testing::Not;

base::SocketAddress address(std::string_view text) { return parse_socket_address(text).value(); }

std::string problem_of(std::string_view toml) {
  Config config;
  const base::Result<void> result = apply_toml(config, toml, "alcove.toml");
  return result ? "" : result.error().message;
}

TEST(Config, HasDefaults) {
  const Config config;
  EXPECT_EQ(config.http.listen, (std::vector{address("127.0.0.1:8080"), address("[::1]:8080")}));
  EXPECT_EQ(config.media.port, 7878);
  EXPECT_EQ(config.media.threads, 0U);
  EXPECT_EQ(config.store.path, "./data/alcove.db");
  EXPECT_EQ(config.accounts.registration, Registration::kOpen);
  EXPECT_TRUE(config.accounts.guests);
  EXPECT_EQ(config.limits.members, 5000U);
  EXPECT_EQ(config.limits.rate_limit_factor, 1.0);
  EXPECT_FALSE(config.metrics.listen.has_value());
  EXPECT_TRUE(check(config));
}

TEST(Config, ReadsAFile) {
  Config config;
  const auto result = apply_toml(config, R"(
[http]
listen = ["[::1]:9000"]
allowed_origins = "https://example.org"
[media]
threads = 3
public_addresses = ["192.0.2.7", "2001:db8::7"]
[accounts]
registration = "invite"
guests = false
[limits]
rate_limit_factor = 50
[log]
level = "warning"
[metrics]
listen = "127.0.0.1:9464"
)",
                                 "alcove.toml");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(config.http.listen, std::vector{address("[::1]:9000")});
  EXPECT_EQ(config.http.allowed_origins, std::vector<std::string>{"https://example.org"});
  EXPECT_EQ(config.media.threads, 3U);
  EXPECT_EQ(config.media.public_addresses.size(), 2U);
  EXPECT_EQ(config.accounts.registration, Registration::kInvite);
  EXPECT_FALSE(config.accounts.guests);
  EXPECT_EQ(config.limits.rate_limit_factor, 50);
  EXPECT_EQ(config.log.level, base::LogLevel::kWarning);
  EXPECT_EQ(config.metrics.listen, address("127.0.0.1:9464"));
}

TEST(Config, NamesLineAndNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(problem_of("[media]\nport = 1\nthread = 2\n"),
            "alcove.toml:3: there is no key \"media.thread\"; did you mean \"media.threads\"?");
  EXPECT_THAT(problem_of("[mediaa]\nport = 1\n"), HasSubstr("alcove.toml:1: there is no key"));
  EXPECT_THAT(problem_of("[http]\nsomething_else_entirely_different_from_all = 1\n"),
              Not(HasSubstr("did you mean")));
  EXPECT_THAT(problem_of("port = 1\n"), HasSubstr("alcove.toml:1: "));
}

TEST(Config, NamesLineOfAWrongValue) {
  EXPECT_EQ(problem_of("[media]\n\nport = \"x\"\n"),
            "alcove.toml:3: media.port must be a whole number");
  EXPECT_THAT(problem_of("[media]\nport = 70000\n"), HasSubstr("from 0 to 65535"));
  EXPECT_THAT(problem_of("[http]\nlisten = [\"localhost\"]\n"), HasSubstr("\"localhost\""));
  EXPECT_THAT(problem_of("[http]\nlisten = [1]\n"), HasSubstr("a list of texts"));
  EXPECT_THAT(problem_of("[http]\nlisten = []\n"), HasSubstr("at least one"));
  EXPECT_THAT(problem_of("[accounts]\nregistration = \"maybe\"\n"), HasSubstr("\"invite\""));
  EXPECT_THAT(problem_of("[limits]\nrate_limit_factor = nan\n"), HasSubstr("more than 0"));
  EXPECT_THAT(problem_of("[http\n"), HasSubstr("alcove.toml:1: "));
  EXPECT_THAT(problem_of("http = 1\n"), HasSubstr("section"));
}

TEST(Config, ShowsAllProblemsAtOnceAndChangesNothing) {
  Config config;
  const auto result =
      apply_toml(config, "[media]\nport = 1\nthreads = -1\n[log]\nlevel = \"loud\"\n", "f");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("f:3: "));
  EXPECT_THAT(result.error().message, HasSubstr("f:5: "));
  EXPECT_EQ(config.media.port, 7878);
}

TEST(Config, EnvironmentOverrides) {
  Config config;
  const std::vector<std::pair<std::string, std::string>> variables = {
      {"ALCOVE_HTTP_LISTEN", "127.0.0.1:1, [::1]:2"},
      {"ALCOVE_HTTP_ALLOW_PLAIN", "true"},
      {"ALCOVE_LIMITS_RATE_LIMIT_FACTOR", "2.5"},
      {"ALCOVE_METRICS_LISTEN", "127.0.0.1:9464"},
      {"ALCOVE_BUILD_NUMBER", "7"},
      {"HOME", "/root"}};
  const auto result = apply_environment(config, variables);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(config.http.listen, (std::vector{address("127.0.0.1:1"), address("[::1]:2")}));
  EXPECT_TRUE(config.http.allow_plain);
  EXPECT_EQ(config.limits.rate_limit_factor, 2.5);
  EXPECT_TRUE(config.metrics.listen.has_value());
}

TEST(Config, EnvironmentWithATypingErrorIsRefused) {
  Config config;
  const std::vector<std::pair<std::string, std::string>> variables = {
      {"ALCOVE_MEDIA_PROT", "1"}, {"ALCOVE_MEDIA_PORT", "many"}};
  const auto result = apply_environment(config, variables);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("ALCOVE_MEDIA_PROT"));
  EXPECT_THAT(result.error().message, HasSubstr("ALCOVE_MEDIA_PORT: media.port must be"));
}

TEST(Config, RefusesPlainHttpBeyondThisMachine) {
  Config config;
  ASSERT_TRUE(apply_setting(config, "http.listen", "0.0.0.0:8080"));
  const auto refused = check(config);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("http.allow_plain"));
  ASSERT_TRUE(apply_setting(config, "http.allow_plain", "true"));
  EXPECT_TRUE(check(config));
  ASSERT_TRUE(apply_setting(config, "http.allow_plain", "false"));
  ASSERT_TRUE(apply_setting(config, "http.certificate", "c.pem"));
  EXPECT_THAT(check(config).error().message, HasSubstr("belong together"));
  ASSERT_TRUE(apply_setting(config, "http.key", "k.pem"));
  EXPECT_TRUE(check(config));
}

TEST(Config, ParsesAddressesAndDurations) {
  EXPECT_FALSE(parse_socket_address("::1:80"));
  EXPECT_FALSE(parse_socket_address("[127.0.0.1]:80"));
  EXPECT_FALSE(parse_socket_address("127.0.0.1"));
  EXPECT_FALSE(parse_socket_address("127.0.0.1:"));
  EXPECT_FALSE(parse_socket_address("127.0.0.1:65536"));
  EXPECT_FALSE(parse_socket_address("example.org:80"));
  EXPECT_EQ(parse_duration_seconds("7d"), 7 * 24 * 3600);
  EXPECT_EQ(parse_duration_seconds("90s"), 90);
  for (const char* bad : {"", "7", "d", "-1d", "0h", "7y", "99999999999999999999w", "600w"})
    EXPECT_FALSE(parse_duration_seconds(bad)) << bad;
}

// docs/configuration.md has a row for each key, with its default, and no other.
TEST(Config, IsDocumentedInFull) {
  std::ifstream file(ALCOVE_CONFIGURATION_MD);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(text.empty());
  std::size_t rows = 0;
  for (std::size_t at = text.find("\n| `"); at != std::string::npos;
       at = text.find("\n| `", at + 1))
    ++rows;
  EXPECT_EQ(rows, keys().size());
  for (const KeyDescription& key : keys()) {
    const std::string row =
        "\n| `" + std::string(key.name) + "` | `" + std::string(key.default_value) + "` | ";
    EXPECT_THAT(text, HasSubstr(row));
  }
}

}  // namespace
}  // namespace alcove::app
