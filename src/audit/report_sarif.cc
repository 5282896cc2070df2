// The report as SARIF 2.1.0 (OASIS), for what reads reports of analysers.

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "audit/finding_texts.h"
#include "audit/report.h"
#include "audit/report_words.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace alcove::audit {

namespace {

using Json = nlohmann::ordered_json;

std::string_view level(FindingCode code) {
  switch (severity_of(code)) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      break;
  }
  return "note";
}

// A relative reference (RFC 3986): everything that is not unreserved is escaped.
std::string uri_of(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out.empty() ? "capture" : out;
}

// All codes, found or not: a reader of the report then knows what was looked for.
Json rules_json(Language language) {
  Json rules = Json::array();
  for (const FindingCode code : all_codes()) {
    const FindingText& text = finding_text(code, language);
    rules.push_back({{"id", code_text(code)},
                     {"shortDescription", {{"text", text.title}}},
                     {"fullDescription", {{"text", text.meaning}}},
                     {"help", {{"text", text.action}}},
                     {"defaultConfiguration", {{"level", level(code)}}},
                     {"properties", {{"tags", {group_title(group_of(code), language)}}}}});
  }
  return rules;
}

Json location_json(const Report& report, const Evidence& evidence, Language language) {
  const std::string packet =
      fmt::format("{} {}", pick(language, "packet", "paquet"), evidence.packet);
  Json json = {
      {"physicalLocation", {{"artifactLocation", {{"uri", uri_of(report.input)}, {"index", 0}}}}},
      {"logicalLocations",
       {{{"name", fmt::format("{}", evidence.packet)},
         {"fullyQualifiedName", fmt::format("packet/{}", evidence.packet)},
         {"kind", "packet"}}}},
      {"message",
       {{"text",
         evidence.excerpt.empty() ? packet : packet + ": " + clean_text(evidence.excerpt)}}}};
  json["properties"] = {{"packet", evidence.packet}, {"flow", evidence.flow}};
  return json;
}

Json result_json(const Report& report, const Finding& finding, std::size_t rule,
                 Language language) {
  const FindingText& text = finding_text(finding.code, language);
  const std::string& detail = language == Language::kFrench ? finding.detail_fr : finding.detail_en;
  Json locations = Json::array();
  for (const Evidence& evidence : finding.evidence)
    locations.push_back(location_json(report, evidence, language));
  Json json = {{"ruleId", code_text(finding.code)},
               {"ruleIndex", rule},
               {"level", level(finding.code)},
               {"message",
                {{"text", fmt::format("{}: {}{}{}", text.title, clean_text(finding.subject),
                                      detail.empty() ? "" : ". ", clean_text(detail))}}},
               {"locations", std::move(locations)}};
  // SARIF wants at least 1. A finding about the capture as a whole has no packets.
  json["occurrenceCount"] = std::max<std::uint64_t>(finding.count, 1);
  const std::string identity = code_text(finding.code) + '\0' + finding.subject;
  json["partialFingerprints"] = {
      {"codeAndSubject/v1", base::to_hex(crypto::sha256(base::as_bytes(identity)))}};
  return json;
}

}  // namespace

std::string to_sarif(const Report& report, Language language) {
  std::map<FindingCode, std::size_t> rule_of;
  for (const FindingCode code : all_codes()) rule_of.emplace(code, rule_of.size());
  Json results = Json::array();
  for (const Finding& finding : report.findings)
    results.push_back(result_json(report, finding, rule_of[finding.code], language));
  const std::size_t space = report.tool.find(' ');
  const std::string version =
      space == std::string::npos ? "0" : clean_text(report.tool.substr(space + 1));
  const Json run = {
      {"tool",
       {{"driver",
         {{"name", "alcove-audit"}, {"version", version}, {"rules", rules_json(language)}}}}},
      {"language", pick(language, "en", "fr")},
      {"invocations", {{{"executionSuccessful", true}}}},
      {"artifacts",
       {{{"location", {{"uri", uri_of(report.input)}}}, {"roles", {"analysisTarget"}}}}},
      {"results", std::move(results)}};
  const Json json = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                     {"version", "2.1.0"},
                     {"runs", Json::array({run})}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace alcove::audit
