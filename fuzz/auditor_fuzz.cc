// Any bytes as a capture, through the whole audit: reader, decoder, flows, inspectors, and all four
// reports, which must hold together whatever came in.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>

#include "audit/auditor.h"
#include "audit/capture_reader.h"
#include "audit/report.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  audit::AuditorOptions options;
  options.identifiers = {"4000123457", "mWvXQ9ab"};
  static const auto policy = policy::parse_policy(
      "unknown = \"deny\"\n[location]\ndeny = [\"CN\"]\n[owner]\ndeny = [\"CN\"]\n");
  require(policy.has_value());
  options.policy = *policy;
  options.input = "fuzz";
  audit::Auditor auditor(std::move(options));
  audit::CaptureReader reader(auditor);
  // In two pieces, so that what spans them is met, too.
  const std::size_t half = size / 2;
  if (reader.feed({data, half}) && reader.feed({data + half, size - half})) (void)reader.finish();
  const audit::Report report = auditor.finish(&reader.counters(), reader.format());
  require(report.timeline.bins.size() <= 240);
  require(report.flows.size() <= 4000);
  require(report.findings.size() <= audit::Findings::kMaxFindings);
  // Writing the reports takes many times longer than the audit: once in eight.
  if (std::accumulate(data, data + size, 0U) % 8 != 0) return 0;
  const auto language = size % 2 == 0 ? audit::Language::kEnglish : audit::Language::kFrench;
  require(!audit::to_text(report, language).empty());
  const std::string html = audit::to_html(report, language);
  require(html.ends_with("</html>\n") && html.find("<script") == std::string::npos);
  // Throws when it is not JSON, which ends the run.
  require(nlohmann::json::parse(audit::to_json(report, language)).contains("findings"));
  require(nlohmann::json::parse(audit::to_sarif(report, language)).contains("runs"));
  return 0;
}
