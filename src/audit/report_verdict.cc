#include "audit/report_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/report_words.h"

namespace alcove::audit {

bool Report::clean() const {
  return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return severity_of(finding.code) == Severity::kInfo;
  });
}

Tally tally(const Report& report) {
  Tally tally;
  for (const Finding& finding : report.findings) {
    switch (severity_of(finding.code)) {
      case Severity::kError:
        ++tally.errors;
        break;
      case Severity::kWarning:
        ++tally.warnings;
        break;
      case Severity::kInfo:
        ++tally.infos;
        break;
    }
  }
  return tally;
}

namespace {

bool has(const Report& report, std::initializer_list<FindingCode> codes) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
    return std::find(codes.begin(), codes.end(), finding.code) != codes.end();
  });
}

std::string headline(const Report& report, const Tally& tally, Language language) {
  if (report.packets.packets == 0 && report.clean()) {
    return std::string(pick(language, "The capture holds no packet that could be examined.",
                            "La capture ne contient aucun paquet qui ait pu être examiné."));
  }
  if (tally.errors + tally.warnings == 0) {
    return std::string(pick(language, "Clean: nothing was found that has to be acted on.",
                            "Rien à signaler, aucun constat ne demande d'agir."));
  }
  const std::string serious =
      counted(tally.errors, pick(language, "serious finding", "constat grave"),
              pick(language, "serious findings", "constats graves"), language);
  const std::string warnings = counted(tally.warnings, pick(language, "warning", "avertissement"),
                                       pick(language, "warnings", "avertissements"), language);
  if (tally.errors == 0) return warnings + ".";
  if (tally.warnings == 0) return serious + ".";
  return fmt::format("{} {} {}.", serious, pick(language, "and", "et"), warnings);
}

std::vector<std::string> points_of(const Report& report, Language language) {
  using enum FindingCode;
  std::vector<std::string> points;
  const auto say = [&](std::initializer_list<FindingCode> codes, std::string_view english,
                       std::string_view french) {
    if (has(report, codes)) points.emplace_back(pick(language, english, french));
  };
  say({kManifestInvalid}, "The server's manifest cannot be trusted.",
      "Le manifeste du serveur n'est pas digne de confiance.");
  say({kDeniedCountry, kDeniedOwner, kDeniedUnknown, kDeniedOther},
      "Packets went to addresses that the policy rules out, or came from them.",
      "Des paquets sont allés à des adresses que la politique exclut, ou en sont venus.");
  say({kNotInManifest, kDnsNotInManifest, kManifestNameElsewhere, kManifestAgainstPolicy},
      "Addresses or names were used that the server's manifest does not list, or that should not "
      "be in it.",
      "Des adresses ou des noms ont servi que le manifeste du serveur ne contient pas, ou ne "
      "devrait pas contenir.");
  say({kKnownIdentifier, kToken, kIdentifierField, kRtcpName, kStunAttribute, kRepeatedToken},
      "Who or which room it was could be read or recognised by others on the way.",
      "Qui était là, ou dans quel salon, pouvait être lu ou reconnu en chemin.");
  say({kRtpInClear, kOpusReadable, kPcmuReadable, kPcmaReadable, kG722Readable, kSpeechReadable,
       kSrtpKeyInClear},
      "Audio could be heard by everybody who carried it.",
      "Le son pouvait être écouté par tous ceux qui le transportaient.");
  say({kNoInnerEncryption}, "The operator of the relay could hear the audio.",
      "L'exploitant du relais pouvait écouter le son.");
  say({kSizesTellSpeech, kAudioLevelInClear},
      "Sizes or header fields tell how the voice moves, although the audio is encrypted.",
      "Les tailles ou les en-têtes disent comment bouge la voix, bien que le son soit chiffré.");
  say({kInnerEncryption},
      "Audio whose keys were given is encrypted end to end inside, as it should be.",
      "Le son dont les clés ont été données est chiffré de bout en bout à l'intérieur, comme il "
      "se doit.");
  return points;
}

std::vector<std::string> limits_of(const Report& report, Language language) {
  std::vector<std::string> limits;
  const auto say = [&](bool when, std::string_view english, std::string_view french) {
    if (when) limits.emplace_back(pick(language, english, french));
  };
  say(!report.has_policy, "No policy was given: no country or owner was judged.",
      "Aucune politique n'a été donnée, donc aucun pays ni propriétaire n'a été jugé.");
  say(report.database.name.empty(), "There was no database of countries and network owners.",
      "Il n'y avait pas de base de données des pays et des propriétaires de réseaux.");
  say(!report.has_manifest, "No manifest was given: no address was compared with a server's list.",
      "Aucun manifeste n'a été donné, donc aucune adresse n'a été comparée à la liste d'un "
      "serveur.");
  say(report.identifiers == 0,
      "No identifiers were given: only what looks like one by its shape could be found.",
      "Aucun identifiant n'a été donné, donc seul ce qui en a la forme a pu être trouvé.");
  say(!report.has_keys, "No keys were given: encrypted connections were judged from outside alone.",
      "Aucune clé n'a été donnée, donc les connexions chiffrées n'ont été jugées que de "
      "l'extérieur.");
  say(report.capture.cut_frames + report.capture.dropped_by_capture + report.capture.bad_blocks >
              0 ||
          report.capture.ended_early,
      "The capture is not complete: see the findings about it.",
      "La capture n'est pas complète, voir les constats à son sujet.");
  say(report.findings_left_out > 0, "There were more findings than this report keeps.",
      "Il y avait plus de constats que ce rapport n'en garde.");
  return limits;
}

}  // namespace

Verdict verdict_of(const Report& report, Language language) {
  Verdict verdict;
  const Tally counts = tally(report);
  verdict.worst = counts.errors > 0     ? Severity::kError
                  : counts.warnings > 0 ? Severity::kWarning
                                        : Severity::kInfo;
  verdict.headline = headline(report, counts, language);
  verdict.points = points_of(report, language);
  verdict.limits = limits_of(report, language);
  return verdict;
}

}  // namespace alcove::audit
