#include "alcove/policy_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace alcove::app {
namespace {

std::string explain(const policy::Decision& decision, Language language) {
  return language == Language::kFrench ? policy::explain_fr(decision)
                                       : policy::explain_en(decision);
}

nlohmann::ordered_json to_json(const Judged& judged, Language language) {
  const policy::Decision& decision = judged.decision;
  const policy::GeoRecord& record = decision.record;
  nlohmann::ordered_json json = {{"what", judged.what}, {"asked", judged.asked}};
  if (decision.reason != policy::Reason::kNotAnAddress) json["address"] = decision.address.text();
  json["allowed"] = decision.allowed;
  json["reason"] = policy::code_of(decision.reason);
  json["class"] = policy::code_of(decision.address_class);
  if (record.country.known()) json["country"] = record.country.code();
  if (record.asn != 0) json["asn"] = record.asn;
  if (!record.owner.empty()) json["owner"] = record.owner;
  if (record.owner_country.known()) json["owner_country"] = record.owner_country.code();
  if (record.anycast) json["anycast"] = true;
  json["text"] = explain(decision, language);
  return json;
}

}  // namespace

std::size_t PolicyReport::denied() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(judged, [](const Judged& one) { return !one.decision.allowed; }));
}

std::string to_text(const PolicyReport& report, Language language) {
  const bool is_french = language == Language::kFrench;
  std::string text;
  for (const Judged& one : report.judged) {
    if (one.what != one.decision.address.text()) text += one.what + (is_french ? " : " : ": ");
    text += explain(one.decision, language) + "\n";
  }
  for (const std::string& one : report.not_judged) text += one + "\n";
  const std::size_t denied = report.denied();
  if (is_french)
    return text + fmt::format("{} jugées, {} refusées, {} non jugées\n", report.judged.size(),
                              denied, report.not_judged.size());
  return text + fmt::format("{} judged, {} denied, {} not judged\n", report.judged.size(), denied,
                            report.not_judged.size());
}

std::string to_json(const PolicyReport& report, Language language) {
  nlohmann::ordered_json json = {{"policy", report.policy_file},
                                 {"database",
                                  {{"name", report.database.name},
                                   {"date", report.database.date},
                                   {"sha256", base::to_hex(report.database.sha256)}}},
                                 {"denied", report.denied()},
                                 {"judged", nlohmann::ordered_json::array()},
                                 {"not_judged", report.not_judged}};
  for (const Judged& one : report.judged) json["judged"].push_back(to_json(one, language));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace alcove::app
