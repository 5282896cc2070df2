#include "policy/manifest.h"

namespace alcove::policy {

std::optional<Decision> first_denied(const v1::ManifestEndpoint& endpoint, const Policy& policy,
                                     const GeoDatabase& database) {
  const auto check = [&](const std::string& text) -> std::optional<Decision> {
    const auto address = base::IpAddress::parse(text);
    if (!address) return std::nullopt;
    const Decision decision = decide(policy, database, *address);
    return decision.allowed ? std::nullopt : std::optional(decision);
  };
  if (auto denied = check(endpoint.host())) return denied;
  for (const std::string& address : endpoint.addresses())
    if (auto denied = check(address)) return denied;
  return std::nullopt;
}

}  // namespace alcove::policy
