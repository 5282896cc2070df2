#pragma once
// The operator's jurisdictions, as written in policy.toml (docs/policy.md). A value. Any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "policy/country.h"

namespace alcove::policy {

struct Network {  // an address block
  base::IpAddress address;
  unsigned prefix = 0;
  bool contains(const base::IpAddress& other) const;
  std::string text() const;  // "198.51.100.0/24"
};

struct Policy {
  enum class Treatment : std::uint8_t { kAllow, kDeny };

  // [location] of the address
  // "EU" in the file stands for the member states as well.
  std::set<Country> allowed_countries;  // not empty: every other country is denied
  std::set<Country> denied_countries;
  // [owner] of the network
  std::set<Country> allowed_owner_countries;
  std::set<Country> denied_owner_countries;
  std::set<std::uint32_t> denied_asns;
  std::vector<std::string> denied_owner_names;        // a part of the name, any case
  std::map<std::uint32_t, Country> owner_country_of;  // better known than the database has it
  // [addresses]: go before everything else
  std::vector<Network> allowed_networks;
  std::vector<Network> denied_networks;
  // What to do when the database does not say, as soon as any rule above asks for it.
  Treatment unknown = Treatment::kDeny;
  // Anycast addresses, whose location cannot be known: once a rule asks for the location, or the
  // operator wrote what to do with them. Allowed ones are still held to location.deny.
  Treatment anycast = Treatment::kDeny;
  bool anycast_is_written = false;
  // Private, loopback and link-local addresses: they have no country.
  Treatment private_addresses = Treatment::kAllow;

  // [offer]: people who connect from there. Unknown and private addresses are offered it.
  struct Offer {
    std::set<Country> denied;
    std::set<Country> warned;
    std::string text_en;
    std::string text_fr;
  } offer;

  std::string text;  // as parsed, byte for byte; "" for the default

  bool needs_location() const { return !allowed_countries.empty() || !denied_countries.empty(); }
  bool needs_owner() const;
  bool denies_anycast() const;
  bool needs_database() const;
};

// "198.51.100.0/24", "2001:db8::/32", or one address; nullopt also where bits behind the prefix are
// set.
std::optional<Network> parse_network(std::string_view text);

// At most 256 KiB. The message names the line and the key, and says what is allowed there. Unknown
// keys are errors: a misspelt rule must not be no rule.
base::Result<Policy> parse_policy(std::string_view toml);

}  // namespace alcove::policy
