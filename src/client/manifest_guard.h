#pragma once
// Where this client's packets may go: before the server's manifest is verified, to the named server
// alone; from then on, to what the manifest lists; and always only to where the person's own policy
// allows, if there is one. One for a visit; one thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/egress.h"
#include "client/link.h"
#include "policy/geo_database.h"
#include "policy/manifest.h"
#include "policy/policy.h"

namespace alcove::client {

class ManifestGuard final : public base::EgressGuard {
 public:
  // The person's own, beside the server's (docs/policy.md).
  struct OwnPolicy {
    policy::Policy policy;
    std::unique_ptr<policy::GeoDatabase> database;
  };

  explicit ManifestGuard(ServerAddress house, std::optional<OwnPolicy> own = {});

  // The manifest is in force from here on. kPermissionDenied, and nothing changes, when it does not
  // list the server at an address that was contacted already, or is older than the one in force.
  base::Result<void> accept(policy::VerifiedManifest manifest);
  // Null before.
  const policy::VerifiedManifest* manifest() const { return manifest_ ? &*manifest_ : nullptr; }
  const ServerAddress& house() const { return house_; }

  // Every candidate of a relay's answer is a literal that may be contacted. kPermissionDenied, with
  // a message that names the first that is not.
  base::Result<void> check_answer(std::string_view sdp) const;

  base::Result<void> check_host(std::string_view host, std::uint16_t port) override;
  base::Result<void> check(const base::EgressDestination& destination) override;
  std::uint64_t version() const override { return version_; }

 private:
  base::Result<void> check_own_policy(const base::IpAddress& address) const;
  base::Result<void> check_house(const v1::Manifest& manifest,
                                 const base::SocketAddress& address) const;
  base::Result<void> check_relay(const base::SocketAddress& address,
                                 base::TransportProtocol protocol) const;
  base::Result<void> check_candidate(std::string_view candidate) const;

  ServerAddress house_;
  std::optional<OwnPolicy> own_;
  std::optional<policy::VerifiedManifest> manifest_;
  std::set<base::SocketAddress> contacted_;  // of the house, before the manifest
  std::uint64_t version_ = 1;
};

}  // namespace alcove::client
