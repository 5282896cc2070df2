#pragma once
// Whether packets may go to an address, and why. Pure; any thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "policy/geo_database.h"
#include "policy/policy.h"

namespace alcove::policy {

// RFC 6890 and its registries, but the documentation ranges count as global: they are what tests
// and examples use, and databases say nothing of them, so that rules deny them as unknown.
enum class AddressClass : std::uint8_t {
  kGlobal,
  kPrivate,  // RFC 1918, RFC 6598 (shared), RFC 4193 (unique local)
  kLoopback,
  kLinkLocal,
  kMulticast,
  kReserved,  // unspecified, benchmarking, future use, broadcast, and what nobody may route
};
// An IPv4 address inside of IPv6 (6to4, NAT64 64:ff9b::/96, Teredo's server and client) is judged
// as IPv4 by decide(), too: packets go there.
AddressClass classify(const base::IpAddress& address);

enum class Reason : std::uint8_t {
  kAllowedByDefault,  // no rule names it
  kAllowedCountry,    // location.allow names its country
  kAllowedNetwork,    // addresses.allow
  kAllowedPrivate,    // private, loopback, link-local
  kDeniedNetwork,     // addresses.deny
  kDeniedCountry,
  kCountryNotAllowed,  // location.allow has others
  kDeniedAsn,
  kDeniedOwnerName,
  kDeniedOwnerCountry,
  kOwnerCountryNotAllowed,
  kUnknownCountry,
  kUnknownOwner,
  kAnycast,
  kDeniedPrivate,
  kNotUnicast,    // multicast and reserved: never
  kNotAnAddress,  // a name where a literal is asked for
};

struct Decision {
  bool allowed = false;
  Reason reason = Reason::kAllowedByDefault;
  AddressClass address_class = AddressClass::kGlobal;
  base::IpAddress address;  // as judged: of an embedded IPv4 address that one
  GeoRecord record;
  GeoDatabase::Id database;
};

Decision decide(const Policy& policy, const GeoDatabase& database, const base::IpAddress& address);

// One or two sentences: "198.51.100.7 is denied: it is in Germany, but its network AS64500
// (Example) belongs to a company in China, and owner.deny names CN. Database geo.mmdb of 2026-06-17
// (1a2b…)."
std::string explain_en(const Decision& decision);
std::string explain_fr(const Decision& decision);

// Words for programs, such as "denied_owner_country" and "link_local"; they do not change.
std::string_view code_of(Reason reason);
std::string_view code_of(AddressClass address_class);

enum class OfferDecision : std::uint8_t { kOffered, kWarned, kDenied };
OfferDecision decide_offer(const Policy& policy, const GeoDatabase& database,
                           const base::IpAddress& visitor);

}  // namespace alcove::policy
