// Files that are read and written as a whole, on a real disk.

#include "client/whole_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace alcove::client {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class WholeFileTest : public testing::Test {
 protected:
  WholeFileTest()
      : directory_(std::filesystem::path(testing::TempDir()) /
                   ("alcove-whole-file-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(directory_);
  }
  ~WholeFileTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const char* name = "a") const { return (directory_ / name).string(); }
  auto files() const { return std::distance(std::filesystem::directory_iterator(directory_), {}); }

  std::filesystem::path directory_;
};

TEST_F(WholeFileTest, IsReadAsItWasWrittenAndForItsOwnerAlone) {
  const std::string content(200000, 'x');
  ASSERT_TRUE(write_whole_file(path(), content, IfThere::kKeep));
  EXPECT_EQ(read_whole_file(path(), content.size()), content);
  struct stat status{};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(files(), 1);
}

TEST_F(WholeFileTest, IsReplacedOrKept) {
  ASSERT_TRUE(write_whole_file(path(), "first", IfThere::kReplace));
  const auto kept = write_whole_file(path(), "second", IfThere::kKeep);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_whole_file(path(), 100), "first");
  ASSERT_TRUE(write_whole_file(path(), "third", IfThere::kReplace));
  EXPECT_EQ(read_whole_file(path(), 100), "third");
  EXPECT_EQ(files(), 1);
}

// Whoever may write into the directory could lay a link at a name that is known beforehand.
TEST_F(WholeFileTest, WritesThroughNoLinkThatOthersLaid) {
  ASSERT_TRUE(write_whole_file(path("target"), "mine", IfThere::kReplace));
  const std::string predictable = path() + "." + std::to_string(getpid()) + ".new";
  std::filesystem::create_symlink(path("target"), predictable);
  ASSERT_TRUE(write_whole_file(path(), "new", IfThere::kReplace));
  EXPECT_EQ(read_whole_file(path("target"), 100), "mine");
}

TEST_F(WholeFileTest, OnlyAFileIsReplaced) {
  const auto refused = write_whole_file("/dev/null", "x", IfThere::kReplace);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(write_whole_file(directory_.string(), "x", IfThere::kReplace));
  EXPECT_FALSE(write_whole_file(directory_.string(), "x", IfThere::kKeep));
}

TEST_F(WholeFileTest, ErrorsNameTheFileAndTheReason) {
  const auto missing = read_whole_file(path("missing"), 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message,
            path("missing") + " cannot be read: No such file or directory.");
  const auto directory = read_whole_file(directory_.string(), 10);
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr("Is a directory"));
  ASSERT_TRUE(write_whole_file(path(), "12345678901", IfThere::kReplace));
  const auto long_one = read_whole_file(path(), 10);
  ASSERT_FALSE(long_one);
  EXPECT_THAT(long_one.error().message, HasSubstr("longer than 10 bytes"));
  const auto nowhere = write_whole_file(path("no/where"), "x", IfThere::kKeep);
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace alcove::client
