#pragma once
// What the audit judges by, read from files and servers.

#include <memory>
#include <optional>
#include <string>

#include "audit/auditor.h"
#include "base/result.h"
#include "options.h"
#include "policy/geo_database.h"
#include "policy/manifest.h"
#include "policy/policy.h"

namespace alcove::app {

struct Given {
  std::unique_ptr<policy::GeoDatabase> database;  // never null; may be empty
  std::optional<policy::Policy> policy;           // of --policy
  std::optional<policy::VerifiedManifest> manifest;
  std::string manifest_fault_en, manifest_fault_fr;
  std::vector<std::string> identifiers;
  std::string key_log;
};

// Errors: input that cannot be used. A manifest that came and does not verify is none: it is
// something that the audit found.
base::Result<Given> read_given(const GivenFiles& files);

// A manifest from a file or a server; nullopt with the fault where it does not hold.
struct ReadManifest {
  std::optional<policy::VerifiedManifest> manifest;
  std::string fault;
};
base::Result<ReadManifest> read_manifest_of(const std::string& file_or_url,
                                            const std::string& key_hash,
                                            const std::string& authorities);

// Those named; else ALCOVE_GEO_DATABASE, geo/geo.mmdb of the build tree that the program is in, or
// /usr/share/alcove/geo.mmdb. Empty, and said on standard error, where there is none.
base::Result<std::unique_ptr<policy::GeoDatabase>> open_database(
    const std::vector<std::string>& named);

// kFailedPrecondition: rules about countries or owners, and nothing that knows them.
base::Result<void> check_database(const policy::Policy* policy,
                                  const policy::GeoDatabase& database);

audit::AuditorOptions to_auditor_options(Given& given, std::string input);

}  // namespace alcove::app
