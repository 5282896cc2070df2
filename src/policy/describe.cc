#include "policy/describe.h"

#include <fmt/format.h>

#include <algorithm>

namespace alcove::policy {
namespace {

// The words of one language, with {} for what the policy has.
struct Words {
  std::string_view denied_networks;
  std::string_view allowed_networks;
  std::string_view private_allowed;
  std::string_view private_denied;
  std::string_view never;
  std::string_view anycast_denied;
  std::string_view anycast_allowed;
  std::string_view denied_countries;
  std::string_view allowed_countries;
  std::string_view denied_asns;
  std::string_view denied_names;
  std::string_view denied_owners;
  std::string_view allowed_owners;
  std::string_view country_of;
  std::string_view unknown_denied;
  std::string_view unknown_allowed;
  std::string_view no_rule;
  std::string_view offer_denied;
  std::string_view offer_warned;
};

constexpr Words kEnglish = {
    .denied_networks = "Denied whatever else holds: {}.",
    .allowed_networks = "Allowed whatever follows: {}.",
    .private_allowed = "Private, loopback and link-local addresses are allowed.",
    .private_denied = "Private, loopback and link-local addresses are denied.",
    .never = "Multicast and reserved addresses are never allowed.",
    .anycast_denied = "Anycast addresses are denied: nobody can say where packets to them end.",
    .anycast_allowed =
        "Anycast addresses are allowed, though nobody can say where packets to "
        "them end.",
    .denied_countries = "Addresses in these countries are denied: {}.",
    .allowed_countries = "Only addresses in these countries are allowed: {}.",
    .denied_asns = "These networks are denied: {}.",
    .denied_names = "Networks with one of these in their names are denied: {}.",
    .denied_owners =
        "Networks of companies in these countries are denied, wherever the address "
        "is: {}.",
    .allowed_owners = "Only networks of companies in these countries are allowed: {}.",
    .country_of = "The operator says whose these networks are: {}.",
    .unknown_denied = "What the database does not know is denied.",
    .unknown_allowed = "What the database does not know is allowed.",
    .no_rule = "No rule asks for a country or a network: all public addresses are allowed.",
    .offer_denied = "The service is not offered to people who connect from {}.",
    .offer_warned = "People who connect from {} are warned.",
};

constexpr Words kFrench = {
    .denied_networks = "Refusés quoi qu'il en soit : {}.",
    .allowed_networks = "Autorisés quoi que dise la suite : {}.",
    .private_allowed = "Les adresses privées, de boucle locale et de lien local sont autorisées.",
    .private_denied = "Les adresses privées, de boucle locale et de lien local sont refusées.",
    .never = "Les adresses de multidiffusion et les adresses réservées ne sont jamais autorisées.",
    .anycast_denied =
        "Les adresses anycast sont refusées : personne ne peut dire où arrivent les "
        "paquets.",
    .anycast_allowed =
        "Les adresses anycast sont autorisées, bien que personne ne puisse dire où "
        "arrivent les paquets.",
    .denied_countries = "Les adresses de ces pays sont refusées : {}.",
    .allowed_countries = "Seules les adresses de ces pays sont autorisées : {}.",
    .denied_asns = "Ces réseaux sont refusés : {}.",
    .denied_names = "Les réseaux dont le nom contient l'un de ces mots sont refusés : {}.",
    .denied_owners =
        "Les réseaux de sociétés de ces pays sont refusés, où que soit l'adresse : "
        "{}.",
    .allowed_owners = "Seuls les réseaux de sociétés de ces pays sont autorisés : {}.",
    .country_of = "L'exploitant dit à qui sont ces réseaux : {}.",
    .unknown_denied = "Ce que la base ne connaît pas est refusé.",
    .unknown_allowed = "Ce que la base ne connaît pas est autorisé.",
    .no_rule =
        "Aucune règle ne porte sur un pays ou un réseau : toutes les adresses publiques "
        "sont autorisées.",
    .offer_denied = "Le service n'est pas offert aux personnes qui se connectent de : {}.",
    .offer_warned = "Les personnes qui se connectent de ces pays sont averties : {}.",
};

using NameOf = std::string_view (Country::*)() const;

class Description {
 public:
  Description(const Words& words, NameOf name) : words_(words), name_(name) {}

  std::vector<std::string> describe(const Policy& policy);

 private:
  void add(std::string_view sentence) { sentences_.emplace_back(sentence); }
  void add(std::string_view sentence, std::vector<std::string> items) {
    if (items.empty()) return;
    std::ranges::sort(items);
    sentences_.push_back(
        fmt::format(fmt::runtime(sentence), fmt::format("{}", fmt::join(items, ", "))));
  }
  std::vector<std::string> names(const std::set<Country>& countries) const {
    std::vector<std::string> result;
    for (const Country& country : countries)
      result.push_back(fmt::format("{} ({})", (country.*name_)(), country.code()));
    return result;
  }
  static std::vector<std::string> texts(const std::vector<Network>& networks) {
    std::vector<std::string> result;
    for (const Network& network : networks) result.push_back(network.text());
    return result;
  }
  void add_rules(const Policy& policy);

  const Words& words_;
  const NameOf name_;
  std::vector<std::string> sentences_;
};

void Description::add_rules(const Policy& policy) {
  if (policy.denies_anycast())
    add(words_.anycast_denied);
  else if (policy.needs_location() || policy.anycast_is_written)
    add(words_.anycast_allowed);
  add(words_.denied_countries, names(policy.denied_countries));
  add(words_.allowed_countries, names(policy.allowed_countries));
  std::vector<std::string> asns;
  for (const std::uint32_t asn : policy.denied_asns) asns.push_back(fmt::format("AS{}", asn));
  add(words_.denied_asns, std::move(asns));
  add(words_.denied_names, policy.denied_owner_names);
  add(words_.denied_owners, names(policy.denied_owner_countries));
  add(words_.allowed_owners, names(policy.allowed_owner_countries));
  std::vector<std::string> owners;
  for (const auto& [asn, country] : policy.owner_country_of)
    owners.push_back(fmt::format("AS{} {}", asn, country.code()));
  add(words_.country_of, std::move(owners));
  if (!policy.needs_location() && !policy.needs_owner())
    add(words_.no_rule);
  else
    add(policy.unknown == Policy::Treatment::kDeny ? words_.unknown_denied
                                                   : words_.unknown_allowed);
}

std::vector<std::string> Description::describe(const Policy& policy) {
  add(words_.denied_networks, texts(policy.denied_networks));
  add(words_.allowed_networks, texts(policy.allowed_networks));
  add(policy.private_addresses == Policy::Treatment::kAllow ? words_.private_allowed
                                                            : words_.private_denied);
  add(words_.never);
  add_rules(policy);
  add(words_.offer_denied, names(policy.offer.denied));
  add(words_.offer_warned, names(policy.offer.warned));
  return std::move(sentences_);
}

}  // namespace

std::vector<std::string> describe_en(const Policy& policy) {
  return Description(kEnglish, &Country::name_en).describe(policy);
}

std::vector<std::string> describe_fr(const Policy& policy) {
  return Description(kFrench, &Country::name_fr).describe(policy);
}

}  // namespace alcove::policy
