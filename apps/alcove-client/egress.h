#pragma once
// What decides where the packets of a run go, and what is remembered of servers: the guard of all
// its sockets, from the command line and the data directory. One thread.

#include <memory>
#include <string>
#include <vector>

#include "client/house_check.h"
#include "client/known_servers.h"
#include "client/manifest_guard.h"
#include "net/http_client.h"

namespace alcove::app {

struct EgressOptions {
  std::string policy_file;                 // the person's own; empty: none
  std::vector<std::string> geo_databases;  // for it
  bool accept_new_manifest_key = false;
  std::string tls_key_log_file;  // empty: none
  std::string authorities_file;  // empty: the system's
  std::string data_directory;    // empty: there is none, nothing is remembered
};

class Egress {
 public:
  // kInvalidArgument or kUnavailable, with a message that names the file.
  static base::Result<std::unique_ptr<Egress>> open(const EgressOptions& options,
                                                    const client::ServerAddress& house);

  client::ManifestGuard& guard() { return guard_; }
  client::HouseTrust trust() { return {&guard_, &known_, accept_new_key_}; }
  net::TlsClientOptions tls() const { return {authorities_file_, true, key_log_.get()}; }
  base::TlsKeyLog* key_log() const { return key_log_.get(); }
  // What was learned of servers, into the file; says so on standard error when it cannot.
  void save();

 private:
  Egress(const EgressOptions& options, client::ServerAddress house,
         std::optional<client::ManifestGuard::OwnPolicy> own);

  client::ManifestGuard guard_;
  client::KnownServers known_;
  std::unique_ptr<base::TlsKeyLog> key_log_;
  bool accept_new_key_;
  std::string authorities_file_;
  std::string data_directory_;
};

}  // namespace alcove::app
