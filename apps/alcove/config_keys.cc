#include "alcove/config_keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace alcove::app {
namespace {

using Problem = std::optional<std::string>;

const std::string& text_of(const Value& value) { return std::get<std::string>(value); }
const std::vector<std::string>& list_of(const Value& value) {
  return std::get<std::vector<std::string>>(value);
}

Problem set_path(std::string& target, const Value& value) {
  constexpr std::size_t kMaxPath = 4096;
  if (text_of(value).size() > kMaxPath || text_of(value).find('\0') != std::string::npos)
    return "is not a path";
  target = text_of(value);
  return {};
}

Problem set_paths(std::vector<std::string>& target, const Value& value) {
  constexpr std::size_t kMostPaths = 16;
  if (list_of(value).size() > kMostPaths) return "has more than 16 files";
  std::vector<std::string> paths;
  for (const std::string& text : list_of(value)) {
    std::string path;
    if (auto problem = set_path(path, Value(text)); problem || path.empty())
      return problem ? problem : Problem("has an empty path");
    paths.push_back(std::move(path));
  }
  target = std::move(paths);
  return {};
}

template <typename T>
void add_new(std::vector<T>& target, const std::vector<T>& more) {
  for (const T& one : more)
    if (std::ranges::find(target, one) == target.end()) target.push_back(one);
}

// The same host again adds ports and addresses.
Problem set_public_hosts(std::vector<PublicHost>& target, const Value& value) {
  constexpr std::size_t kMostHosts = 64;
  std::vector<PublicHost> hosts;
  for (const std::string& text : list_of(value)) {
    const auto host = parse_public_host(text);
    if (!host)
      return "has \"" + text +
             "\", which is not HOST, HOST:PORT or HOST=ADDRESS (IPv6 with brackets)";
    const auto known = std::ranges::find(hosts, host->host, &PublicHost::host);
    if (known == hosts.end()) {
      hosts.push_back(*host);
    } else {
      add_new(known->ports, host->ports);
      add_new(known->addresses, host->addresses);
    }
  }
  const auto is_long = [](const PublicHost& host) {
    return host.ports.size() > kMostHosts / 2 || host.addresses.size() > kMostHosts;
  };
  if (hosts.size() > kMostHosts || std::ranges::any_of(hosts, is_long))
    return "has more than 64 hosts, or one with more than 32 ports or 64 addresses";
  target = std::move(hosts);
  return {};
}

Problem set_socket_addresses(std::vector<base::SocketAddress>& target, const Value& value) {
  std::vector<base::SocketAddress> parsed;
  for (const std::string& text : list_of(value)) {
    const auto address = parse_socket_address(text);
    if (!address) return "has \"" + text + "\", which is not ADDRESS:PORT or [IPv6]:PORT";
    parsed.push_back(*address);
  }
  if (parsed.empty()) return "needs at least one address";
  target = std::move(parsed);
  return {};
}

Problem set_addresses(std::vector<base::IpAddress>& target, const Value& value) {
  std::vector<base::IpAddress> parsed;
  for (const std::string& text : list_of(value)) {
    const auto address = base::IpAddress::parse(text);
    if (!address) return "has \"" + text + "\", which is not an IP address";
    parsed.push_back(*address);
  }
  target = std::move(parsed);
  return {};
}

template <typename Number>
Problem set_number(Number& target, const Value& value, std::int64_t least, std::int64_t most) {
  const std::int64_t number = std::get<std::int64_t>(value);
  if (number < least || number > most)
    return "must be from " + std::to_string(least) + " to " + std::to_string(most);
  target = static_cast<Number>(number);
  return {};
}

Problem set_origins(std::vector<std::string>& target, const Value& value) {
  for (const std::string& origin : list_of(value)) {
    const std::size_t scheme = origin.find("://");
    const bool known = origin.starts_with("https://") || origin.starts_with("http://");
    if (!known || origin.find_first_of("/?# ", scheme + 3) != std::string::npos)
      return "has \"" + origin + "\", which is not an origin like https://example.org";
  }
  target = list_of(value);
  return {};
}

// One of a few names.
template <typename Choice, std::size_t kCount>
Problem set_choice(Choice& target, const Value& value,
                   const std::pair<std::string_view, Choice> (&choices)[kCount]) {
  std::string names;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (text_of(value) == choices[i].first) {
      target = choices[i].second;
      return {};
    }
    if (i > 0) names += i + 1 < kCount ? ", " : " or ";
    names += "\"" + std::string(choices[i].first) + "\"";
  }
  return "must be " + names;
}

Problem set_registration(Registration& target, const Value& value) {
  return set_choice<Registration>(target, value,
                                  {{"open", Registration::kOpen},
                                   {"invite", Registration::kInvite},
                                   {"closed", Registration::kClosed}});
}

Problem set_level(base::LogLevel& target, const Value& value) {
  return set_choice<base::LogLevel>(target, value,
                                    {{"debug", base::LogLevel::kDebug},
                                     {"info", base::LogLevel::kInfo},
                                     {"warning", base::LogLevel::kWarning},
                                     {"error", base::LogLevel::kError}});
}

Problem set_sealing(crypto::SealingMethod& target, const Value& value) {
  using enum crypto::SealingMethod;
  return set_choice<crypto::SealingMethod>(
      target, value, {{"auto", kAuto}, {"ipsec-mb", kIpsecMb}, {"openssl", kOpenSsl}});
}

Problem set_sending(net::SendMethod& target, const Value& value) {
  using enum net::SendMethod;
  return set_choice<net::SendMethod>(target, value,
                                     {{"auto", kAuto}, {"gso", kGso}, {"sendmmsg", kSendmmsg}});
}

Problem set_receiving(net::ReceiveMethod& target, const Value& value) {
  using enum net::ReceiveMethod;
  return set_choice<net::ReceiveMethod>(target, value,
                                        {{"auto", kAuto}, {"gro", kGro}, {"recvmmsg", kRecvmmsg}});
}

Problem set_optional_address(std::optional<base::SocketAddress>& target, const Value& value) {
  if (text_of(value).empty()) {
    target.reset();
    return {};
  }
  const auto address = parse_socket_address(text_of(value));
  if (!address) return "is not ADDRESS:PORT or [IPv6]:PORT";
  target = address;
  return {};
}

Problem set_factor(double& target, const Value& value) {
  constexpr double kLargest = 1e6;
  const double factor = std::get<double>(value);
  if (!(factor > 0) || factor > kLargest) return "must be more than 0 and at most 1000000";
  target = factor;
  return {};
}

Problem set_flag(bool& target, const Value& value) {
  target = std::get<bool>(value);
  return {};
}

using enum ValueKind;

constexpr std::array kKeys = {
    Key{"http.listen", R"(["127.0.0.1:8080", "[::1]:8080"])", kList,
        [](Config& c, const Value& v) { return set_socket_addresses(c.http.listen, v); }},
    Key{"http.certificate", R"("")", kText,
        [](Config& c, const Value& v) { return set_path(c.http.certificate, v); }},
    Key{"http.key", R"("")", kText,
        [](Config& c, const Value& v) { return set_path(c.http.key, v); }},
    Key{"http.allow_plain", "false", kBoolean,
        [](Config& c, const Value& v) { return set_flag(c.http.allow_plain, v); }},
    Key{"http.trusted_proxy", "[]", kList,
        [](Config& c, const Value& v) { return set_addresses(c.http.trusted_proxies, v); }},
    Key{"http.allowed_origins", "[]", kList,
        [](Config& c, const Value& v) { return set_origins(c.http.allowed_origins, v); }},
    Key{"http.web_root", R"("web/app/dist")", kText,
        [](Config& c, const Value& v) { return set_path(c.http.web_root, v); }},
    Key{"http.public_hosts", "[]", kList,
        [](Config& c, const Value& v) { return set_public_hosts(c.http.public_hosts, v); }},
    Key{"media.port", "7878", kInteger,
        [](Config& c, const Value& v) { return set_number(c.media.port, v, 0, 65535); }},
    Key{"media.listen", R"(["0.0.0.0", "::"])", kList,
        [](Config& c, const Value& v) { return set_addresses(c.media.listen, v); }},
    Key{"media.public_addresses", "[]", kList,
        [](Config& c, const Value& v) { return set_addresses(c.media.public_addresses, v); }},
    Key{"media.threads", "0", kInteger,
        [](Config& c, const Value& v) { return set_number(c.media.threads, v, 0, 64); }},
    Key{"media.sealing", R"("auto")", kText,
        [](Config& c, const Value& v) { return set_sealing(c.media.sealing, v); }},
    Key{"media.sending", R"("auto")", kText,
        [](Config& c, const Value& v) { return set_sending(c.media.sending, v); }},
    Key{"media.receiving", R"("auto")", kText,
        [](Config& c, const Value& v) { return set_receiving(c.media.receiving, v); }},
    Key{"store.path", R"("./data/alcove.db")", kText,
        [](Config& c, const Value& v) { return set_path(c.store.path, v); }},
    Key{"policy.file", R"("")", kText,
        [](Config& c, const Value& v) { return set_path(c.policy.file, v); }},
    Key{"policy.databases", "[]", kList,
        [](Config& c, const Value& v) { return set_paths(c.policy.databases, v); }},
    Key{"manifest.key_file", R"("")", kText,
        [](Config& c, const Value& v) { return set_path(c.manifest.key_file, v); }},
    Key{"accounts.registration", R"("open")", kText,
        [](Config& c, const Value& v) { return set_registration(c.accounts.registration, v); }},
    Key{"accounts.guests", "true", kBoolean,
        [](Config& c, const Value& v) { return set_flag(c.accounts.guests, v); }},
    Key{"limits.rooms", "1000", kInteger,
        [](Config& c, const Value& v) { return set_number(c.limits.rooms, v, 1, 100'000); }},
    Key{"limits.members", "5000", kInteger,
        [](Config& c, const Value& v) { return set_number(c.limits.members, v, 2, 100'000); }},
    Key{"limits.connections", "20000", kInteger,
        [](Config& c, const Value& v) {
          return set_number(c.limits.connections, v, 10, 1'000'000);
        }},
    Key{"limits.connections_per_address", "1000", kInteger,
        [](Config& c, const Value& v) {
          return set_number(c.limits.connections_per_address, v, 1, 1'000'000);
        }},
    Key{"limits.rate_limit_factor", "1.0", kNumber,
        [](Config& c, const Value& v) { return set_factor(c.limits.rate_limit_factor, v); }},
    Key{"log.level", R"("info")", kText,
        [](Config& c, const Value& v) { return set_level(c.log.level, v); }},
    Key{"metrics.listen", R"("")", kText,
        [](Config& c, const Value& v) { return set_optional_address(c.metrics.listen, v); }},
};

// The number of single-character changes between two texts.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Key> key_table() { return kKeys; }

const Key* find_key(std::string_view name) {
  const auto* found = std::ranges::find(kKeys, name, &Key::name);
  return found == kKeys.end() ? nullptr : found;
}

std::string_view describe(ValueKind kind) {
  switch (kind) {
    case kBoolean:
      return "true or false";
    case kInteger:
      return "a whole number";
    case kNumber:
      return "a number";
    case kText:
      return "a text";
    case kList:
      return "a list of texts";
  }
  return "a value";
}

std::string_view nearest_key(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  if (name.size() > kLongest) return {};
  std::string_view nearest;
  std::size_t least = name.size() / 2 + 1;
  for (const Key& key : kKeys) {
    const std::size_t changes = distance(name, key.name);
    if (changes >= least) continue;
    least = changes;
    nearest = key.name;
  }
  return nearest;
}

}  // namespace alcove::app
