#include "alcove/manifest_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "alcove/manifest_command.h"
#include "policy/manifest.h"
#include "unit/net/temporary_directory.h"

namespace alcove::app {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

base::IpAddress ip(std::string_view text) { return *base::IpAddress::parse(text); }

class ManifestKeeperTest : public testing::Test {
 protected:
  ManifestKeeperTest() { config_.store.path = (folder_.path() / "alcove.db").string(); }

  using Opened = base::Result<std::unique_ptr<ManifestKeeper>>;
  Opened open() {
    return ManifestKeeper::open(
        config_, random_,
        [this](const std::string& name) -> base::Result<std::vector<base::IpAddress>> {
          const auto found = names_.find(name);
          if (found == names_.end()) return base::fail(base::ErrorCode::kNotFound, "unknown");
          return std::vector{ip(found->second)};
        });
  }
  static KnownEndpoints known() {
    return {.listen = {{ip("0.0.0.0"), 443}},
            .interfaces = {ip("198.51.100.7"), ip("127.0.0.1")},
            .host_name = "studio",
            .web_files = {},
            .software = "alcove 0.1.0"};
  }
  static std::vector<policy::RelayCandidate> relays(const std::string& address = "198.51.100.7") {
    return {{{ip(address), 7878}, policy::Transport::kUdp}};
  }
  // A start of the server; the log's size after it, or what is wrong.
  std::string start(const KnownEndpoints& endpoints = known(),
                    const std::string& relay = "198.51.100.7") {
    Opened keeper = open();
    if (!keeper) return keeper.error().message;
    base::Result<void> done = (*keeper)->admit(relays(relay));
    if (done) done = (*keeper)->publish(endpoints, now_ += 1000);
    if (!done) return done.error().message;
    promises_ = (*keeper)->promises();
    key_hash_ = (*keeper)->key_hash();
    torn_ = (*keeper)->log_was_torn();
    return std::to_string(promises_.log.size());
  }
  void write_policy(const std::string& text) {
    config_.policy.file = (folder_.path() / "policy.toml").string();
    std::ofstream(config_.policy.file) << text;
  }
  v1::Manifest manifest() const {
    const auto verified = policy::verify_manifest(promises_.manifest);
    EXPECT_TRUE(verified) << verified.error().message;
    return verified->manifest;
  }
  std::string read(const fs::path& path) {
    return read_small_file(path, 1 << 20).value_or("(not there)");
  }

  net::TemporaryDirectory folder_;
  Config config_;
  base::SeededRandom random_{1};
  std::map<std::string, std::string> names_;
  std::int64_t now_ = 1'700'000'000'000;
  control::Promises promises_;
  std::string key_hash_;
  bool torn_ = false;
};

TEST_F(ManifestKeeperTest, TheFirstStartMakesKeyAndLog) {
  EXPECT_EQ(start(), "1");
  const ManifestPaths paths = manifest_paths(config_);
  struct stat status{};
  ASSERT_EQ(stat(paths.key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  policy::TransparencyLog log;
  const auto entry = log.append(promises_.log[0]);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->kind(), v1::TransparencyEntry::KIND_KEY);
  EXPECT_EQ(base::as_text(log.head().key), promises_.manifest.key());
  EXPECT_EQ(log.head().manifest, crypto::sha256(base::as_bytes(promises_.manifest.manifest())));
  EXPECT_EQ(key_hash_, base::as_text(policy::manifest_key_hash(log.head().key)));
  EXPECT_EQ(manifest().serial(), 1U);
  EXPECT_NE(policy::find_house(manifest(), "studio"), nullptr);
}

TEST_F(ManifestKeeperTest, AnotherStartChangesNothing) {
  EXPECT_EQ(start(), "1");
  const std::string before = promises_.manifest.SerializeAsString();
  EXPECT_EQ(start(), "1");
  EXPECT_EQ(promises_.manifest.SerializeAsString(), before);
}

TEST_F(ManifestKeeperTest, EachChangeIsAnEntry) {
  EXPECT_EQ(start(), "1");
  KnownEndpoints more = known();
  more.web_files.emplace_back().set_path("/index.html");
  more.web_files.back().set_sha256(std::string(32, 'h'));
  EXPECT_EQ(start(more), "2");
  EXPECT_EQ(manifest().serial(), 2U);
  write_policy("[addresses]\ndeny = [\"203.0.113.0/24\"]\n");
  EXPECT_EQ(start(more), "3");
  EXPECT_EQ(manifest().policy_toml(), "[addresses]\ndeny = [\"203.0.113.0/24\"]\n");
  EXPECT_EQ(start(more, "198.51.100.8"), "4");
  policy::TransparencyLog log;
  std::string summaries;
  for (const v1::SignedTransparencyEntry& entry : promises_.log)
    summaries += log.append(entry)->summary() + "\n";
  EXPECT_EQ(summaries,
            "the log begins\nweb files changed, now 1\nthe policy changed\n"
            "relay udp 198.51.100.8 port 7878 added; relay udp 198.51.100.7 port 7878 removed\n");
  // Without the last manifest nothing can be compared.
  fs::remove(manifest_paths(config_).manifest);
  EXPECT_EQ(start(more, "198.51.100.8"), "5");
  EXPECT_EQ(manifest().serial(), 5U);
}

TEST_F(ManifestKeeperTest, ADeniedEndpointRefusesTheStart) {
  write_policy("[addresses]\ndeny = [\"203.0.113.0/24\"]\n");
  EXPECT_THAT(start(known(), "203.0.113.5"),
              testing::AllOf(HasSubstr("203.0.113.5"), HasSubstr("against the policy"),
                             HasSubstr("media.public_addresses")));
  KnownEndpoints denied = known();
  denied.listen = {{ip("203.0.113.9"), 443}};
  EXPECT_THAT(start(denied), testing::AllOf(HasSubstr("203.0.113.9"), HasSubstr("http.listen")));
  ASSERT_TRUE(apply_setting(config_, "http.public_hosts", "alcove.example"));
  names_["alcove.example"] = "203.0.113.10";
  EXPECT_THAT(start(), testing::AllOf(HasSubstr("alcove.example"), HasSubstr("203.0.113.10")));
  names_["alcove.example"] = "198.51.100.10";
  EXPECT_EQ(start(), "1");
  ASSERT_TRUE(apply_setting(config_, "http.public_hosts", "alcove.example=203.0.113.11"));
  EXPECT_THAT(start(), HasSubstr("203.0.113.11"));
  ASSERT_TRUE(apply_setting(config_, "http.public_hosts", "[::ffff:203.0.113.12]"));
  EXPECT_THAT(start(), HasSubstr("203.0.113.12"));
}

TEST_F(ManifestKeeperTest, ANameThatCannotBeResolvedIsAWarningWithoutRules) {
  ASSERT_TRUE(apply_setting(config_, "http.public_hosts", "alcove.example"));
  const Opened keeper = open();
  ASSERT_TRUE((*keeper)->publish(known(), now_));
  ASSERT_EQ((*keeper)->warnings().size(), 1U);
  EXPECT_THAT((*keeper)->warnings()[0], HasSubstr("alcove.example"));
}

TEST_F(ManifestKeeperTest, APolicyThatNeedsADatabaseSaysSo) {
  write_policy("[location]\ndeny = [\"CN\"]\n");
  EXPECT_THAT(start(), testing::AllOf(HasSubstr("policy.databases"), HasSubstr("docs/policy.md")));
  config_.policy.databases = {(folder_.path() / "missing.mmdb").string()};
  EXPECT_THAT(start(), HasSubstr("missing.mmdb"));
  write_policy("[location]\ndney = [\"CN\"]\n");
  EXPECT_THAT(start(), HasSubstr("policy.toml"));
  config_.policy.file += ".not-there";
  EXPECT_THAT(start(), HasSubstr("policy.file"));
}

TEST_F(ManifestKeeperTest, ReloadTakesThePolicyOrKeepsTheOld) {
  write_policy("[addresses]\ndeny = [\"203.0.113.0/24\"]\n");
  const Opened keeper = open();
  ASSERT_TRUE((*keeper)->admit(relays()));
  ASSERT_TRUE((*keeper)->publish(known(), now_));
  const control::Promises before = (*keeper)->promises();
  write_policy("[addresses]\ndeny = [\"198.51.100.0/24\"]\n");
  const auto refused = (*keeper)->reload(now_ + 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("198.51.100.7"));
  EXPECT_EQ((*keeper)->promises().gate, before.gate);
  EXPECT_EQ((*keeper)->promises().log.size(), 1U);
  write_policy("not toml");
  EXPECT_FALSE((*keeper)->reload(now_ + 2));
  write_policy("[addresses]\ndeny = [\"203.0.113.0/25\"]\n");
  ASSERT_TRUE((*keeper)->reload(now_ + 3));
  const control::Promises after = (*keeper)->promises();
  EXPECT_NE(after.gate, before.gate);
  EXPECT_EQ(after.gate->admitted().size(), 1U) << "the relay is let in again";
  EXPECT_EQ(after.log.size(), 2U);
  EXPECT_TRUE(after.gate->check(ip("203.0.113.200")).allowed);
}

TEST_F(ManifestKeeperTest, ATornLastLineIsTakenAway) {
  EXPECT_EQ(start(), "1");
  const fs::path log = manifest_paths(config_).log;
  const std::string whole = read(log);
  for (const std::string& torn :
       {std::string("{\"entry\":\"AA"), whole.substr(0, whole.size() - 1)}) {
    std::ofstream(log, std::ios::app) << torn;
    EXPECT_EQ(start(), "1");
    EXPECT_TRUE(torn_);
    EXPECT_EQ(read(log), whole);
  }
  EXPECT_EQ(start(), "1");
  EXPECT_FALSE(torn_);
}

TEST_F(ManifestKeeperTest, ABrokenChainRefusesTheStart) {
  EXPECT_EQ(start(), "1");
  EXPECT_EQ(start(known(), "198.51.100.8"), "2");
  const fs::path log = manifest_paths(config_).log;
  const std::string whole = read(log);
  const std::size_t second = whole.find('\n') + 1;
  std::string flipped = whole;
  flipped[20] = flipped[20] == 'A' ? 'B' : 'A';
  for (const std::string& broken :
       {whole.substr(second), whole + whole.substr(second), flipped, "x\n" + whole, "\n" + whole}) {
    std::ofstream(log, std::ios::trunc) << broken;
    EXPECT_THAT(start(), testing::AllOf(HasSubstr("is broken"), HasSubstr("from a copy")));
  }
  std::ofstream(log, std::ios::trunc) << whole;
  EXPECT_EQ(start(known(), "198.51.100.8"), "2");
}

TEST_F(ManifestKeeperTest, ALogThatIsGoneDoesNotBeginAnewUnderItsKey) {
  EXPECT_EQ(start(), "1");
  const ManifestPaths paths = manifest_paths(config_);
  const std::string log = read(paths.log);
  fs::remove(paths.log);
  EXPECT_THAT(start(), HasSubstr("put the log back"));
  std::ofstream(paths.log, std::ios::trunc) << log;
  EXPECT_EQ(start(), "1");
}

TEST_F(ManifestKeeperTest, TheKeyIsTheOneThatTheLogNames) {
  EXPECT_EQ(start(), "1");
  const ManifestPaths paths = manifest_paths(config_);
  const std::string key = read(paths.key);
  fs::remove(paths.key);
  EXPECT_THAT(start(), HasSubstr("is not there"));
  ASSERT_TRUE(make_key(paths.key, random_));
  EXPECT_THAT(start(), HasSubstr("rotate-key"));
  std::ofstream(paths.key, std::ios::trunc) << "nonsense\n";
  EXPECT_THAT(start(), HasSubstr("not a key"));
  std::ofstream(paths.key, std::ios::trunc) << key;
  EXPECT_EQ(start(), "1");
  fs::permissions(paths.key, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(start(), HasSubstr("chmod 600"));
}

TEST_F(ManifestKeeperTest, OneProgramAtATime) {
  const Opened first = open();
  ASSERT_TRUE(first);
  EXPECT_THAT(start(), HasSubstr("already running"));
  EXPECT_EQ(rotate_manifest_key(config_, random_, now_), 1);
}

TEST_F(ManifestKeeperTest, TheOldKeyNamesTheNewOne) {
  EXPECT_EQ(rotate_manifest_key(config_, random_, now_), 1) << "there is none yet";
  EXPECT_EQ(start(), "1");
  const v1::SignedManifest before = promises_.manifest;
  const std::string old_hash = key_hash_;
  const ManifestPaths paths = manifest_paths(config_);
  const std::string old_key = read(paths.key);
  EXPECT_EQ(rotate_manifest_key(config_, random_, now_), 0);
  EXPECT_EQ(read(paths.key.string() + ".old-2"), old_key);
  EXPECT_EQ(start(), "2") << "the manifest itself is the same";
  EXPECT_NE(key_hash_, old_hash);
  EXPECT_EQ(promises_.manifest.manifest(), before.manifest());
  EXPECT_NE(promises_.manifest.key(), before.key());
  EXPECT_EQ(show_manifest(config_), 0);
  // Cut off between the log and the file.
  std::ofstream(paths.key, std::ios::trunc) << old_key;
  EXPECT_THAT(start(), HasSubstr("rotate-key"));
}

TEST_F(ManifestKeeperTest, ARotationThatWasCutOffIsEnded) {
  EXPECT_EQ(start(), "1");
  const ManifestPaths paths = manifest_paths(config_);
  const fs::path copy = folder_.path() / "copy";
  fs::copy_file(paths.key, copy);
  EXPECT_EQ(rotate_manifest_key(config_, random_, now_), 0);
  const std::string next = read(paths.key);
  fs::rename(paths.key, paths.next_key);
  fs::rename(copy, paths.key);
  EXPECT_EQ(start(), "2");
  EXPECT_EQ(read(paths.key), next);
}

}  // namespace
}  // namespace alcove::app
