#include <fmt/format.h>

#include <utility>

#include "audit/report_words.h"
#include "base/text.h"
#include "console.h"
#include "fetch.h"
#include "given.h"
#include "net/resolve_host.h"
#include "prepare.h"
#include "privileges.h"
#include "server_commands.h"

namespace alcove::app {

using audit::pick;
using base::Result;

namespace {

using Language = audit::Language;

std::string_view purpose_text(v1::ManifestEndpoint::Purpose purpose, Language language) {
  switch (purpose) {
    case v1::ManifestEndpoint::PURPOSE_HOUSE:
      return pick(language, "the web app and the API", "l'application web et l'API");
    case v1::ManifestEndpoint::PURPOSE_RELAY:
      return pick(language, "media", "le média");
    case v1::ManifestEndpoint::PURPOSE_PUSH:
      return pick(language, "contacted by the server alone", "contacté par le serveur seul");
    default:
      return pick(language, "unknown purpose", "usage inconnu");
  }
}

std::string endpoint_text(const v1::ManifestEndpoint& endpoint, Language language) {
  std::string text = endpoint.host();
  for (const std::string& address : endpoint.addresses())
    text += (text.empty() ? "" : " ") + address;
  text += endpoint.protocol() == v1::ManifestEndpoint::PROTOCOL_UDP ? " udp" : " tcp";
  for (const std::uint32_t port : endpoint.ports()) text += fmt::format(" {}", port);
  text += fmt::format(", {}", purpose_text(endpoint.purpose(), language));
  text += fmt::format(
      "; {} {}{}{}", pick(language, "said to be in", "dit être en"),
      endpoint.country().empty() ? "?" : endpoint.country(),
      endpoint.asn() == 0 && endpoint.owner().empty()
          ? ""
          : fmt::format(", AS{} {}", endpoint.asn(), endpoint.owner()),
      endpoint.owner_country().empty() ? "" : fmt::format(" ({})", endpoint.owner_country()));
  return text;
}

class Judge {
 public:
  Judge(const Options& options, const policy::GeoDatabase& database,
        const std::optional<policy::Policy>& policy)
      : options_(options), database_(database), policy_(policy) {}

  // Returns how much is wrong with an endpoint.
  int judge(const v1::ManifestEndpoint& endpoint) const {
    int faults = 0;
    std::vector<base::IpAddress> addresses;
    const auto literal = base::IpAddress::parse(endpoint.host());
    if (literal) addresses.push_back(*literal);
    for (const std::string& text : endpoint.addresses())
      if (const auto address = base::IpAddress::parse(text)) addresses.push_back(*address);
    if (options_.resolve && !endpoint.host().empty() && !literal)
      faults += follow(endpoint, addresses);
    for (const base::IpAddress& address : addresses) faults += judge(endpoint, address);
    return faults;
  }

 private:
  Language language() const { return options_.outputs.language; }

  int follow(const v1::ManifestEndpoint& endpoint, std::vector<base::IpAddress>& addresses) const {
    int faults = 0;
    const auto found = net::resolve_host(endpoint.host());
    if (!found) {
      say(fmt::format("    {}", found.error().message));
      return 0;
    }
    for (const base::IpAddress& address : *found) {
      const bool listed = policy::lists_address(endpoint, address);
      say(fmt::format("    {} → {}{}", endpoint.host(), address.text(),
                      listed ? ""
                             : pick(language(), "  AUD-110: NOT LISTED for this name",
                                    "  AUD-110 : NON LISTÉE pour ce nom")));
      faults += listed ? 0 : 1;
      if (endpoint.addresses_size() == 0) addresses.push_back(address);
    }
    return faults;
  }

  int judge(const v1::ManifestEndpoint& endpoint, const base::IpAddress& address) const {
    const policy::Decision decision =
        policy::decide(policy_ ? *policy_ : policy::Policy{}, database_, address);
    int faults = 0;
    if (policy_ && !decision.allowed) ++faults;
    say(fmt::format("    {}", language() == Language::kFrench ? policy::explain_fr(decision)
                                                              : policy::explain_en(decision)));
    const std::string_view here = decision.record.country.code();
    if (!here.empty() && !endpoint.country().empty() && here != endpoint.country()) {
      // Two databases may differ: told, but no fault by itself.
      say(fmt::format("    {} {}",
                      pick(language(), "The manifest says another country:",
                           "Le manifeste dit un autre pays :"),
                      endpoint.country()));
    }
    return faults;
  }

  const Options& options_;
  const policy::GeoDatabase& database_;
  const std::optional<policy::Policy>& policy_;
};

void print_head(const policy::VerifiedManifest& verified, Language language) {
  const v1::Manifest& manifest = verified.manifest;
  const auto line = [&](std::string_view english, std::string_view french, std::string_view value) {
    say(fmt::format("{}: {}", pick(language, english, french), value));
  };
  line("Signature", "Signature", pick(language, "holds", "valable"));
  line("Hash of the key", "Empreinte de la clé",
       base::to_hex(policy::manifest_key_hash(verified.key)));
  line("SHA-256", "SHA-256", base::to_hex(verified.sha256));
  line("Software", "Logiciel", manifest.software());
  line("Serial", "Série",
       fmt::format("{}, {}", manifest.serial(),
                   audit::time_text(
                       audit::CaptureTime(std::chrono::milliseconds(manifest.created_at_ms())))));
  line("Database", "Base de données",
       fmt::format("{} {}", manifest.database().name(), manifest.database().date()));
  line("Web files", "Fichiers web", fmt::format("{}", manifest.web_files_size()));
}

}  // namespace

void say(const std::string& line) { write_stdout(audit::clean_text(line, 1 << 16) + "\n"); }

int check_manifest(const Options& options) {
  const Language language = options.outputs.language;
  limit_resources();
  GivenFiles files = options.given;
  const std::string key = std::exchange(files.manifest_key, "");
  auto given = read_local(files);
  if (!given) return give_up(given.error().message);
  const auto read_target = [&] { return read_manifest_of(options.target, key, files.authorities); };
  Result<ReadManifest> read = is_url(options.target) ? ReadManifest() : read_target();
  if (auto dropped = become_ordinary(options); !dropped) return give_up(dropped.error().message);
  if (is_url(options.target)) read = read_target();
  if (!read) return give_up(read.error().message);
  if (!read->manifest) {
    say(fmt::format("AUD-108: {}", read->fault));
    return kFindings;
  }
  std::optional<policy::Policy> policy = given->policy;
  const std::string& own = read->manifest->manifest.policy_toml();
  print_head(*read->manifest, language);
  int faults = 0;
  if (!policy && !own.empty()) {
    auto parsed = policy::parse_policy(own);
    if (parsed) {
      policy = *std::move(parsed);
    } else {
      say("AUD-108: " + parsed.error().message);
      ++faults;
    }
  }
  if (auto checked = check_database(policy ? &*policy : nullptr, *given->database); !checked)
    return give_up(checked.error().message);
  say(std::string(
      given->policy
          ? pick(language, "Judged by the policy that you gave.", "Jugé selon votre politique.")
      : policy
          ? pick(language, "Judged by its own policy.", "Jugé selon sa propre politique.")
          : pick(language, "It has no policy, and none was given: nothing is denied.",
                 "Il n'a pas de politique et aucune n'a été donnée, donc rien n'est refusé.")));
  const Judge judge(options, *given->database, policy);
  for (const v1::ManifestEndpoint& endpoint : read->manifest->manifest.endpoints()) {
    say(fmt::format("- {}", endpoint_text(endpoint, language)));
    faults += judge.judge(endpoint);
  }
  say(faults == 0
          ? std::string(pick(language, "Nothing is against the policy.",
                             "Rien n'est contraire à la politique."))
          : audit::counted(static_cast<std::uint64_t>(faults), pick(language, "finding", "constat"),
                           pick(language, "findings", "constats"), language));
  return faults == 0 ? kClean : kFindings;
}

}  // namespace alcove::app
