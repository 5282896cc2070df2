#pragma once
// What the manifest says: which endpoints clients of this server are told, and in whose hands they
// are. Pure.

#include <string>
#include <vector>

#include "alcove/config.h"
#include "policy/endpoint_gate.h"

namespace alcove::app {

// One way to the house.
struct HouseHost {
  std::string host;  // empty: by its addresses alone
  std::vector<base::IpAddress> addresses;
  std::vector<std::uint16_t> ports;
};

// listen is what the HTTP server is bound to, interfaces this machine's addresses. Without
// http.public_hosts a wildcard stands for all addresses of the machine (or media.public_addresses),
// and the machine's name and "localhost" are ways to it, too; with them, only they and what is
// listened to by address.
std::vector<HouseHost> make_houses(const Config& config,
                                   const std::vector<base::SocketAddress>& listen,
                                   const std::vector<base::IpAddress>& interfaces,
                                   const std::string& host_name);

struct ManifestContent {
  std::vector<policy::RelayCandidate> relays;
  std::vector<HouseHost> houses;
  std::vector<v1::WebFile> web_files;
  std::string software;
};
// Without serial and time. Addresses of one kind that are in the same country and the same hands
// share an endpoint.
v1::Manifest make_manifest(const ManifestContent& content, const policy::EndpointGate& gate);

// Of the last manifest (null: there was none to compare with): entries for the log of changes,
// without the hashes; empty when nothing but serial and time is another.
std::vector<v1::TransparencyEntry> changes_between(const v1::Manifest* last,
                                                   const v1::Manifest& next);

}  // namespace alcove::app
