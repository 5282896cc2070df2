#include "prepare.h"

#include "fetch.h"
#include "files.h"
#include "privileges.h"

namespace alcove::app {

using base::Result;

namespace {

constexpr std::size_t kMaxAuthorities = 4 << 20;

}  // namespace

Result<void> read_authorities(GivenFiles& files) {
  if (files.authorities.empty()) return {};
  auto content = read_file(files.authorities, kMaxAuthorities);
  if (!content) return std::unexpected(content.error());
  // Nothing in place of the system's would be the system's.
  if (content->find("-----BEGIN") == std::string::npos)
    return base::fail(base::ErrorCode::kInvalidArgument,
                      files.authorities + " has no certificate in PEM");
  files.authorities = *std::move(content);
  return {};
}

Result<Given> read_local(GivenFiles& files) {
  if (auto read = read_authorities(files); !read) return std::unexpected(read.error());
  GivenFiles local = files;
  if (is_url(local.manifest)) {
    local.manifest.clear();
    local.manifest_key.clear();
  }
  return read_given(local);
}

Result<std::string> become_ordinary(const Options& options) {
  if (options.keep_privileges) return std::string();
  return drop_privileges();
}

Result<void> read_remote(const GivenFiles& files, Given& given) {
  if (!is_url(files.manifest)) return {};
  auto read = read_manifest_of(files.manifest, files.manifest_key, files.authorities);
  if (!read) return std::unexpected(read.error());
  given.manifest = std::move(read->manifest);
  given.manifest_fault_en = read->fault;
  if (!read->fault.empty())
    given.manifest_fault_fr = "Le manifeste a été refusé (en anglais) : " + read->fault;
  if (given.policy || !given.manifest || given.manifest->manifest.policy_toml().empty()) return {};
  const auto own = policy::parse_policy(given.manifest->manifest.policy_toml());
  if (!own) return {};  // the auditor makes a finding of it
  return check_database(&*own, *given.database);
}

}  // namespace alcove::app
