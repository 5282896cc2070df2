#pragma once
// What the server promises, kept: the policy and its database, the gate that every endpoint passes,
// the manifest signed with the server's key, and the log of its changes. Control thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alcove/config.h"
#include "alcove/manifest_content.h"
#include "alcove/manifest_files.h"
#include "base/random.h"
#include "base/result.h"
#include "control/promises.h"

namespace alcove::app {

// What the rest of the program knows, once everything is open.
struct KnownEndpoints {
  std::vector<base::SocketAddress> listen;  // HTTP, as bound
  std::vector<base::IpAddress> interfaces;
  std::string host_name;
  std::vector<v1::WebFile> web_files;
  std::string software;
};

class ManifestKeeper {
 public:
  using Resolve =
      std::function<base::Result<std::vector<base::IpAddress>>(const std::string& name)>;

  // Reads policy, database, key and log; makes key and log at the first start. config outlives it.
  static base::Result<std::unique_ptr<ManifestKeeper>> open(const Config& config,
                                                            base::RandomSource& random,
                                                            Resolve resolve);
  // Registration of a relay: all of its candidates pass the gate, or the error says which does not,
  // why, and what to do.
  base::Result<void> admit(const std::vector<policy::RelayCandidate>& candidates);
  // Judges every way to the house, signs the manifest and writes what changed into the log.
  base::Result<void> publish(KnownEndpoints endpoints, std::int64_t now_ms);
  // Reads policy and database again, and publishes. After an error all is as it was.
  base::Result<void> reload(std::int64_t now_ms);

  control::Promises promises() const;
  // SHA-256 of the key, 32 bytes.
  std::string key_hash() const;
  // A line of the log was not whole, as after a power failure; it is gone.
  bool log_was_torn() const { return log_->torn(); }
  // What was noticed and is no error, for the operator.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  using Gate = std::shared_ptr<policy::EndpointGate>;

  ManifestKeeper(const Config& config, Resolve resolve, Gate gate, crypto::Ed25519PrivateKey key,
                 std::unique_ptr<ManifestLog> log);
  base::Result<void> check_houses(const policy::EndpointGate& gate,
                                  const std::vector<HouseHost>& houses);
  base::Result<void> publish_with(const policy::EndpointGate& gate, std::int64_t now_ms);
  // The manifest that the log's last entries are about.
  std::optional<v1::Manifest> load_last() const;

  const Config& config_;
  const Resolve resolve_;
  Gate gate_;
  const crypto::Ed25519PrivateKey key_;
  const std::unique_ptr<ManifestLog> log_;
  KnownEndpoints known_;
  v1::SignedManifest manifest_;
  std::vector<std::string> warnings_;
};

}  // namespace alcove::app
