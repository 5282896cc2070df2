#include "policy/decide.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "policy/address_class.h"

namespace alcove::policy {
namespace {

bool contains_any(const std::vector<Network>& networks, const base::IpAddress& address) {
  return std::ranges::any_of(networks, [&](const Network& one) { return one.contains(address); });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool has_part(std::string_view name, std::string_view part) {
  return !std::ranges::search(name, part, {}, lower, lower).empty();
}

// Registries give blocks to "the European Union" or "the Asia-Pacific region": no country is known
// then, unless a rule means just that.
bool is_region(const Country& country) { return country.code() == "EU" || country.code() == "AP"; }

bool says_nothing(const Country& country, const std::set<Country>& allowed) {
  return !country.known() || (is_region(country) && !allowed.contains(country));
}

// The denial that a rule of the location gives, or nullopt.
std::optional<Reason> judge_location(const Policy& policy, const GeoRecord& record) {
  const Country& country = record.country;
  if (policy.denied_countries.contains(country)) return Reason::kDeniedCountry;
  if (record.anycast || policy.allowed_countries.empty()) return std::nullopt;
  if (says_nothing(country, policy.allowed_countries)) return std::nullopt;
  if (!policy.allowed_countries.contains(country)) return Reason::kCountryNotAllowed;
  return std::nullopt;
}

std::optional<Reason> judge_owner(const Policy& policy, const GeoRecord& record) {
  if (record.asn != 0 && policy.denied_asns.contains(record.asn)) return Reason::kDeniedAsn;
  for (const std::string& part : policy.denied_owner_names)
    if (has_part(record.owner, part)) return Reason::kDeniedOwnerName;
  const Country& country = record.owner_country;
  if (policy.denied_owner_countries.contains(country)) return Reason::kDeniedOwnerCountry;
  if (policy.allowed_owner_countries.empty()) return std::nullopt;
  if (says_nothing(country, policy.allowed_owner_countries)) return std::nullopt;
  if (!policy.allowed_owner_countries.contains(country)) return Reason::kOwnerCountryNotAllowed;
  return std::nullopt;
}

// What a rule asks for and the database does not say.
std::optional<Reason> judge_unknown(const Policy& policy, const GeoRecord& record) {
  if (policy.unknown == Policy::Treatment::kAllow) return std::nullopt;
  // Of an anycast address that the operator allows, nobody can know the country.
  if (policy.needs_location() && !record.anycast &&
      says_nothing(record.country, policy.allowed_countries))
    return Reason::kUnknownCountry;
  const bool asks_country =
      !policy.allowed_owner_countries.empty() || !policy.denied_owner_countries.empty();
  if ((asks_country && says_nothing(record.owner_country, policy.allowed_owner_countries)) ||
      (!policy.denied_asns.empty() && record.asn == 0) ||
      (!policy.denied_owner_names.empty() && record.owner.empty()))
    return Reason::kUnknownOwner;
  return std::nullopt;
}

std::optional<Reason> judge_record(const Policy& policy, const GeoRecord& record) {
  if (record.anycast && policy.denies_anycast()) return Reason::kAnycast;
  if (const auto reason = judge_location(policy, record)) return reason;
  if (const auto reason = judge_owner(policy, record)) return reason;
  return judge_unknown(policy, record);
}

GeoRecord find_record(const Policy& policy, const GeoDatabase& database,
                      const base::IpAddress& address) {
  GeoRecord record = database.find(address);
  const auto better = policy.owner_country_of.find(record.asn);
  if (record.asn != 0 && better != policy.owner_country_of.end())
    record.owner_country = better->second;
  return record;
}

Decision denied(Decision decision, Reason reason) {
  decision.allowed = false;
  decision.reason = reason;
  return decision;
}

Decision allowed(Decision decision, Reason reason) {
  decision.allowed = true;
  decision.reason = reason;
  return decision;
}

// One address, without looking inside of it.
Decision decide_one(const Policy& policy, const GeoDatabase& database,
                    const base::IpAddress& address) {
  Decision decision{
      .address_class = classify(address), .address = address, .database = database.id()};
  const bool is_global = decision.address_class == AddressClass::kGlobal;
  if (is_global) decision.record = find_record(policy, database, address);
  if (contains_any(policy.denied_networks, address))
    return denied(std::move(decision), Reason::kDeniedNetwork);
  if (decision.address_class == AddressClass::kMulticast ||
      decision.address_class == AddressClass::kReserved)
    return denied(std::move(decision), Reason::kNotUnicast);
  if (contains_any(policy.allowed_networks, address))
    return allowed(std::move(decision), Reason::kAllowedNetwork);
  if (!is_global) {
    if (policy.private_addresses == Policy::Treatment::kDeny)
      return denied(std::move(decision), Reason::kDeniedPrivate);
    return allowed(std::move(decision), Reason::kAllowedPrivate);
  }
  if (const auto reason = judge_record(policy, decision.record))
    return denied(std::move(decision), *reason);
  const bool is_named = policy.allowed_countries.contains(decision.record.country);
  return allowed(std::move(decision),
                 is_named ? Reason::kAllowedCountry : Reason::kAllowedByDefault);
}

}  // namespace

Decision decide(const Policy& policy, const GeoDatabase& database, const base::IpAddress& address) {
  const EmbeddedAddresses inside = embedded_addresses(address);
  if (inside.count == 0) return decide_one(policy, database, address);
  if (contains_any(policy.denied_networks, address))
    return denied({.address = address,
                   .record = find_record(policy, database, address),
                   .database = database.id()},
                  Reason::kDeniedNetwork);
  Decision decision;
  for (const base::IpAddress& one : inside) {
    decision = decide_one(policy, database, one);
    if (!decision.allowed) return decision;
    // A tunnel to an address that the internet does not carry: no standard allows it.
    if (decision.address_class != AddressClass::kGlobal)
      return denied(std::move(decision), Reason::kNotUnicast);
  }
  return decision;
}

OfferDecision decide_offer(const Policy& policy, const GeoDatabase& database,
                           const base::IpAddress& visitor) {
  const Policy::Offer& offer = policy.offer;
  if (offer.denied.empty() && offer.warned.empty()) return OfferDecision::kOffered;
  OfferDecision result = OfferDecision::kOffered;
  const auto judge = [&](const base::IpAddress& address) {
    if (classify(address) != AddressClass::kGlobal) return;
    const Country country = database.find(address).country;
    if (offer.denied.contains(country)) result = OfferDecision::kDenied;
    if (offer.warned.contains(country)) result = std::max(result, OfferDecision::kWarned);
  };
  const EmbeddedAddresses inside = embedded_addresses(visitor);
  if (inside.count == 0) judge(visitor);
  // The last one of Teredo is its server, which is not where the visitor is.
  if (inside.count > 0) judge(inside.list[0]);
  return result;
}

}  // namespace alcove::policy
