// Decisions in words (decide.h).

#include <fmt/format.h>

#include "base/text.h"
#include "policy/country_names.h"
#include "policy/decide.h"

namespace alcove::policy {
namespace {

std::string in_english(const Country& country) {
  const CountryName* name = find_country_name(country.code());
  if (name == nullptr) return "an unknown country";
  return fmt::format("{}{}", name->article_en, name->name_en);
}

std::string in_french(const Country& country) {
  const CountryName* name = find_country_name(country.code());
  if (name == nullptr) return "dans un pays inconnu";
  return fmt::format("{}{}", name->in_fr, name->name_fr);
}

// "AS64500 (Example GmbH)"
std::string network_name(const GeoRecord& record) {
  if (record.asn == 0) return record.owner;
  if (record.owner.empty()) return fmt::format("AS{}", record.asn);
  return fmt::format("AS{} ({})", record.asn, record.owner);
}

std::string place_en(const GeoRecord& record) {
  if (record.anycast) return "it is announced from many places at once (anycast)";
  if (!record.country.known()) return "its country is not known";
  return fmt::format("it is in {}", in_english(record.country));
}

std::string place_fr(const GeoRecord& record) {
  if (record.anycast) return "elle est annoncée de plusieurs endroits à la fois (anycast)";
  if (!record.country.known()) return "son pays n'est pas connu";
  return fmt::format("elle se trouve {}", in_french(record.country));
}

std::string network_en(const GeoRecord& record) {
  if (record.asn == 0 && record.owner.empty()) return "its network is not known";
  if (!record.owner_country.known())
    return fmt::format("its network is {}, whose owner's country is not known",
                       network_name(record));
  return fmt::format("its network {} belongs to a company in {}", network_name(record),
                     in_english(record.owner_country));
}

std::string network_fr(const GeoRecord& record) {
  if (record.asn == 0 && record.owner.empty()) return "son réseau n'est pas connu";
  if (!record.owner_country.known())
    return fmt::format("son réseau est {}, dont le pays du propriétaire n'est pas connu",
                       network_name(record));
  return fmt::format("son réseau {} appartient à une société établie {}", network_name(record),
                     in_french(record.owner_country));
}

std::string class_en(AddressClass address_class) {
  switch (address_class) {
    case AddressClass::kGlobal:
      return "a public address";
    case AddressClass::kPrivate:
      return "a private address";
    case AddressClass::kLoopback:
      return "an address of this machine itself (loopback)";
    case AddressClass::kLinkLocal:
      return "a link-local address";
    case AddressClass::kMulticast:
      return "a multicast address";
    case AddressClass::kReserved:
      return "a reserved address";
  }
  return "an address";
}

std::string class_fr(AddressClass address_class) {
  switch (address_class) {
    case AddressClass::kGlobal:
      return "une adresse publique";
    case AddressClass::kPrivate:
      return "une adresse privée";
    case AddressClass::kLoopback:
      return "une adresse de la machine elle-même (boucle locale)";
    case AddressClass::kLinkLocal:
      return "une adresse de lien local";
    case AddressClass::kMulticast:
      return "une adresse de multidiffusion";
    case AddressClass::kReserved:
      return "une adresse réservée";
  }
  return "une adresse";
}

// "owner.deny names CN"; a rule that lists "EU" names its member states.
std::string why_en(const Decision& decision) {
  const GeoRecord& record = decision.record;
  switch (decision.reason) {
    case Reason::kAllowedByDefault:
      return fmt::format("{}, {}, and no rule names them", place_en(record), network_en(record));
    case Reason::kAllowedCountry:
      return fmt::format("{}, which location.allow names, and {}", place_en(record),
                         network_en(record));
    case Reason::kAllowedNetwork:
      return "addresses.allow names it";
    case Reason::kAllowedPrivate:
      return fmt::format("it is {}, which private = \"allow\" lets through",
                         class_en(decision.address_class));
    case Reason::kDeniedNetwork:
      return "addresses.deny names it";
    case Reason::kDeniedCountry:
      return fmt::format("it is in {}, and location.deny names {}", in_english(record.country),
                         record.country.code());
    case Reason::kCountryNotAllowed:
      return fmt::format("it is in {}, and location.allow does not name {}",
                         in_english(record.country), record.country.code());
    case Reason::kDeniedAsn:
      return fmt::format("{}, but owner.deny_asn names its network {}", place_en(record),
                         network_name(record));
    case Reason::kDeniedOwnerName:
      return fmt::format("{}, but owner.deny_name has a part of the name of its network {}",
                         place_en(record), network_name(record));
    case Reason::kDeniedOwnerCountry:
      return fmt::format("{}, but {}, and owner.deny names {}", place_en(record),
                         network_en(record), record.owner_country.code());
    case Reason::kOwnerCountryNotAllowed:
      return fmt::format("{}, but {}, and owner.allow does not name {}", place_en(record),
                         network_en(record), record.owner_country.code());
    case Reason::kUnknownCountry:
      return "the database does not say in which country it is, and unknown = \"deny\"";
    case Reason::kUnknownOwner:
      return fmt::format("{}, but {}, and unknown = \"deny\"", place_en(record),
                         network_en(record));
    case Reason::kAnycast:
      return fmt::format("{}, so that nobody can say where packets end, and anycast = \"deny\"; {}",
                         place_en(record), network_en(record));
    case Reason::kDeniedPrivate:
      return fmt::format("it is {}, and private = \"deny\"", class_en(decision.address_class));
    case Reason::kNotUnicast:
      return fmt::format("it is {}, to which no service may be offered",
                         class_en(decision.address_class));
    case Reason::kNotAnAddress:
      return "it is a name where only a literal address is taken";
  }
  return "";
}

std::string why_fr(const Decision& decision) {
  const GeoRecord& record = decision.record;
  switch (decision.reason) {
    case Reason::kAllowedByDefault:
      return fmt::format("{}, {}, et aucune règle ne les nomme", place_fr(record),
                         network_fr(record));
    case Reason::kAllowedCountry:
      return fmt::format("{}, pays que location.allow nomme, et {}", place_fr(record),
                         network_fr(record));
    case Reason::kAllowedNetwork:
      return "addresses.allow la nomme";
    case Reason::kAllowedPrivate:
      return fmt::format("c'est {}, que private = \"allow\" laisse passer",
                         class_fr(decision.address_class));
    case Reason::kDeniedNetwork:
      return "addresses.deny la nomme";
    case Reason::kDeniedCountry:
      return fmt::format("elle se trouve {}, et location.deny nomme {}", in_french(record.country),
                         record.country.code());
    case Reason::kCountryNotAllowed:
      return fmt::format("elle se trouve {}, et location.allow ne nomme pas {}",
                         in_french(record.country), record.country.code());
    case Reason::kDeniedAsn:
      return fmt::format("{}, mais owner.deny_asn nomme son réseau {}", place_fr(record),
                         network_name(record));
    case Reason::kDeniedOwnerName:
      return fmt::format("{}, mais owner.deny_name a une partie du nom de son réseau {}",
                         place_fr(record), network_name(record));
    case Reason::kDeniedOwnerCountry:
      return fmt::format("{}, mais {}, et owner.deny nomme {}", place_fr(record),
                         network_fr(record), record.owner_country.code());
    case Reason::kOwnerCountryNotAllowed:
      return fmt::format("{}, mais {}, et owner.allow ne nomme pas {}", place_fr(record),
                         network_fr(record), record.owner_country.code());
    case Reason::kUnknownCountry:
      return "la base ne dit pas dans quel pays elle se trouve, et unknown = \"deny\"";
    case Reason::kUnknownOwner:
      return fmt::format("{}, mais {}, et unknown = \"deny\"", place_fr(record),
                         network_fr(record));
    case Reason::kAnycast:
      return fmt::format(
          "{}, si bien que personne ne peut dire où les paquets arrivent, et anycast = \"deny\" ; "
          "{}",
          place_fr(record), network_fr(record));
    case Reason::kDeniedPrivate:
      return fmt::format("c'est {}, et private = \"deny\"", class_fr(decision.address_class));
    case Reason::kNotUnicast:
      return fmt::format("c'est {}, où aucun service ne peut être offert",
                         class_fr(decision.address_class));
    case Reason::kNotAnAddress:
      return "c'est un nom, alors que seule une adresse littérale est admise";
  }
  return "";
}

// The first bytes of the hash are enough to tell two databases apart at a glance.
std::string short_hash(const GeoDatabase::Id& id) {
  return base::to_hex(base::Bytes(id.sha256).first(6)) + "…";
}

std::string subject(const Decision& decision, std::string_view name) {
  return decision.reason == Reason::kNotAnAddress ? std::string(name) : decision.address.text();
}

}  // namespace

std::string explain_en(const Decision& decision) {
  std::string text = fmt::format("{} is {}: {}.", subject(decision, "The host"),
                                 decision.allowed ? "allowed" : "denied", why_en(decision));
  const GeoDatabase::Id& id = decision.database;
  if (id.name.empty()) return text + " No database is in use.";
  const std::string date = id.date.empty() ? "without a date" : "of " + id.date;
  return text + fmt::format(" Database {} {} ({}).", id.name, date, short_hash(id));
}

std::string explain_fr(const Decision& decision) {
  std::string text = fmt::format("{} est {} : {}.", subject(decision, "L'adresse"),
                                 decision.allowed ? "autorisée" : "refusée", why_fr(decision));
  const GeoDatabase::Id& id = decision.database;
  if (id.name.empty()) return text + " Aucune base n'est en service.";
  const std::string date = id.date.empty() ? "sans date" : "du " + id.date;
  return text + fmt::format(" Base {} {} ({}).", id.name, date, short_hash(id));
}

}  // namespace alcove::policy
