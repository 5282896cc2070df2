#include "alcove/manifest_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "policy/manifest.h"

namespace alcove::app {
namespace {

using base::ErrorCode;

constexpr std::size_t kLongestPolicy = 256 << 10;

std::unexpected<base::Error> with_place(const base::Error& error, std::string_view place) {
  return base::fail(error.code, fmt::format("{} ({})", error.message, place));
}

base::Result<std::shared_ptr<policy::EndpointGate>> open_gate(const Config& config) {
  policy::Policy policy;
  if (!config.policy.file.empty()) {
    const auto text = read_small_file(config.policy.file, kLongestPolicy);
    if (!text)
      return base::fail(ErrorCode::kNotFound,
                        fmt::format("cannot read the policy {}, or it is over 256 KiB "
                                    "(policy.file)",
                                    config.policy.file));
    auto parsed = policy::parse_policy(*text);
    if (!parsed)
      return base::fail(parsed.error().code,
                        fmt::format("{}: {}", config.policy.file, parsed.error().message));
    policy = *std::move(parsed);
  }
  auto database = policy::GeoDatabase::empty();
  if (!config.policy.databases.empty()) {
    auto opened = policy::GeoDatabase::open(config.policy.databases);
    if (!opened) return with_place(opened.error(), "policy.databases");
    database = *std::move(opened);
  }
  if (policy.needs_database() && database->is_empty())
    return base::fail(
        ErrorCode::kFailedPrecondition,
        fmt::format("the policy {} has rules about countries or networks, and there is no database "
                    "to tell them by: name one in policy.databases (docs/policy.md says how to "
                    "make one)",
                    config.policy.file));
  return std::make_shared<policy::EndpointGate>(std::move(policy), std::move(database));
}

// Whether a rule could deny an address: one that is not known cannot be judged then.
bool judges_addresses(const policy::Policy& policy) {
  return policy.needs_database() || !policy.denied_networks.empty() ||
         policy.private_addresses == policy::Policy::Treatment::kDeny;
}

// A rotation that was cut off between the log and the file is ended here.
base::Result<crypto::Ed25519PrivateKey> open_key(const ManifestPaths& paths, const ManifestLog& log,
                                                 base::RandomSource& random) {
  const policy::TransparencyLog::Head& head = log.head();
  if (!std::filesystem::exists(paths.key)) {
    if (head.size == 0) return make_key(paths.key, random);
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("the key of the manifest, {0}, is not there, but its log {1} "
                                  "is: put the key back from a copy. Without one, move the log "
                                  "away: a new key and a new log begin, and everybody who knows "
                                  "this server is warned.",
                                  paths.key.string(), paths.log.string()));
  }
  // A manifest was served under this key: its history may not begin anew without a word.
  if (head.size == 0 && std::filesystem::exists(paths.manifest))
    return base::fail(
        ErrorCode::kNotFound,
        fmt::format("the log of the manifest, {0}, is not there or empty, but its key {1} is: put "
                    "the log back from a copy. Without one, move {1} and {2} away: a new key and a "
                    "new log begin, and everybody who knows this server is warned.",
                    paths.log.string(), paths.key.string(), paths.manifest.string()));
  auto key = load_key(paths.key);
  if (!key || head.size == 0 || key->public_key() == head.key) return key;
  auto next = std::filesystem::exists(paths.next_key)
                  ? load_key(paths.next_key)
                  : base::Result<crypto::Ed25519PrivateKey>(base::fail(ErrorCode::kNotFound, {}));
  if (!next || next->public_key() != head.key)
    return base::fail(ErrorCode::kFailedPrecondition,
                      fmt::format("the key of the manifest, {}, is not the one that its log {} "
                                  "names: put the right key back; `alcove manifest rotate-key` "
                                  "changes it",
                                  paths.key.string(), paths.log.string()));
  if (const auto moved = finish_rotation(paths, head.size); !moved)
    return std::unexpected(moved.error());
  return next;
}

std::string hash_text(std::string_view bytes) {
  return std::string(base::as_text(crypto::sha256(base::as_bytes(bytes))));
}

std::unexpected<base::Error> refuse(const policy::Decision& decision, std::string_view what,
                                    std::string_view remedy) {
  return base::fail(
      ErrorCode::kPermissionDenied,
      fmt::format("{} is against the policy. {} {}", what, policy::explain_en(decision), remedy));
}

}  // namespace

ManifestKeeper::ManifestKeeper(const Config& config, Resolve resolve, Gate gate,
                               crypto::Ed25519PrivateKey key, std::unique_ptr<ManifestLog> log)
    : config_(config),
      resolve_(std::move(resolve)),
      gate_(std::move(gate)),
      key_(std::move(key)),
      log_(std::move(log)) {}

base::Result<std::unique_ptr<ManifestKeeper>> ManifestKeeper::open(const Config& config,
                                                                   base::RandomSource& random,
                                                                   Resolve resolve) {
  auto gate = open_gate(config);
  if (!gate) return std::unexpected(gate.error());
  const ManifestPaths paths = manifest_paths(config);
  auto log = ManifestLog::open(paths.log);
  if (!log) return std::unexpected(log.error());
  auto key = open_key(paths, **log, random);
  if (!key) return std::unexpected(key.error());
  return std::unique_ptr<ManifestKeeper>(new ManifestKeeper(
      config, std::move(resolve), *std::move(gate), *std::move(key), *std::move(log)));
}

base::Result<void> ManifestKeeper::admit(const std::vector<policy::RelayCandidate>& candidates) {
  if (const auto denied = gate_->admit(candidates))
    return refuse(*denied, fmt::format("The relay's address {}", denied->address.text()),
                  "Set media.public_addresses (or media.listen) to addresses that the policy "
                  "allows, or change policy.file.");
  return {};
}

base::Result<void> ManifestKeeper::publish(KnownEndpoints endpoints, std::int64_t now_ms) {
  known_ = std::move(endpoints);
  return publish_with(*gate_, now_ms);
}

base::Result<void> ManifestKeeper::reload(std::int64_t now_ms) {
  auto next = open_gate(config_);
  if (!next) return std::unexpected(next.error());
  const Gate old = std::exchange(gate_, *std::move(next));
  base::Result<void> done = admit(old->admitted());
  if (done) done = publish_with(*gate_, now_ms);
  if (!done) gate_ = old;
  return done;
}

// Literals and fixed addresses are what clients are held to. A name without any may lead anywhere:
// what it resolves to here is judged, and clients judge what it resolves to there.
base::Result<void> ManifestKeeper::check_houses(const policy::EndpointGate& gate,
                                                const std::vector<HouseHost>& houses) {
  warnings_.clear();
  for (const HouseHost& house : houses) {
    std::vector<base::IpAddress> addresses = house.addresses;
    if (addresses.empty()) {
      auto resolved = resolve_(house.host);
      if (resolved) {
        addresses = *std::move(resolved);
      } else if (judges_addresses(gate.policy())) {
        return base::fail(
            ErrorCode::kUnavailable,
            fmt::format("http.public_hosts: {0} cannot be judged, for it cannot be resolved ({1}). "
                        "Give its addresses: \"{0}=ADDRESS\"",
                        house.host, resolved.error().message));
      } else {
        warnings_.push_back(
            fmt::format("{} cannot be resolved here ({}); it is in the manifest "
                        "all the same (http.public_hosts)",
                        house.host, resolved.error().message));
      }
    }
    for (const base::IpAddress& address : addresses)
      if (const policy::Decision decision = gate.check(address); !decision.allowed)
        return refuse(decision,
                      house.host.empty()
                          ? fmt::format("The HTTP address {}", address.text())
                          : fmt::format("{}, which is {},", house.host, address.text()),
                      "Change http.listen or http.public_hosts, or policy.file.");
  }
  return {};
}

std::optional<v1::Manifest> ManifestKeeper::load_last() const {
  const auto bytes = read_small_file(manifest_paths(config_).manifest, policy::kMaxManifest * 2);
  v1::SignedManifest last;
  if (!bytes || !last.ParseFromString(*bytes)) return std::nullopt;
  const auto verified = policy::verify_manifest(last);
  if (!verified || verified->sha256 != log_->head().manifest) return std::nullopt;
  return verified->manifest;
}

base::Result<void> ManifestKeeper::publish_with(const policy::EndpointGate& gate,
                                                std::int64_t now_ms) {
  ManifestContent content{
      .relays = gate.admitted(),
      .houses = make_houses(config_, known_.listen, known_.interfaces, known_.host_name),
      .web_files = known_.web_files,
      .software = known_.software};
  if (const auto checked = check_houses(gate, content.houses); !checked) return checked;
  v1::Manifest next = make_manifest(content, gate);
  const std::optional<v1::Manifest> last = load_last();
  std::vector<v1::TransparencyEntry> changes = changes_between(last ? &*last : nullptr, next);
  const bool is_first = log_->head().size == 0;
  if (is_first) {
    changes.resize(1);
    changes[0].set_kind(v1::TransparencyEntry::KIND_KEY);
    changes[0].set_key(std::string(base::as_text(key_.public_key())));
    changes[0].set_summary("the log begins");
  }
  if (!is_first && !last && hash_text(next.policy_toml()) != base::as_text(log_->head().policy)) {
    changes.emplace_back().set_kind(v1::TransparencyEntry::KIND_POLICY);
    changes.back().set_summary("the policy changed");
  }
  // The same bytes again while nothing changes, whatever the number of starts.
  const std::uint64_t last_serial = last ? last->serial() : 0;
  next.set_serial(changes.empty() ? last_serial : std::max(last_serial, log_->head().size) + 1);
  next.set_created_at_ms(changes.empty() ? last->created_at_ms() : now_ms);
  const v1::SignedManifest made = policy::sign_manifest(next, key_);
  if (const auto verified = policy::verify_manifest(made); !verified)
    return std::unexpected(verified.error());
  for (v1::TransparencyEntry& entry : changes) {
    entry.set_policy_sha256(hash_text(next.policy_toml()));
    entry.set_manifest_sha256(hash_text(made.manifest()));
    if (const auto written = log_->append(std::move(entry), now_ms, key_); !written) return written;
  }
  const auto written = replace_file(manifest_paths(config_).manifest, made.SerializeAsString());
  if (!written) return written;
  manifest_ = made;
  return {};
}

control::Promises ManifestKeeper::promises() const {
  return {.gate = gate_, .manifest = manifest_, .log = log_->entries()};
}

std::string ManifestKeeper::key_hash() const {
  return std::string(base::as_text(policy::manifest_key_hash(key_.public_key())));
}

}  // namespace alcove::app
