#include "net/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "temporary_directory.h"

namespace alcove::net {
namespace {

std::string header_of(const StaticResponse& response, std::string_view name) {
  const auto found =
      std::ranges::find(response.headers, name, &std::pair<std::string_view, std::string>::first);
  return found == response.headers.end() ? "" : found->second;
}

class StaticFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_.write("index.html", "<p>hello</p>");
    directory_.write("index.html.gz", "GZ");
    directory_.write("index.html.br", "BR");
    directory_.write("assets/app-1a2b.js", "code");
    directory_.write("favicon.svg", "<svg/>");
    directory_.write("orphan.br", "x");
    std::filesystem::create_symlink("/etc/passwd", directory_.path() / "passwd");
    base::Result<StaticFiles> loaded = StaticFiles::load(directory_.path());
    ASSERT_TRUE(loaded);
    files_ = std::move(*loaded);
  }
  StaticResponse get(std::string_view path, std::string_view encoding = "",
                     std::string_view etag = "") const {
    return files_.respond({"GET", path, encoding, etag});
  }

  TemporaryDirectory directory_;
  StaticFiles files_;
};

TEST_F(StaticFilesTest, ServesTheAppAtItsRoutes) {
  for (const char* path : {"/", "/index.html", "/r/abcdef", "/login", "/login/x", "/register"}) {
    const StaticResponse response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, "<p>hello</p>");
    EXPECT_EQ(header_of(response, "Cache-Control"), "no-cache");
    EXPECT_EQ(header_of(response, "Content-Type"), "text/html; charset=utf-8");
    EXPECT_NE(header_of(response, "Content-Security-Policy"), "");
  }
}

TEST_F(StaticFilesTest, AnswersNotFoundToAllElse) {
  for (const char* path :
       {"/loginx", "/../etc/passwd", "/assets/../index.html", "/assets", "/assets/", "/passwd",
        "/orphan", "/orphan.br", "/index.html.gz", "//", "/%2e%2e/etc/passwd", ""})
    EXPECT_EQ(get(path).status, 404) << path;
}

TEST_F(StaticFilesTest, KeepsHashedFilesForGood) {
  const StaticResponse response = get("/assets/app-1a2b.js", "br, gzip");
  EXPECT_EQ(header_of(response, "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(header_of(response, "Content-Encoding"), "");
  EXPECT_EQ(response.body, "code");
  EXPECT_EQ(header_of(get("/favicon.svg"), "Cache-Control"), "no-cache");
}

TEST_F(StaticFilesTest, ChoosesThePrecompressedForm) {
  EXPECT_EQ(get("/", "gzip, br").body, "BR");
  EXPECT_EQ(header_of(get("/", "gzip, br"), "Content-Encoding"), "br");
  EXPECT_EQ(get("/", "gzip").body, "GZ");
  EXPECT_EQ(get("/", "gzip;q=0").body, "<p>hello</p>");
  EXPECT_EQ(header_of(get("/"), "Vary"), "Accept-Encoding");
  EXPECT_NE(header_of(get("/", "br"), "ETag"), header_of(get("/", "gzip"), "ETag"));
}

TEST_F(StaticFilesTest, TellsWhatItServesWithoutAnEncoding) {
  const auto contents = files_.contents();
  ASSERT_EQ(contents.size(), files_.file_count());
  EXPECT_TRUE(std::ranges::is_sorted(contents));
  for (const auto& [path, bytes] : contents) {
    EXPECT_EQ(get(std::string(path)).body, bytes) << path;
    EXPECT_FALSE(path.ends_with(".br") || path.ends_with(".gz")) << path;
  }
}

TEST_F(StaticFilesTest, RevalidatesByETag) {
  const std::string etag = header_of(get("/", "br"), "ETag");
  const StaticResponse response = get("/", "br", etag);
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(header_of(response, "ETag"), etag);
  EXPECT_EQ(get("/", "", etag).status, 200);
}

TEST_F(StaticFilesTest, KnowsGetAndHeadOnly) {
  const StaticResponse head = files_.respond({"HEAD", "/", "", ""});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_EQ(files_.respond({"POST", "/", "", ""}).status, 405);
}

TEST(StaticFiles, NeedsAnIndex) {
  const TemporaryDirectory empty;
  EXPECT_FALSE(StaticFiles::load(empty.path()));
  EXPECT_FALSE(StaticFiles::load(empty.path() / "missing"));
}

}  // namespace
}  // namespace alcove::net
