// What only a file on a disk can do: persist, be from the future, be damaged, be locked, be full.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "store/store.h"

namespace alcove::store {
namespace {

using base::ErrorCode;
using base::WallTime;

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "alcove_sqlite_XXXXXX").string();
    CHECK(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    path_ = (folder_ / "a database.db").string();
  }
  ~SqliteTest() override { std::filesystem::remove_all(folder_); }

  base::Result<std::unique_ptr<Store>> open() {
    return open_sqlite(path_, {.busy_timeout = std::chrono::milliseconds(1), .connections = 2});
  }
  Account account(const std::string& username) {
    return {.id = base::AccountId::make(random_), .username = username, .display_name = username};
  }
  // Another process's connection to the same file.
  void execute(const char* statement) {
    if (other_ == nullptr) CHECK(sqlite3_open(path_.c_str(), &other_) == SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other_, statement, nullptr, nullptr, nullptr), SQLITE_OK);
  }
  void close_other() { sqlite3_close(std::exchange(other_, nullptr)); }

  std::filesystem::path folder_;
  std::string path_;
  sqlite3* other_ = nullptr;
  base::SeededRandom random_{3};
};

TEST_F(SqliteTest, KeepsWhatItHas) {
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->create_account(account("ada"), std::nullopt));
  }
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->find_account_by_username("ada")->has_value());
}

TEST_F(SqliteTest, TheFileIsItsOwnersOnly) {
  auto store = open();
  ASSERT_TRUE(store);
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(SqliteTest, RefusesADatabaseFromTheFuture) {
  ASSERT_TRUE(open());
  execute("INSERT INTO schema_version (version) VALUES (9999)");
  close_other();
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_NE(store.error().message.find("9999"), std::string::npos);
}

TEST_F(SqliteTest, ReportsADamagedFile) {
  std::ofstream(path_) << std::string(4096, 'x');
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kInternal);
  EXPECT_NE(store.error().message.find("damaged"), std::string::npos);
}

TEST_F(SqliteTest, ReportsDamageFoundLater) {
  {
    auto store = open();
    ASSERT_TRUE(store);
    for (int i = 0; i < 200; ++i)
      ASSERT_TRUE((*store)->create_account(account("u" + std::to_string(i)), std::nullopt));
  }
  {
    // Every page but the first two becomes noise.
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = std::filesystem::file_size(path_);
    file.seekp(8192);
    file << std::string(size - 8192, '\xa5');
  }
  auto store = open();
  const auto found = store ? (*store)->find_account_by_username("u7")
                           : base::Result<std::optional<Account>>(std::unexpected(store.error()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kInternal);
}

TEST_F(SqliteTest, ReportsAPathThatCannotBeOpened) {
  EXPECT_EQ(open_sqlite((folder_ / "missing" / "a.db").string()).error().code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(open_sqlite("").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(open_sqlite("a\"b").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SqliteTest, ALockedDatabaseIsUnavailableAndThenWorksAgain) {
  auto store = open();
  ASSERT_TRUE(store);
  execute("BEGIN IMMEDIATE");
  const Account ada = account("ada");
  const auto locked = (*store)->create_account(ada, std::nullopt);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE((*store)->find_account(ada.id)) << "reading goes on";
  execute("ROLLBACK");
  close_other();
  EXPECT_TRUE((*store)->create_account(ada, std::nullopt));
}

TEST_F(SqliteTest, AFullDiskIsUnavailableAndThenWorksAgain) {
  auto store = open();
  ASSERT_TRUE(store);
  // No file may grow beyond 256 KiB: what a full disk looks like to SQLite.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{262'144, before.rlim_max};
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  base::Result<void> result;
  for (int i = 0; i < 1000 && result; ++i)
    result = (*store)->create_account(account("u" + std::to_string(i)), std::nullopt);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE((*store)->create_account(account("later"), std::nullopt));
  EXPECT_TRUE((*store)->find_account_by_username("u1")->has_value());
}

TEST_F(SqliteTest, ForeignKeysAreInForce) {
  auto store = open();
  ASSERT_TRUE(store);
  const Session orphan{.id = base::SessionId::make(random_),
                       .account = base::AccountId::make(random_)};
  EXPECT_FALSE((*store)->create_session(orphan));
}

TEST_F(SqliteTest, HoldsNoAddressMailOrTelephone) {
  ASSERT_TRUE(open());
  std::ifstream file(path_, std::ios::binary);
  const std::string schema((std::istreambuf_iterator<char>(file)), {});
  for (const char* word : {"mail", "phone", "address", "ip_"})
    EXPECT_EQ(schema.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace alcove::store
