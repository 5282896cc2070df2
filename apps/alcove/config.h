#pragma once
// The configuration of `alcove`: one TOML file; environment variables and flags override it. Every
// key has a default. docs/configuration.md describes all keys, and a test compares it with keys().
// Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/log.h"
#include "base/result.h"
#include "crypto/sealing.h"
#include "net/datagram_methods.h"

namespace alcove::app {

enum class Registration { kOpen, kInvite, kClosed };

// How people reach this server: "alcove.example", "alcove.example:8443", "198.51.100.7:443",
// "[2001:db8::7]", "alcove.example=198.51.100.7".
struct PublicHost {
  std::string host;                        // a name in lower case, or a literal without brackets
  std::vector<std::uint16_t> ports;        // none: 443 and those of http.listen
  std::vector<base::IpAddress> addresses;  // none: whatever the policy allows
};

struct Config {
  struct Http {
    std::vector<base::SocketAddress> listen;
    std::string certificate;
    std::string key;
    bool allow_plain = false;
    std::vector<base::IpAddress> trusted_proxies;
    std::vector<std::string> allowed_origins;
    std::string web_root;
    std::vector<PublicHost> public_hosts;  // each host once
  } http;
  struct Media {
    std::vector<base::IpAddress> listen;
    std::uint16_t port = 0;
    unsigned threads = 0;  // 0: one for each core
    std::vector<base::IpAddress> public_addresses;
    crypto::SealingMethod sealing = crypto::SealingMethod::kAuto;
    net::SendMethod sending = net::SendMethod::kAuto;
    net::ReceiveMethod receiving = net::ReceiveMethod::kAuto;
  } media;
  struct Store {
    std::string path;
  } store;
  struct Policy {
    std::string file;  // empty: nothing is denied
    std::vector<std::string> databases;
  } policy;
  struct Manifest {
    std::string key_file;  // empty: beside the store
  } manifest;
  struct Accounts {
    Registration registration = Registration::kOpen;
    bool guests = true;
  } accounts;
  struct Limits {
    unsigned rooms = 0;
    unsigned members = 0;
    unsigned connections = 0;
    unsigned connections_per_address = 0;
    double rate_limit_factor = 0;
  } limits;
  struct Log {
    base::LogLevel level = base::LogLevel::kInfo;
  } log;
  struct Metrics {
    std::optional<base::SocketAddress> listen;
  } metrics;

  // The defaults of keys().
  Config();
};

// One key, as the documentation has it.
struct KeyDescription {
  std::string_view name;           // "http.listen"
  std::string_view default_value;  // as in TOML
};
std::vector<KeyDescription> keys();

// Each of these changes config, or leaves it as it is and says what is wrong, and where: all
// problems, a line each. file_name is for the messages.
base::Result<void> apply_toml(Config& config, std::string_view text, std::string_view file_name);
// ALCOVE_HTTP_LISTEN for http.listen; a list is written with commas. Other names are left alone,
// but an unknown key in a known section is an error.
base::Result<void> apply_environment(
    Config& config, std::span<const std::pair<std::string, std::string>> variables);
// "http.listen" and the text of its value, as in the environment.
base::Result<void> apply_setting(Config& config, std::string_view name, std::string_view value);

// What no key alone can tell: TLS files that belong together, plain HTTP beyond this machine.
base::Result<void> check(const Config& config);

// "127.0.0.1:8080" or "[::1]:8080"; port 0 is for tests.
std::optional<base::SocketAddress> parse_socket_address(std::string_view text);
// What one item of http.public_hosts says; nullopt when it is none.
std::optional<PublicHost> parse_public_host(std::string_view text);
// "90s", "15m", "12h", "7d", "4w", in seconds; nullopt for 0 and for more than ten years.
std::optional<std::int64_t> parse_duration_seconds(std::string_view text);

}  // namespace alcove::app
