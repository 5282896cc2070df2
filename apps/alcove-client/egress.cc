#include "egress.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "audit_files.h"
#include "client/whole_file.h"
#include "files.h"

namespace alcove::app {

using base::Result;
using client::ManifestGuard;

namespace {

constexpr std::size_t kMaxPolicyFile = 256 << 10;

Result<std::optional<ManifestGuard::OwnPolicy>> open_policy(const EgressOptions& options) {
  if (options.policy_file.empty()) {
    if (options.geo_databases.empty()) return std::nullopt;
    return base::fail(base::ErrorCode::kInvalidArgument, "--geo-database needs --policy.");
  }
  const Result<std::string> text = client::read_whole_file(options.policy_file, kMaxPolicyFile);
  if (!text) return std::unexpected(text.error());
  Result<policy::Policy> policy = policy::parse_policy(*text);
  if (!policy)
    return base::fail(policy.error().code, options.policy_file + ": " + policy.error().message);
  ManifestGuard::OwnPolicy own{*std::move(policy), policy::GeoDatabase::empty()};
  if (!options.geo_databases.empty()) {
    auto database = policy::GeoDatabase::open(options.geo_databases);
    if (!database) return std::unexpected(database.error());
    own.database = *std::move(database);
  } else if (own.policy.needs_database()) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      options.policy_file +
                          " has rules of countries or owners: "
                          "--geo-database names the file that knows them.");
  }
  return own;
}

}  // namespace

Egress::Egress(const EgressOptions& options, client::ServerAddress house,
               std::optional<ManifestGuard::OwnPolicy> own)
    : guard_(std::move(house), std::move(own)),
      known_(load_known_servers(options.data_directory)),
      accept_new_key_(options.accept_new_manifest_key),
      authorities_file_(options.authorities_file),
      data_directory_(options.data_directory) {}

Result<std::unique_ptr<Egress>> Egress::open(const EgressOptions& options,
                                             const client::ServerAddress& house) {
  auto own = open_policy(options);
  if (!own) return std::unexpected(own.error());
  std::unique_ptr<Egress> egress(new Egress(options, house, *std::move(own)));
  if (options.tls_key_log_file.empty()) return egress;
  auto log = open_tls_key_log(options.tls_key_log_file);
  if (!log) return std::unexpected(log.error());
  egress->key_log_ = *std::move(log);
  return egress;
}

void Egress::save() {
  if (!known_.changed()) return;
  const Result<void> saved = save_known_servers(data_directory_, known_);
  if (!saved) fmt::print(stderr, "alcove-client: {}\n", saved.error().message);
}

}  // namespace alcove::app
