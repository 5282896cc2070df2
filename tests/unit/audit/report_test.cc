#include "audit/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "audit/finding_texts.h"
#include "audit/report_verdict.h"
#include "crypto/hash.h"
#include "support/json_schema.h"
#include "unit/audit/report_fixture.h"

namespace alcove::audit {
namespace {

using test::make_report;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

constexpr auto kEnglish = Language::kEnglish;
constexpr auto kFrench = Language::kFrench;

Json read_schema() {
  std::ifstream file(ALCOVE_DOCS "/audit-report.schema.json");
  return Json::parse(file);
}

TEST(Report, CleanIsWithoutAnythingAboveANote) {
  Report report = make_report();
  EXPECT_FALSE(report.clean());
  report.findings = {test::make_finding(FindingCode::kCleartextDns, "x", 1)};
  EXPECT_TRUE(report.clean());
  report.findings.push_back(test::make_finding(FindingCode::kCutFrames, "x", 1));
  EXPECT_FALSE(report.clean());
}

TEST(ReportVerdict, SaysWhatWasFoundAndWhatCouldNotBe) {
  Report report = make_report();
  Verdict verdict = verdict_of(report, kEnglish);
  EXPECT_EQ(verdict.worst, Severity::kError);
  EXPECT_EQ(verdict.headline, "3 serious findings.");
  EXPECT_THAT(verdict.points, ::testing::SizeIs(3));
  EXPECT_THAT(verdict.limits, ::testing::Contains(HasSubstr("No keys were given")));
  EXPECT_THAT(verdict.limits, Not(::testing::Contains(HasSubstr("No policy"))));
  report.findings.clear();
  report.has_policy = false;
  verdict = verdict_of(report, kFrench);
  EXPECT_THAT(verdict.headline, HasSubstr("Rien à signaler"));
  EXPECT_THAT(verdict.limits, ::testing::Contains(HasSubstr("Aucune politique")));
  report.packets.packets = 0;
  EXPECT_THAT(verdict_of(report, kEnglish).headline, HasSubstr("no packet"));
}

TEST(ReportText, HoldsFindingsWithTheirPackets) {
  const std::string text = to_text(make_report(), kEnglish);
  EXPECT_THAT(text, HasSubstr("AUD-101  [serious]  Packets to or from a country"));
  EXPECT_THAT(text, HasSubstr("1,234 packets: 12 … 5012"));
  EXPECT_THAT(text, HasSubstr("DENIED China (CN)"));
  EXPECT_THAT(text, HasSubstr("SSRC 5eed1234"));
  EXPECT_THAT(to_text(make_report(), kFrench), HasSubstr("REFUSÉ Chine (CN)"));
}

TEST(ReportText, NothingOfACaptureSteersATerminal) {
  for (const Language language : {kEnglish, kFrench}) {
    for (const char c : to_text(make_report(), language)) {
      EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 && c != '\n');
      EXPECT_NE(c, '\x7f');
    }
  }
}

TEST(ReportJson, IsAsTheSchemaSays) {
  const alcove::test::JsonSchema schema(read_schema());
  for (const Language language : {kEnglish, kFrench}) {
    EXPECT_THAT(schema.faults(Json::parse(to_json(make_report(), language))), IsEmpty());
    EXPECT_THAT(schema.faults(Json::parse(to_json(Report{}, language))), IsEmpty());
  }
}

TEST(ReportJson, TheSchemaRefusesWhatIsNotAReport) {
  const alcove::test::JsonSchema schema(read_schema());
  const Json report = Json::parse(to_json(make_report(), kEnglish));
  for (const char* name : {"findings", "flows", "verdict", "timeline"}) {
    Json without = report;
    without.erase(name);
    EXPECT_THAT(schema.faults(without), Not(IsEmpty())) << name;
  }
  Json other = report;
  other["findings"][0]["severity"] = "catastrophe";
  EXPECT_THAT(schema.faults(other), Not(IsEmpty()));
  other = report;
  other["flows"][0]["more"] = 1;
  EXPECT_THAT(schema.faults(other), Not(IsEmpty()));
  other = report;
  other["capture"]["frames"] = -1;
  EXPECT_THAT(schema.faults(other), Not(IsEmpty()));
}

TEST(ReportJson, HasTheFacts) {
  const Json json = Json::parse(to_json(make_report(), kFrench));
  EXPECT_EQ(json["verdict"]["clean"], false);
  EXPECT_EQ(json["findings"][0]["code"], "AUD-101");
  EXPECT_EQ(json["findings"][0]["detail"], "Un détail.");
  EXPECT_EQ(json["findings"][0]["evidence"][0]["packet"], 12);
  EXPECT_EQ(json["findings"][0]["evidence"][0]["time"], "2026-09-21T14:13:20.000000Z");
  EXPECT_EQ(json["flows"][0]["remote"], "192.0.2.10");
  EXPECT_EQ(json["flows"][0]["owner_country"], "CN");
  EXPECT_EQ(json["flows"][0]["denied"], true);
  EXPECT_EQ(json["countries"][2]["country"], nullptr);
  EXPECT_EQ(json["media"][0]["codec"], "Opus");
}

TEST(ReportSarif, HasWhatTheStandardRequires) {
  const Json sarif = Json::parse(to_sarif(make_report(), kEnglish));
  EXPECT_EQ(sarif["version"], "2.1.0");
  ASSERT_EQ(sarif["runs"].size(), 1);
  const Json& run = sarif["runs"][0];
  const Json& driver = run["tool"]["driver"];
  EXPECT_EQ(driver["name"], "alcove-audit");
  EXPECT_EQ(driver["version"], "0.1.0");
  ASSERT_EQ(driver["rules"].size(), all_codes().size());
  std::set<std::string> ids;
  for (const Json& rule : driver["rules"]) {
    EXPECT_TRUE(ids.insert(rule["id"]).second);
    EXPECT_FALSE(rule["shortDescription"]["text"].get<std::string>().empty());
  }
  ASSERT_EQ(run["results"].size(), 4);
  for (const Json& result : run["results"]) {
    EXPECT_FALSE(result["message"]["text"].get<std::string>().empty());
    EXPECT_EQ(driver["rules"][result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
    EXPECT_TRUE(result["level"] == "error" || result["level"] == "warning" ||
                result["level"] == "note");
    EXPECT_GE(result["occurrenceCount"], 1);
    const Json& artifact = result["locations"][0]["physicalLocation"]["artifactLocation"];
    EXPECT_EQ(artifact["uri"],
              run["artifacts"][artifact["index"].get<std::size_t>()]["location"]["uri"]);
  }
  EXPECT_EQ(run["results"][0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
            "packet/12");
  // The name of a hostile file is a URI all the same.
  static const std::regex uri("^[A-Za-z0-9._~%-]+$");
  EXPECT_TRUE(std::regex_match(run["artifacts"][0]["location"]["uri"].get<std::string>(), uri));
}

TEST(ReportHtml, LoadsAndRunsNothing) {
  for (const Language language : {kEnglish, kFrench}) {
    const std::string html = to_html(make_report(), language);
    EXPECT_THAT(html, HasSubstr("default-src 'none'"));
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("<img")));
    EXPECT_THAT(html, Not(HasSubstr("<link")));
    EXPECT_THAT(html, Not(HasSubstr("http://")));
    EXPECT_THAT(html, Not(HasSubstr("https://")));
    EXPECT_THAT(html, Not(HasSubstr(" style=")));  // the policy would drop it
    EXPECT_THAT(html, Not(HasSubstr("url(")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(html, HasSubstr("&lt;b&gt;rules"));
  }
}

TEST(ReportHtml, TheStyleIsTheOneThatItsPolicyNames) {
  const std::string html = to_html(make_report(), kEnglish);
  const std::size_t begin = html.find("<style>") + 7;
  const std::string style = html.substr(begin, html.find("</style>") - begin);
  std::string hash = base::to_base64url(crypto::sha256(base::as_bytes(style)));
  std::ranges::replace(hash, '-', '+');
  std::ranges::replace(hash, '_', '/');
  EXPECT_THAT(html, HasSubstr("style-src 'sha256-" + hash + "='"));
}

TEST(ReportHtml, TagsAreClosedInOrder) {
  for (const Report& report : {make_report(), Report{}}) {
    const std::string html = to_html(report, kEnglish);
    static const std::regex tag(R"(<(/?)([a-z0-9]+)([^<>]*?)(/?)>)");
    static const std::set<std::string> alone = {"meta", "br"};
    std::vector<std::string> open;
    for (std::sregex_iterator at(html.begin(), html.end(), tag), end; at != end; ++at) {
      const std::smatch& match = *at;
      if (alone.contains(match[2]) || match[4] == "/") continue;
      if (match[1].length() == 0) {
        open.push_back(match[2]);
      } else {
        ASSERT_FALSE(open.empty());
        ASSERT_EQ(open.back(), match[2]) << html.substr(match.position(), 80);
        open.pop_back();
      }
    }
    EXPECT_THAT(open, IsEmpty());
  }
}

TEST(ReportHtml, PicturesHaveWordsAndTables) {
  const std::string html = to_html(make_report(), kFrench);
  std::size_t pictures = 0;
  for (std::size_t at = html.find("<svg"); at != std::string::npos;
       at = html.find("<svg", at + 1)) {
    ++pictures;
    const std::string head = html.substr(at, 600);
    EXPECT_THAT(head, HasSubstr("role=\"img\""));
    EXPECT_THAT(head, HasSubstr("<title"));
    EXPECT_THAT(head, HasSubstr("<desc"));
  }
  EXPECT_EQ(pictures, 4);  // countries, time, two streams
  EXPECT_THAT(html, HasSubstr("lang=\"fr\""));
  EXPECT_THAT(html, HasSubstr("La même chose en tableau"));
  EXPECT_THAT(html, HasSubstr("3 constats graves"));
  EXPECT_THAT(html, HasSubstr("1\u202F234 paquets"));
}

}  // namespace
}  // namespace alcove::audit
