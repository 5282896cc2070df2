// The report for a terminal.

#include <fmt/format.h>

#include <algorithm>

#include "audit/finding_texts.h"
#include "audit/report.h"
#include "audit/report_verdict.h"
#include "audit/report_words.h"
#include "base/text.h"

namespace alcove::audit {

namespace {

constexpr std::size_t kWidth = 96;
constexpr std::size_t kMaxFlows = 20;
constexpr std::size_t kMaxCountries = 15;

// Breaks at spaces. Counts bytes, which is near enough for two Latin languages.
void add_wrapped(std::string& out, std::string_view text, std::size_t indent) {
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (column == 0 || column + 1 + word.size() > kWidth) {
      if (column != 0) out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  out += '\n';
}

void add_head(std::string& out, const Report& report, Language language) {
  const Verdict verdict = verdict_of(report, language);
  out += fmt::format("{}  {}  ({})\n", clean_text(report.tool), clean_text(report.input),
                     clean_text(report.format));
  if (report.packets.packets > 0) {
    out += fmt::format("{} – {} ({}), {}, {}\n", time_text(report.begin), time_text(report.end),
                       duration_text(span_between(report.begin, report.end), language),
                       counted(report.capture.frames, pick(language, "frame", "trame"),
                               pick(language, "frames", "trames"), language),
                       counted(report.flow_counters.flows, pick(language, "flow", "flux"),
                               pick(language, "flows", "flux"), language));
  }
  if (!report.database.name.empty()) {
    out += fmt::format("{} {} {} (SHA-256 {}…)\n", pick(language, "Database", "Base de données"),
                       clean_text(report.database.name), clean_text(report.database.date),
                       base::to_hex(base::Bytes(report.database.sha256).first(8)));
  }
  out += '\n';
  add_wrapped(out, verdict.headline, 0);
  for (const std::string& point : verdict.points) add_wrapped(out, "- " + point, 2);
  if (!verdict.limits.empty()) {
    out += fmt::format(
        "\n{}\n",
        pick(language, "What this audit could not say:", "Ce que cet audit ne peut pas dire :"));
    for (const std::string& limit : verdict.limits) add_wrapped(out, "- " + limit, 2);
  }
}

void add_finding(std::string& out, const Finding& finding, Language language) {
  const FindingText& text = finding_text(finding.code, language);
  out += fmt::format("\n{}  [{}]  {}\n", code_text(finding.code),
                     severity_text(severity_of(finding.code), language), text.title);
  const std::string& detail = language == Language::kFrench ? finding.detail_fr : finding.detail_en;
  add_wrapped(out,
              fmt::format("{}{}", clean_text(finding.subject),
                          detail.empty() ? "" : " – " + clean_text(detail)),
              4);
  std::string packets;
  for (const Evidence& evidence : finding.evidence)
    packets += fmt::format("{}{}", packets.empty() ? "" : ", ", evidence.packet);
  if (!packets.empty()) {
    add_wrapped(out,
                fmt::format("{}: {}{}",
                            counted(finding.count, pick(language, "packet", "paquet"),
                                    pick(language, "packets", "paquets"), language),
                            packets,
                            finding.count > finding.evidence.size()
                                ? fmt::format(" … {}", finding.last_packet)
                                : ""),
                4);
  }
  for (const Evidence& evidence : finding.evidence) {
    if (!evidence.excerpt.empty())
      out += fmt::format("      {:>8}  {}\n", evidence.packet, clean_text(evidence.excerpt, 160));
  }
}

// The meaning of a code stands once, before its findings.
void add_findings(std::string& out, const Report& report, Language language) {
  const Finding* previous = nullptr;
  for (const Finding& finding : report.findings) {
    if (previous == nullptr || group_of(previous->code) != group_of(finding.code)) {
      const std::string_view title = group_title(group_of(finding.code), language);
      out += fmt::format("\n== {} ==\n", title);
    }
    add_finding(out, finding, language);
    const bool last_of_code =
        &finding == &report.findings.back() || (&finding + 1)->code != finding.code;
    if (last_of_code) {
      const FindingText& text = finding_text(finding.code, language);
      out += '\n';
      add_wrapped(out, text.meaning, 4);
      add_wrapped(out, fmt::format("→ {}", text.action), 4);
    }
    previous = &finding;
  }
  if (report.findings_left_out > 0) {
    out += fmt::format(
        "\n… {} {}\n", number_text(report.findings_left_out, language),
        pick(language, "more findings were not kept", "autres constats n'ont pas été gardés"));
  }
}

void add_countries(std::string& out, const Report& report, Language language) {
  if (report.countries.empty()) return;
  out += fmt::format("\n== {} ==\n", pick(language, "By country", "Par pays"));
  for (std::size_t i = 0; i < std::min(report.countries.size(), kMaxCountries); ++i) {
    const CountrySummary& country = report.countries[i];
    out += fmt::format("  {}{}: {}, {}, {}\n",
                       country.denied ? pick(language, "DENIED ", "REFUSÉ ") : std::string_view(),
                       country_text(country.country, country.private_addresses, language),
                       counted(country.flows, pick(language, "flow", "flux"),
                               pick(language, "flows", "flux"), language),
                       counted(country.packets, pick(language, "packet", "paquet"),
                               pick(language, "packets", "paquets"), language),
                       size_text(country.bytes, language));
  }
}

void add_flows(std::string& out, const Report& report, Language language) {
  if (report.flows.empty()) return;
  out += fmt::format("\n== {} ==\n",
                     pick(language, "Flows with the most bytes", "Flux avec le plus d'octets"));
  for (std::size_t i = 0; i < std::min(report.flows.size(), kMaxFlows); ++i) {
    const FlowSummary& flow = report.flows[i];
    out += fmt::format(
        "  {} → {} {} {}{}{}\n      {}, {}, {}\n", flow.key.client.text(), flow.key.server.text(),
        transport_text(flow.key.protocol), application_text(flow.application),
        flow.server_name.empty() ? "" : " ", clean_text(flow.server_name, 100),
        place_text(flow.decision, language),
        counted(flow.traffic[0].packets + flow.traffic[1].packets,
                pick(language, "packet", "paquet"), pick(language, "packets", "paquets"), language),
        size_text(flow.traffic[0].bytes + flow.traffic[1].bytes, language));
  }
  const std::size_t more = report.flows.size() - std::min(report.flows.size(), kMaxFlows);
  if (more + report.flows_left_out > 0)
    out += fmt::format(
        "  … {}\n", counted(more + report.flows_left_out, pick(language, "more flow", "autre flux"),
                            pick(language, "more flows", "autres flux"), language));
}

void add_media(std::string& out, const Report& report, Language language) {
  if (report.media.empty()) return;
  out += fmt::format("\n== {} ==\n", pick(language, "Media streams", "Flux de média"));
  for (std::size_t i = 0; i < std::min(report.media.size(), kMaxFlows); ++i) {
    const MediaStreamSummary& stream = report.media[i];
    out += fmt::format(
        "  SSRC {:08x}, {} {}, {}, {}{}, {}\n", stream.ssrc, pick(language, "flow", "flux"),
        stream.flow,
        counted(stream.packets, pick(language, "packet", "paquet"),
                pick(language, "packets", "paquets"), language),
        protection_text(stream.protection, language),
        stream.codec == Codec::kNone ? "" : fmt::format(" ({})", codec_text(stream.codec)),
        counted(stream.distinct_sizes, pick(language, "payload size", "taille de contenu"),
                pick(language, "payload sizes", "tailles de contenu"), language));
  }
}

}  // namespace

std::string to_text(const Report& report, Language language) {
  std::string out;
  add_head(out, report, language);
  add_findings(out, report, language);
  add_countries(out, report, language);
  add_media(out, report, language);
  add_flows(out, report, language);
  return out;
}

}  // namespace alcove::audit
