// docs/protocol/api.md names every path and every error reason of the source.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace alcove::control {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(ALCOVE_VECTORS) / ".." / "..";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> find(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

TEST(DocumentationTest, EveryReasonIsDocumented) {
  std::string source = read(kRoot / "src/rooms/refusal.cc");
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "src/control"))
    if (entry.path().extension() == ".cc") source += read(entry.path());
  const std::set<std::string> reasons = find(source, "\"([a-z]+\\.[a-z_]+)\"");
  EXPECT_GT(reasons.size(), 35U);
  const std::string page = read(kRoot / "docs/protocol/api.md");
  for (const std::string& reason : reasons)
    EXPECT_NE(page.find("`" + reason + "`"), std::string::npos) << reason;
  for (const std::string& reason : find(page, "\n\\| `([a-z]+\\.[a-z_]+)`"))
    EXPECT_TRUE(reasons.contains(reason)) << reason << " is not in the source";
}

TEST(DocumentationTest, EveryPathIsDocumented) {
  const std::string page = read(kRoot / "docs/protocol/api.md");
  const std::regex route("add\\(\"([A-Z]+)\", \"([^\"]+)\"");
  const std::string source = read(kRoot / "src/control/server.cc");
  std::size_t routes = 0;
  for (std::sregex_iterator match(source.begin(), source.end(), route), end; match != end;
       ++match) {
    std::string pattern;
    for (const char c : (*match)[2].str())
      pattern += c == '}' ? std::string("[a-z_]+\\}") : c == '{' ? "\\{" : std::string(1, c);
    EXPECT_TRUE(std::regex_search(page, std::regex((*match)[1].str() + " " + pattern))) << pattern;
    ++routes;
  }
  EXPECT_EQ(routes, 19U);
}

}  // namespace
}  // namespace alcove::control
