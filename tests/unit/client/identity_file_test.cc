// The identity's file, and the devices that were met before.

#include "client/identity_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "client/known_devices.h"

namespace alcove::client {
namespace {

class IdentityFileTest : public testing::Test {
 protected:
  IdentityFileTest()
      : directory_(std::filesystem::path(testing::TempDir()) /
                   ("alcove-identity-" + std::to_string(getpid()))) {}
  ~IdentityFileTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return (directory_ / "identities" / "a").string(); }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::filesystem::create_directories(directory_ / "identities");
    std::ofstream(path()) << text;
    chmod(path().c_str(), mode);
  }

  std::filesystem::path directory_;
  base::SeededRandom random_{1};
};

TEST_F(IdentityFileTest, IsMadeOnceForItsOwnerAlone) {
  const auto made = load_or_make_identity(path(), random_);
  ASSERT_TRUE(made);
  const auto again = load_or_make_identity(path(), random_);
  ASSERT_TRUE(again);
  EXPECT_EQ(*made, *again);
  struct stat status{};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_ / "identities"), {}), 1);
}

TEST_F(IdentityFileTest, IsRefusedWhenOthersCanReadIt) {
  ASSERT_TRUE(load_or_make_identity(path(), random_));
  chmod(path().c_str(), 0640);
  const auto refused = load_or_make_identity(path(), random_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kFailedPrecondition);
}

TEST_F(IdentityFileTest, IsNeverWrittenOver) {
  for (const char* text : {"", "alcove identity 1 ", "alcove identity 1 AAAA\n", "-----BEGIN"}) {
    write(text);
    const auto refused = load_or_make_identity(path(), random_);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(std::filesystem::file_size(path()), std::string(text).size());
  }
}

TEST_F(IdentityFileTest, ADirectoryThatCannotBeIsSaidSo) {
  write("alcove");
  EXPECT_FALSE(load_or_make_identity(path() + "/below", random_));
}

TEST(IdentityPath, IsOneForEachAccountAndServer) {
  const ServerAddress server{true, "example.org", 443};
  EXPECT_EQ(identity_path("/d", server, "Anna"), "/d/identities/example.org_443_anna");
  EXPECT_EQ(identity_path("/d", server, "../x"), "/d/identities/example.org_443_..%2fx");
  EXPECT_EQ(identity_path("/d", {false, "::1", 8080}, "a"), "/d/identities/%3a%3a1_8080_a");
}

TEST(DataDirectory, FollowsTheEnvironment) {
  EXPECT_EQ(data_directory("/data", "/home/anna"), "/data/alcove");
  EXPECT_EQ(data_directory("relative", "/home/anna"), "/home/anna/.local/share/alcove");
  EXPECT_EQ(data_directory(nullptr, "/home/anna"), "/home/anna/.local/share/alcove");
  EXPECT_EQ(data_directory(nullptr, nullptr), "");
}

crypto::Ed25519PublicKey key(std::uint8_t number) {
  crypto::Ed25519PublicKey key{};
  key[0] = number;
  return key;
}

TEST(KnownDevices, TellsNewKnownAndChanged) {
  KnownDevices devices;
  EXPECT_FALSE(devices.changed());
  EXPECT_EQ(devices.look("https://a", "1", key(1), "Anna"), DeviceState::kNew);
  EXPECT_EQ(devices.look("https://a", "1", key(1), "Anna"), DeviceState::kKnown);
  EXPECT_EQ(devices.look("https://b", "1", key(2), "Anna"), DeviceState::kNew);
  EXPECT_EQ(devices.look("https://a", "1", key(2), "Anna"), DeviceState::kChanged);
  EXPECT_EQ(devices.look("https://a", "1", key(2), "Anna"), DeviceState::kKnown);
  EXPECT_EQ(devices.look("https://a", "1", key(1), "Anna"), DeviceState::kKnown);
  EXPECT_TRUE(devices.changed());
}

TEST(KnownDevices, AreTheSameAfterTheFile) {
  KnownDevices devices;
  devices.look("https://a", "1", key(1), "Anna\nhttps://a 2 x");
  devices.look("https://a", "1", key(2), "Anna");
  KnownDevices read = KnownDevices::parse(devices.text() + "nonsense\nhttps://a 3 AAAA Bob\n\n");
  EXPECT_EQ(read.text(), devices.text());
  EXPECT_FALSE(read.changed());
  EXPECT_EQ(read.look("https://a", "1", key(2), "Anna"), DeviceState::kKnown);

  KnownDevices other;
  other.look("https://a", "7", key(7), "Gail");
  read.merge(other);
  EXPECT_EQ(read.look("https://a", "7", key(7), "Gail"), DeviceState::kKnown);
}

TEST(KnownDevices, AreBounded) {
  KnownDevices devices;
  for (std::uint8_t i = 0; i < 100; ++i) devices.look("https://a", "1", key(i), "Anna");
  EXPECT_EQ(devices.look("https://a", "1", key(99), "Anna"), DeviceState::kKnown);
  EXPECT_EQ(devices.look("https://a", "1", key(0), "Anna"), DeviceState::kChanged);
  for (std::size_t i = 0; i < KnownDevices::kMaxAccounts + 10; ++i)
    devices.look("https://b", std::to_string(i), key(1), "Bob");
  const std::string text = devices.text();
  EXPECT_EQ(std::ranges::count(text, '\n'),
            static_cast<std::ptrdiff_t>(KnownDevices::kMaxAccounts + KnownDevices::kMaxKeys - 1));
}

}  // namespace
}  // namespace alcove::client
