#include "audit/finding_texts.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "audit/report_words.h"

namespace alcove::audit {
namespace {

TEST(FindingTexts, EveryCodeHasAllOfThemInBothLanguages) {
  ASSERT_FALSE(all_codes().empty());
  for (const FindingCode code : all_codes()) {
    const FindingText& english = finding_text(code, Language::kEnglish);
    const FindingText& french = finding_text(code, Language::kFrench);
    for (const FindingText* text : {&english, &french}) {
      EXPECT_GE(text->title.size(), 10U) << code_text(code);
      EXPECT_LE(text->title.size(), 100U) << code_text(code);
      EXPECT_FALSE(text->title.ends_with('.')) << code_text(code);
      EXPECT_GE(text->meaning.size(), 40U) << code_text(code);
      EXPECT_TRUE(text->meaning.ends_with('.')) << code_text(code);
      EXPECT_TRUE(text->action.ends_with('.')) << code_text(code);
    }
    EXPECT_NE(english.title, french.title) << code_text(code);
    EXPECT_NE(english.meaning, french.meaning) << code_text(code);
    EXPECT_NE(english.action, french.action) << code_text(code);
  }
}

TEST(FindingTexts, NoTextWithoutACodeAndNoCodeTwice) {
  std::map<FindingCode, int> seen;
  for (const auto& part : {texts_of_where(), texts_of_readable(), texts_of_readable_protocols(),
                           texts_of_audio(), texts_of_capture()})
    for (const FindingTexts& texts : part) ++seen[texts.code];
  EXPECT_EQ(seen.size(), all_codes().size());
  for (const auto& [code, times] : seen) EXPECT_EQ(times, 1) << code_text(code);
}

TEST(FindingTexts, GroupsAreTheHundreds) {
  EXPECT_EQ(group_of(FindingCode::kManifestNameElsewhere), FindingGroup::kWhere);
  EXPECT_EQ(group_of(FindingCode::kKnownIdentifier), FindingGroup::kReadable);
  EXPECT_EQ(group_of(FindingCode::kRtpInClear), FindingGroup::kAudio);
  EXPECT_EQ(group_of(FindingCode::kSizesTellSpeech), FindingGroup::kSizes);
  EXPECT_EQ(group_of(FindingCode::kCutFrames), FindingGroup::kCapture);
}

// docs/audit.md: "| AUD-101 | error | Packets to or from … |".
TEST(FindingTexts, DocsHaveTheSameTable) {
  std::ifstream file(ALCOVE_DOCS "/audit.md");
  ASSERT_TRUE(file) << "docs/audit.md";
  static const std::regex row(R"(^\| (AUD-\d+) \| (\w+) \| (.*?) \|)");
  std::map<std::string, std::pair<std::string, std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, row)) continue;
    EXPECT_TRUE(rows.emplace(match[1], std::pair(match[2], match[3])).second) << match[1];
  }
  EXPECT_EQ(rows.size(), all_codes().size());
  for (const FindingCode code : all_codes()) {
    ASSERT_TRUE(rows.contains(code_text(code))) << code_text(code);
    EXPECT_EQ(rows[code_text(code)].first, severity_id(severity_of(code))) << code_text(code);
    EXPECT_EQ(rows[code_text(code)].second, finding_text(code, Language::kEnglish).title);
  }
}

}  // namespace
}  // namespace alcove::audit
