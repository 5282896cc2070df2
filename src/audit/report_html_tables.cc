// The HTML report's pictures with their tables, the flows, and what the audit was given.

#include <fmt/format.h>

#include <algorithm>

#include "audit/report_figures.h"
#include "audit/report_html_parts.h"
#include "audit/report_words.h"
#include "base/text.h"

namespace alcove::audit {

namespace {

// Headings that begin with "#" are of numbers.
std::string open_table(std::initializer_list<std::string_view> headings) {
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (std::string_view heading : headings) {
    const bool number = heading.starts_with('#');
    if (number) heading.remove_prefix(1);
    out += fmt::format("<th{}>{}</th>", number ? " class=\"n\"" : "", heading);
  }
  return out + "</tr></thead><tbody>\n";
}
constexpr std::string_view kCloseTable = "</tbody></table></div>\n";

std::string as_table(Language language, const std::string& table) {
  return fmt::format("<details><summary>{}</summary>{}</details>\n",
                     pick(language, "The same as a table", "La même chose en tableau"), table);
}

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td class=\"mono\">{}</td></tr>\n", name,
                     escape_html(value));
}

std::string flow_row(const FlowSummary& flow, const Report& report, Language language) {
  const bool denied = report.has_policy && flow.denied;
  const bool stranger = report.has_manifest && !flow.in_manifest;
  return fmt::format(
      "<tr{}><td class=\"n\">{}</td><td class=\"mono one\">{}</td>"
      "<td class=\"mono one\">{}</td><td>{} {}</td><td class=\"mono\">{}</td><td>{}{}{}</td><td "
      "class=\"n\">{}</td>"
      "<td class=\"n\">{}</td></tr>\n",
      denied ? " class=\"bad\"" : "", flow.id, escape_html(flow.key.client.text()),
      escape_html(flow.key.server.text()), transport_text(flow.key.protocol),
      application_text(flow.application), escape_html(flow.server_name, 100),
      escape_html(place_text(flow.decision, language), 200),
      denied ? pick(language, " – DENIED", " – REFUSÉ") : std::string_view(),
      stranger ? pick(language, " – not in the manifest", " – absent du manifeste")
               : std::string_view(),
      number_text(flow.traffic[0].packets + flow.traffic[1].packets, language),
      size_text(flow.traffic[0].bytes + flow.traffic[1].bytes, language));
}

}  // namespace

std::string html_countries(const Report& report, Language language) {
  if (report.countries.empty()) return {};
  std::string table =
      open_table({pick(language, "Country", "Pays"), pick(language, "#Flows", "#Flux"),
                  pick(language, "#Packets", "#Paquets"), pick(language, "#Bytes", "#Octets"),
                  pick(language, "Policy", "Politique")});
  for (const CountrySummary& country : report.countries) {
    table += fmt::format(
        "<tr{}><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td>{}</td></tr>\n",
        country.denied ? " class=\"bad\"" : "",
        escape_html(country_text(country.country, country.private_addresses, language)),
        number_text(country.flows, language), number_text(country.packets, language),
        number_text(country.bytes, language),
        country.denied ? pick(language, "denied", "refusé") : std::string_view());
  }
  table += kCloseTable;
  return fmt::format(
      "<section><h2>{}</h2><figure>{}<figcaption>{}</figcaption></figure>{}"
      "</section>\n",
      pick(language, "Bytes by country", "Octets par pays"), country_figure(report, language),
      pick(language,
           "By the location that the database gives. The owner of the network can "
           "be elsewhere: see the flows.",
           "Selon le lieu que donne la base de données. Le propriétaire du réseau "
           "peut être ailleurs, voir les flux."),
      as_table(language, table));
}

std::string html_timeline(const Report& report, Language language) {
  const Timeline& timeline = report.timeline;
  if (timeline.bins.empty()) return {};
  std::string table =
      open_table({pick(language, "#From", "#À partir de"), pick(language, "#Packets", "#Paquets"),
                  pick(language, "#Bytes", "#Octets"), pick(language, "#Media", "#Média"),
                  pick(language, "#Denied", "#Refusés")});
  std::uint64_t denied = 0;
  for (std::size_t i = 0; i < timeline.bins.size(); ++i) {
    const Timeline::Bin& bin = timeline.bins[i];
    denied += bin.denied_packets;
    const double seconds = static_cast<double>(timeline.bin.count()) / 1e9 * static_cast<double>(i);
    table += fmt::format(
        "<tr{}><td class=\"n\">{} s</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
        bin.denied_packets > 0 ? " class=\"bad\"" : "", decimal_text(seconds, 3, language),
        number_text(bin.packets, language), number_text(bin.bytes, language),
        number_text(bin.media_packets, language), number_text(bin.denied_packets, language));
  }
  table += kCloseTable;
  return fmt::format(
      "<section><h2>{}</h2><figure>{}<figcaption><span class=\"key bar\"></span>{}"
      "<span class=\"key other\"></span>{}<span class=\"key denied\"></span>{} ({})"
      "</figcaption></figure>{}</section>\n",
      pick(language, "Packets over time", "Paquets au fil du temps"),
      timeline_figure(report, language), pick(language, "media", "média"),
      pick(language, "other", "autres"), pick(language, "denied addresses", "adresses refusées"),
      number_text(denied, language), as_table(language, table));
}

std::string html_media(const Report& report, Language language) {
  if (report.media.empty()) return {};
  std::string out =
      fmt::format("<section><h2>{}</h2>\n", pick(language, "Media streams", "Flux de média"));
  for (std::size_t i = 0; i < std::min(report.media.size(), kMaxHtmlStreams); ++i) {
    const MediaStreamSummary& stream = report.media[i];
    out += fmt::format(
        "<figure><h4>SSRC {:08x} – {}</h4>{}<figcaption>{}</figcaption></figure>\n", stream.ssrc,
        protection_text(stream.protection, language), size_figure(stream, i, language),
        pick(language, "Payload sizes in steps of 32 bytes. One bar says nothing of the voice.",
             "Tailles par pas de 32 octets. Une seule barre ne dit rien de la voix."));
  }
  std::string table = open_table(
      {"SSRC", pick(language, "#Flow", "#Flux"), pick(language, "Protection", "Protection"),
       "Codec", pick(language, "Voice", "Voix"), pick(language, "#Packets", "#Paquets"),
       pick(language, "#Sizes", "#Tailles"),
       pick(language, "#Entropy of sizes (bits)", "#Entropie des tailles (bits)"),
       pick(language, "#of bytes", "#des octets")});
  for (const MediaStreamSummary& stream : report.media) {
    table += fmt::format(
        "<tr{}><td class=\"mono\">{:08x}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td></tr>\n",
        stream.protection == Protection::kNone || stream.protection == Protection::kOpenedPlain
            ? " class=\"bad\""
            : "",
        stream.ssrc, stream.flow, protection_text(stream.protection, language),
        codec_text(stream.codec),
        stream.speech ? pick(language, "yes", "oui") : std::string_view("–"),
        number_text(stream.packets, language), number_text(stream.distinct_sizes, language),
        decimal_text(stream.size_entropy, 2, language),
        decimal_text(stream.byte_entropy, 2, language));
  }
  return out + table + std::string(kCloseTable) + "</section>\n";
}

std::string html_flows(const Report& report, Language language) {
  if (report.flows.empty()) return {};
  std::string out = fmt::format("<section><h2>{}</h2>\n", pick(language, "Flows", "Flux"));
  out += open_table({pick(language, "#No.", "#N°"), pick(language, "From", "De"),
                     pick(language, "To", "Vers"), pick(language, "Kind", "Genre"),
                     pick(language, "Name", "Nom"),
                     pick(language, "Place and owner", "Lieu et propriétaire"),
                     pick(language, "#Packets", "#Paquets"), pick(language, "#Bytes", "#Octets")});
  const std::size_t shown = std::min(report.flows.size(), kMaxHtmlFlows);
  for (std::size_t i = 0; i < shown; ++i) out += flow_row(report.flows[i], report, language);
  out += kCloseTable;
  const std::uint64_t more = report.flows.size() - shown + report.flows_left_out;
  if (more > 0) {
    out += fmt::format("<p class=\"dim\">{} {}</p>", number_text(more, language),
                       pick(language, "more flows; the JSON report has up to 4,000.",
                            "autres flux ; le rapport JSON en contient jusqu'à 4 000."));
  }
  return out + "</section>\n";
}

std::string html_given(const Report& report, Language language) {
  std::string out = fmt::format("<section><h2>{}</h2><div class=\"scroll\"><table><tbody>\n",
                                pick(language, "What was examined, and by what",
                                     "Ce qui a été examiné, et avec "
                                     "quoi"));
  const std::string none(pick(language, "none", "aucun"));
  out += row(pick(language, "Format", "Format"), report.format);
  if (report.packets.packets > 0) {
    out += row(pick(language, "Begin", "Début"), time_text(report.begin));
    out += row(pick(language, "End", "Fin"), time_text(report.end));
  }
  out += row(pick(language, "Database", "Base de données"),
             report.database.name.empty()
                 ? none
                 : fmt::format("{} {} SHA-256 {}", report.database.name, report.database.date,
                               base::to_hex(report.database.sha256)));
  out += row(pick(language, "Policy, SHA-256", "Politique, SHA-256"),
             report.has_policy ? report.policy_sha256 : none);
  if (report.has_manifest) {
    const ManifestFacts& manifest = report.manifest;
    out += row(pick(language, "Manifest, SHA-256", "Manifeste, SHA-256"), manifest.sha256);
    out += row(pick(language, "Hash of its key", "Empreinte de sa clé"), manifest.key_hash);
    out += row(pick(language, "Serial, endpoints", "Série, points d'accès"),
               fmt::format("{}, {}", manifest.serial, manifest.endpoints));
    out += row(pick(language, "Server", "Serveur"), manifest.software);
  } else {
    out += row(pick(language, "Manifest", "Manifeste"), none);
  }
  out += row(pick(language, "Identifiers sought", "Identifiants cherchés"),
             number_text(report.identifiers, language));
  const auto count = [&](std::string_view english, std::string_view french, std::uint64_t number) {
    out += row(pick(language, english, french), number_text(number, language));
  };
  count("Frames", "Trames", report.capture.frames);
  count("Cut frames", "Trames coupées", report.capture.cut_frames);
  count("Missed by the capture", "Manquées par la capture", report.capture.dropped_by_capture);
  count("Not IP", "Pas IP", report.packets.not_ip);
  count("Malformed", "Malformées", report.packets.malformed);
  count("Fragments", "Fragments", report.packets.fragments);
  count("Gaps in streams", "Trous dans les flux", report.flow_counters.stream_gaps);
  out += "</tbody></table></div>\n";
  if (!report.policy_text.empty()) {
    std::string lines;  // escape_html would take line feeds for control characters
    const std::string text = clean_lines(report.policy_text);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines += escape_html(std::string_view(text).substr(at, end - at), 1 << 18) + "\n";
      at = end + 1;
    }
    out += fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n",
                       pick(language, "The policy", "La politique"), lines);
  }
  return out + "</section>\n";
}

}  // namespace alcove::audit
