#include "alcove/manifest_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "alcove/manifest_files.h"
#include "base/text.h"
#include "policy/manifest.h"

namespace alcove::app {
namespace {

int fail(std::string_view message) {
  fmt::print(stderr, "alcove: {}\n", message);
  return 1;
}

void print_endpoint(const v1::ManifestEndpoint& endpoint) {
  const bool relay = endpoint.purpose() == v1::ManifestEndpoint::PURPOSE_RELAY;
  fmt::print("  {} {}", relay ? "relay" : "house",
             endpoint.protocol() == v1::ManifestEndpoint::PROTOCOL_UDP ? "udp" : "tcp");
  if (!endpoint.host().empty()) fmt::print(" {}", endpoint.host());
  for (const std::string& address : endpoint.addresses()) fmt::print(" {}", address);
  fmt::print(" port");
  for (const std::uint32_t port : endpoint.ports()) fmt::print(" {}", port);
  if (!endpoint.country().empty()) fmt::print(", in {}", endpoint.country());
  if (endpoint.asn() != 0) fmt::print(", AS{} {}", endpoint.asn(), endpoint.owner());
  if (!endpoint.owner_country().empty()) fmt::print(" of {}", endpoint.owner_country());
  fmt::print("\n");
}

}  // namespace

int show_manifest(const Config& config) {
  const ManifestPaths paths = manifest_paths(config);
  const auto bytes = read_small_file(paths.manifest, policy::kMaxManifest * 2);
  if (!bytes)
    return fail(fmt::format("there is no manifest yet ({}): the first start of the server makes it",
                            paths.manifest.string()));
  const auto verified = policy::read_manifest(base::as_bytes(*bytes));
  if (!verified) return fail(verified.error().message);
  const auto entries = ManifestLog::read(paths.log);
  if (!entries) return fail(entries.error().message);
  const v1::Manifest& manifest = verified->manifest;
  fmt::print("key       {}\n", base::to_base64url(verified->key));
  fmt::print("key hash  {}  (what rooms pin)\n",
             base::to_hex(policy::manifest_key_hash(verified->key)));
  fmt::print("manifest  {}  serial {}\n", base::to_hex(verified->sha256), manifest.serial());
  fmt::print("policy    {}\n", manifest.policy_toml().empty()
                                   ? std::string("none: nothing is denied")
                                   : fmt::format("{} bytes", manifest.policy_toml().size()));
  if (!manifest.database().name().empty())
    fmt::print("database  {} of {}, {}\n", manifest.database().name(), manifest.database().date(),
               base::to_hex(base::as_bytes(manifest.database().sha256())));
  fmt::print("web files {}\n", manifest.web_files_size());
  fmt::print("log       {} entries\n", entries->size());
  fmt::print("endpoints\n");
  for (const v1::ManifestEndpoint& endpoint : manifest.endpoints()) print_endpoint(endpoint);
  return 0;
}

int rotate_manifest_key(const Config& config, base::RandomSource& random, std::int64_t now_ms) {
  const ManifestPaths paths = manifest_paths(config);
  if (!std::filesystem::exists(paths.log) || !std::filesystem::exists(paths.key))
    return fail("there is no key yet: the first start of the server makes it");
  const auto log = ManifestLog::open(paths.log);
  if (!log) return fail(log.error().message);
  const auto key = load_key(paths.key);
  if (!key) return fail(key.error().message);
  if (key->public_key() != (*log)->head().key)
    return fail(
        "the key is not the one that the log names; start the server once, or put the "
        "right key back");
  // Left by a rotation that did not reach the log.
  std::error_code ignored;
  std::filesystem::remove(paths.next_key, ignored);
  const auto next = make_key(paths.next_key, random);
  if (!next) return fail(next.error().message);
  v1::TransparencyEntry entry;
  entry.set_kind(v1::TransparencyEntry::KIND_KEY);
  entry.set_key(std::string(base::as_text(next->public_key())));
  entry.set_summary("a new key, named by the old one");
  if (const auto written = (*log)->append(std::move(entry), now_ms, *key); !written)
    return fail(written.error().message);
  if (const auto moved = finish_rotation(paths, (*log)->head().size); !moved)
    return fail(moved.error().message);
  fmt::print("The key is now {}\n", base::to_base64url(next->public_key()));
  fmt::print("Its hash, which new rooms pin: {}\n",
             base::to_hex(policy::manifest_key_hash(next->public_key())));
  fmt::print(
      "The old key is kept beside it. Clients that follow the log take the new one; others "
      "show a warning.\n");
  return 0;
}

}  // namespace alcove::app
