// The HTML report's head and its findings.

#include <fmt/format.h>

#include "audit/finding_texts.h"
#include "audit/report_figures.h"
#include "audit/report_html_parts.h"
#include "audit/report_verdict.h"
#include "audit/report_words.h"

namespace alcove::audit {

namespace {

std::string list(const std::vector<std::string>& items) {
  std::string out = "<ul>";
  for (const std::string& item : items) out += fmt::format("<li>{}</li>", escape_html(item));
  return out + "</ul>";
}

std::string evidence_table(const Finding& finding, Language language) {
  if (finding.evidence.empty()) return {};
  std::string out = fmt::format(
      "<div class=\"scroll\"><table><thead><tr><th class=\"n\">{}</th><th>{}</th>"
      "<th class=\"n\">{}</th><th>{}</th></tr></thead><tbody>",
      pick(language, "Packet", "Paquet"), pick(language, "Time", "Heure"),
      pick(language, "Flow", "Flux"), pick(language, "Excerpt", "Extrait"));
  for (const Evidence& evidence : finding.evidence) {
    out += fmt::format(
        "<tr><td class=\"n\">{}</td><td class=\"one\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"mono\">{}</td></tr>",
        evidence.packet, time_text(evidence.time),
        evidence.flow == 0 ? "" : fmt::format("{}", evidence.flow), escape_html(evidence.excerpt));
  }
  out += "</tbody></table></div>";
  if (finding.count > finding.evidence.size()) {
    out += fmt::format("<p class=\"dim\">{} {}.</p>",
                       pick(language, "The last is packet", "Le dernier est le paquet"),
                       finding.last_packet);
  }
  return out;
}

std::string subject_html(const Finding& finding, bool open, Language language) {
  const std::string& detail = language == Language::kFrench ? finding.detail_fr : finding.detail_en;
  return fmt::format(
      "<details{}><summary><span class=\"mono\">{}</span> <span class=\"dim\">– {}</span></summary>"
      "{}{}</details>\n",
      open ? " open" : "", escape_html(finding.subject),
      counted(finding.count, pick(language, "packet", "paquet"),
              pick(language, "packets", "paquets"), language),
      detail.empty() ? "" : fmt::format("<p>{}</p>", escape_html(detail)),
      evidence_table(finding, language));
}

// The findings of one code from index at; moves it behind them.
std::string code_html(const Report& report, std::size_t& at, Language language) {
  constexpr std::size_t kOpen = 3;
  const FindingCode code = report.findings[at].code;
  const FindingText& text = finding_text(code, language);
  const Severity severity = severity_of(code);
  std::string out = fmt::format(
      "<article id=\"{}\"><p><span class=\"badge {}\">{}</span><span class=\"code\">{}</span></p>"
      "<h3>{}</h3><p>{}</p><p><strong>{}</strong> {}</p>\n",
      code_text(code), severity_id(severity), severity_text(severity, language), code_text(code),
      escape_html(text.title), escape_html(text.meaning),
      pick(language, "What to do:", "Que faire :"), escape_html(text.action));
  for (std::size_t index = 0; at < report.findings.size() && report.findings[at].code == code;
       ++at, ++index) {
    out += subject_html(report.findings[at], index < kOpen, language);
  }
  return out + "</article>\n";
}

std::string fact(std::string_view name, std::string_view value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, escape_html(value));
}

}  // namespace

std::string html_verdict(const Report& report, Language language) {
  const Verdict verdict = verdict_of(report, language);
  const std::string_view style =
      verdict.worst == Severity::kInfo ? "clean" : severity_id(verdict.worst);
  std::string out = fmt::format("<header><p class=\"tool\">{} · {}</p><div class=\"verdict {}\">",
                                escape_html(report.tool), escape_html(report.input), style);
  out += fmt::format("<h1>{}</h1>", escape_html(verdict.headline));
  if (!verdict.points.empty()) out += list(verdict.points);
  out += "</div>";
  if (!verdict.limits.empty()) {
    out += fmt::format(
        "<h2>{}</h2>{}",
        pick(language, "What this audit could not say", "Ce que cet audit ne peut pas dire"),
        list(verdict.limits));
  }
  return out + "</header>\n";
}

std::string html_facts(const Report& report, Language language) {
  const Tally counts = tally(report);
  std::string out = "<dl class=\"facts\">";
  out += fact(pick(language, "Serious", "Graves"), number_text(counts.errors, language));
  out += fact(pick(language, "Warnings", "Avertissements"), number_text(counts.warnings, language));
  out += fact(pick(language, "Notes", "Notes"), number_text(counts.infos, language));
  out += fact(pick(language, "Packets", "Paquets"), number_text(report.packets.packets, language));
  out += fact(pick(language, "Flows", "Flux"), number_text(report.flow_counters.flows, language));
  out += fact(pick(language, "Size", "Taille"), size_text(report.capture.bytes, language));
  out += fact(pick(language, "Duration", "Durée"),
              duration_text(span_between(report.begin, report.end), language));
  return out + "</dl>\n";
}

std::string html_findings(const Report& report, Language language) {
  std::string out;
  for (std::size_t at = 0; at < report.findings.size();) {
    const FindingGroup group = group_of(report.findings[at].code);
    out += fmt::format("<section><h2>{}</h2>\n", group_title(group, language));
    while (at < report.findings.size() && group_of(report.findings[at].code) == group)
      out += code_html(report, at, language);
    out += "</section>\n";
  }
  if (report.findings_left_out > 0) {
    out += fmt::format(
        "<p>{} {}</p>\n", number_text(report.findings_left_out, language),
        pick(language, "more findings were not kept.", "autres constats n'ont pas été gardés."));
  }
  return out;
}

}  // namespace alcove::audit
