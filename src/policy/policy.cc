#include "policy/policy.h"

#include <fmt/format.h>

namespace alcove::policy {

bool Network::contains(const base::IpAddress& other) const {
  if (other.is_v4() != address.is_v4()) return false;
  const base::Bytes mine = address.bytes();
  const base::Bytes theirs = other.bytes();
  const std::size_t whole = prefix / 8;
  for (std::size_t i = 0; i < whole && i < mine.size(); ++i)
    if (mine[i] != theirs[i]) return false;
  if (prefix % 8 == 0 || whole >= mine.size()) return true;
  return (mine[whole] ^ theirs[whole]) >> (8 - prefix % 8) == 0;
}

std::string Network::text() const { return fmt::format("{}/{}", address.text(), prefix); }

bool Policy::needs_owner() const {
  return !allowed_owner_countries.empty() || !denied_owner_countries.empty() ||
         !denied_asns.empty() || !denied_owner_names.empty();
}

bool Policy::needs_database() const {
  return needs_location() || needs_owner() || denies_anycast() || !offer.denied.empty() ||
         !offer.warned.empty();
}

bool Policy::denies_anycast() const {
  return anycast == Treatment::kDeny && (needs_location() || anycast_is_written);
}

}  // namespace alcove::policy
