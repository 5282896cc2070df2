#include "given.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "fetch.h"
#include "files.h"

namespace alcove::app {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kMaxPolicy = 256 << 10;
constexpr std::size_t kMaxManifestFile = policy::kMaxManifest * 2;
constexpr std::size_t kMaxIdentifierFile = 4 << 20;
constexpr std::size_t kMaxKeyLog = 64 << 20;
constexpr std::size_t kMinIdentifier = 4;
constexpr std::size_t kMaxIdentifier = 256;
constexpr std::size_t kMaxIdentifiers = 10000;
constexpr const char* kInstalledDatabase = "/usr/share/alcove/geo.mmdb";

Result<std::vector<std::string>> read_identifiers(const std::string& path) {
  auto content = read_file(path, kMaxIdentifierFile);
  if (!content) return std::unexpected(content.error());
  std::vector<std::string> identifiers;
  std::size_t number = 0;
  for (std::string_view rest = *content; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.size() < kMinIdentifier || line.size() > kMaxIdentifier)
      return base::fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}, line {}: an identifier has {} to {} bytes, else it is "
                                    "found by chance",
                                    path, number, kMinIdentifier, kMaxIdentifier));
    identifiers.emplace_back(line);
  }
  if (identifiers.size() > kMaxIdentifiers)
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{} has more than {} identifiers", path, kMaxIdentifiers));
  return identifiers;
}

Result<void> read_texts(const GivenFiles& files, Given& given) {
  if (!files.policy.empty()) {
    const auto text = read_file(files.policy, kMaxPolicy);
    if (!text) return std::unexpected(text.error());
    auto parsed = policy::parse_policy(*text);
    if (!parsed)
      return base::fail(parsed.error().code, files.policy + ": " + parsed.error().message);
    given.policy = *std::move(parsed);
  }
  if (!files.identifiers.empty()) {
    auto identifiers = read_identifiers(files.identifiers);
    if (!identifiers) return std::unexpected(identifiers.error());
    given.identifiers = *std::move(identifiers);
  }
  if (!files.keys.empty()) {
    auto keys = read_file(files.keys, kMaxKeyLog);
    if (!keys) return std::unexpected(keys.error());
    given.key_log = *std::move(keys);
  }
  return {};
}

std::string default_database() {
  if (const char* path = std::getenv("ALCOVE_GEO_DATABASE"); path != nullptr && *path != '\0')
    return path;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto path = program.parent_path() / "../../geo/geo.mmdb";
    if (std::filesystem::exists(path, error)) return path.lexically_normal();
  }
  return std::filesystem::exists(kInstalledDatabase, error) ? kInstalledDatabase : "";
}

// What a policy applies when none is given by itself.
Result<const policy::Policy*> policy_in_force(const Given& given,
                                              std::optional<policy::Policy>& of_manifest) {
  if (given.policy) return &*given.policy;
  if (!given.manifest || given.manifest->manifest.policy_toml().empty()) return nullptr;
  auto parsed = policy::parse_policy(given.manifest->manifest.policy_toml());
  if (!parsed) return nullptr;  // the auditor makes a finding of it
  of_manifest = *std::move(parsed);
  return &*of_manifest;
}

}  // namespace

Result<std::unique_ptr<policy::GeoDatabase>> open_database(const std::vector<std::string>& named) {
  if (!named.empty()) return policy::GeoDatabase::open(named);
  const std::string path = default_database();
  if (!path.empty()) return policy::GeoDatabase::open({path});
  fmt::print(stderr,
             "alcove-audit: no database of countries and networks was found: where packets went "
             "will not be known. Name one by --geo-database or ALCOVE_GEO_DATABASE.\n");
  return policy::GeoDatabase::empty();
}

Result<void> check_database(const policy::Policy* policy, const policy::GeoDatabase& database) {
  if (policy == nullptr || !policy->needs_database() || !database.is_empty()) return {};
  return base::fail(ErrorCode::kFailedPrecondition,
                    "the policy has rules about countries or owners, and there is no database that "
                    "knows them: give one by --geo-database");
}

Result<ReadManifest> read_manifest_of(const std::string& file_or_url, const std::string& key_hash,
                                      const std::string& authorities) {
  Result<std::string> content = std::string();
  if (is_url(file_or_url)) {
    const auto url = parse_url(file_or_url);
    if (!url) return std::unexpected(url.error());
    Fetcher fetcher(authorities);
    // Any address on a server, such as a room's link, stands for the server.
    const bool names_it = url->target.ends_with("/manifest");
    content = fetcher.get(*url, names_it ? url->target : std::string(kManifestPath), kProtobuf);
  } else {
    content = read_file(file_or_url, kMaxManifestFile);
  }
  if (!content) return std::unexpected(content.error());
  ReadManifest result;
  auto manifest = policy::read_manifest(base::as_bytes(*content));
  if (!manifest) {
    result.fault = manifest.error().message;
    return result;
  }
  const std::string hash = base::to_hex(policy::manifest_key_hash(manifest->key));
  if (!key_hash.empty() && hash != key_hash) {
    result.fault = fmt::format(
        "It is signed with another key than the one that was pinned: SHA-256 {}, not {}.", hash,
        key_hash);
    return result;
  }
  result.manifest = *std::move(manifest);
  return result;
}

Result<Given> read_given(const GivenFiles& files) {
  Given given;
  if (auto texts = read_texts(files, given); !texts) return std::unexpected(texts.error());
  auto database = open_database(files.databases);
  if (!database) return std::unexpected(database.error());
  given.database = *std::move(database);
  if (!files.manifest.empty()) {
    auto read = read_manifest_of(files.manifest, files.manifest_key, files.authorities);
    if (!read) return std::unexpected(read.error());
    given.manifest = std::move(read->manifest);
    given.manifest_fault_en = read->fault;
    if (!read->fault.empty())
      given.manifest_fault_fr = "Le manifeste a été refusé (en anglais) : " + read->fault;
  } else if (!files.manifest_key.empty()) {
    return base::fail(ErrorCode::kInvalidArgument, "--manifest-key needs --manifest");
  }
  std::optional<policy::Policy> of_manifest;
  const auto policy = policy_in_force(given, of_manifest);
  if (auto checked = check_database(*policy, *given.database); !checked)
    return std::unexpected(checked.error());
  return given;
}

audit::AuditorOptions to_auditor_options(Given& given, std::string input) {
  audit::AuditorOptions options;
  options.database = given.database.get();
  options.policy = std::move(given.policy);
  options.manifest = std::move(given.manifest);
  options.manifest_fault_en = std::move(given.manifest_fault_en);
  options.manifest_fault_fr = std::move(given.manifest_fault_fr);
  options.identifiers = std::move(given.identifiers);
  options.key_log = std::move(given.key_log);
  options.tool = "alcove-audit " ALCOVE_VERSION;
  options.input = std::move(input);
  return options;
}

}  // namespace alcove::app
