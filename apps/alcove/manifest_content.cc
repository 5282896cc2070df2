#include "alcove/manifest_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

namespace alcove::app {
namespace {

using Endpoint = v1::ManifestEndpoint;

constexpr std::uint16_t kHttpsPort = 443;
constexpr int kMaxAddresses = 64;

template <typename T>
void add_new(std::vector<T>& target, const T& one) {
  if (std::ranges::find(target, one) == target.end()) target.push_back(one);
}

// Who has an address, as the manifest says it; empty where the database does not know.
void describe(Endpoint& endpoint, const policy::GeoRecord& record) {
  endpoint.set_country(std::string(record.country.code()));
  endpoint.set_asn(record.asn);
  endpoint.set_owner(record.owner);
  endpoint.set_owner_country(std::string(record.owner_country.code()));
}

bool is_same(const policy::GeoRecord& a, const policy::GeoRecord& b) {
  return std::tie(a.country, a.asn, a.owner, a.owner_country) ==
         std::tie(b.country, b.asn, b.owner, b.owner_country);
}

// An endpoint of a host has all of its addresses: what it says of them is what holds for each.
void add_house(v1::Manifest& manifest, const HouseHost& house, const policy::EndpointGate& gate) {
  Endpoint& endpoint = *manifest.add_endpoints();
  endpoint.set_purpose(Endpoint::PURPOSE_HOUSE);
  endpoint.set_protocol(Endpoint::PROTOCOL_TCP);
  endpoint.set_host(house.host);
  for (const std::uint16_t port : house.ports) endpoint.add_ports(port);
  std::optional<policy::GeoRecord> common;
  bool differ = false;
  for (const base::IpAddress& address : house.addresses) {
    endpoint.add_addresses(address.text());
    const policy::GeoRecord record = gate.check(address).record;
    differ = differ || (common && !is_same(*common, record));
    common = record;
  }
  if (common && !differ) describe(endpoint, *common);
}

void add_relay(v1::Manifest& manifest, const policy::RelayCandidate& candidate,
               const policy::EndpointGate& gate) {
  Endpoint described;
  described.set_purpose(Endpoint::PURPOSE_RELAY);
  described.set_protocol(candidate.transport == policy::Transport::kUdp ? Endpoint::PROTOCOL_UDP
                                                                        : Endpoint::PROTOCOL_TCP);
  described.add_ports(candidate.address.port);
  describe(described, gate.check(candidate.address.ip).record);
  const std::string head = described.SerializeAsString();
  for (Endpoint& endpoint : *manifest.mutable_endpoints()) {
    Endpoint without = endpoint;
    without.clear_addresses();
    if (without.SerializeAsString() != head || endpoint.addresses_size() >= kMaxAddresses) continue;
    endpoint.add_addresses(candidate.address.ip.text());
    return;
  }
  described.add_addresses(candidate.address.ip.text());
  *manifest.add_endpoints() = std::move(described);
}

// "relay udp 198.51.100.7:7878", one for each address and port.
std::set<std::string> endpoint_texts(const v1::Manifest& manifest) {
  std::set<std::string> texts;
  for (const Endpoint& endpoint : manifest.endpoints()) {
    const bool relay = endpoint.purpose() == Endpoint::PURPOSE_RELAY;
    const std::string_view kind = relay ? "relay" : "house";
    const std::string_view protocol = endpoint.protocol() == Endpoint::PROTOCOL_UDP ? "udp" : "tcp";
    for (const std::uint32_t port : endpoint.ports()) {
      if (!endpoint.host().empty())
        texts.insert(fmt::format("{} {} {} port {}", kind, protocol, endpoint.host(), port));
      for (const std::string& address : endpoint.addresses())
        texts.insert(fmt::format("{} {} {}{}{} port {}", kind, protocol, endpoint.host(),
                                 endpoint.host().empty() ? "" : " at ", address, port));
    }
  }
  return texts;
}

std::set<std::string> file_texts(const v1::Manifest& manifest) {
  std::set<std::string> texts;
  for (const v1::WebFile& file : manifest.web_files()) texts.insert(file.path() + file.sha256());
  return texts;
}

// At most 2,000 bytes, and never in the middle of a line about something.
class Summary {
 public:
  void add(std::string_view text) {
    constexpr std::size_t kLongest = 1900;
    if (text_.size() + text.size() > kLongest)
      ++left_out_;
    else
      text_ += (text_.empty() ? "" : "; ") + std::string(text);
  }
  void add_differences(const std::set<std::string>& last, const std::set<std::string>& next) {
    for (const std::string& one : next)
      if (!last.contains(one)) add(one + " added");
    for (const std::string& one : last)
      if (!next.contains(one)) add(one + " removed");
  }
  std::string take() {
    if (left_out_ != 0) text_ += fmt::format("; and {} more", left_out_);
    return std::move(text_);
  }

 private:
  std::string text_;
  std::size_t left_out_ = 0;
};

std::string manifest_summary(const v1::Manifest* last, const v1::Manifest& next) {
  Summary summary;
  if (last == nullptr) {
    summary.add("made anew: there was no manifest to compare with");
    return summary.take();
  }
  summary.add_differences(endpoint_texts(*last), endpoint_texts(next));
  const std::set<std::string> files = file_texts(next);
  if (files != file_texts(*last))
    summary.add(fmt::format("web files changed, now {}", files.size()));
  if (last->software() != next.software()) summary.add("software is " + next.software());
  std::string text = summary.take();
  return text.empty() ? "what is known of the endpoints' owners changed" : text;
}

// Addresses with the same ports share an endpoint; an address is in one alone.
std::vector<HouseHost> group_by_ports(const std::vector<HouseHost>& by_address) {
  std::vector<HouseHost> groups;
  for (const HouseHost& one : by_address) {
    const auto same = std::ranges::find(groups, one.ports, &HouseHost::ports);
    if (same == groups.end() || same->addresses.size() >= static_cast<std::size_t>(kMaxAddresses))
      groups.push_back(one);
    else
      same->addresses.push_back(one.addresses.front());
  }
  return groups;
}

}  // namespace

std::vector<HouseHost> make_houses(const Config& config,
                                   const std::vector<base::SocketAddress>& listen,
                                   const std::vector<base::IpAddress>& interfaces,
                                   const std::string& host_name) {
  const bool has_hosts = !config.http.public_hosts.empty();
  const std::vector<base::IpAddress>& own =
      config.media.public_addresses.empty() ? interfaces : config.media.public_addresses;
  HouseHost local{.host = "localhost", .addresses = {}, .ports = {}};
  HouseHost machine{.host = host_name, .addresses = {}, .ports = {}};
  std::vector<HouseHost> by_address;  // one for each
  std::vector<std::uint16_t> ports;
  const auto add = [&](const base::IpAddress& address, std::uint16_t port) {
    HouseHost& named = address.is_loopback() ? local : machine;
    add_new(named.addresses, address);
    add_new(named.ports, port);
    auto same = std::ranges::find(by_address, std::vector{address}, &HouseHost::addresses);
    if (same == by_address.end())
      same = by_address.insert(by_address.end(), {.host = {}, .addresses = {address}, .ports = {}});
    add_new(same->ports, port);
  };
  for (const base::SocketAddress& bound : listen) {
    add_new(ports, bound.port);
    if (!bound.ip.is_unspecified()) {
      add(bound.ip, bound.port);
      continue;
    }
    for (const base::IpAddress& address : interfaces)
      if (address.is_loopback() && address.is_v4() == bound.ip.is_v4()) add(address, bound.port);
    if (has_hosts) continue;
    for (const base::IpAddress& address : own)
      if (address.is_v4() == bound.ip.is_v4()) add(address, bound.port);
  }
  std::vector<HouseHost> houses;
  for (const PublicHost& host : config.http.public_hosts) {
    HouseHost house{.host = host.host, .addresses = host.addresses, .ports = host.ports};
    if (house.ports.empty()) {
      house.ports = ports;
      add_new(house.ports, kHttpsPort);
    }
    houses.push_back(std::move(house));
  }
  // Debian gives a machine's name this address in /etc/hosts.
  const base::IpAddress own_name = base::IpAddress::v4({127, 0, 1, 1});
  const bool has_name = !has_hosts && !machine.addresses.empty() && parse_public_host(host_name);
  if (has_name && host_name != local.host) {
    add_new(machine.addresses, own_name);
    houses.push_back(machine);
  }
  if (!local.addresses.empty()) houses.push_back(local);
  std::ranges::move(group_by_ports(by_address), std::back_inserter(houses));
  return houses;
}

v1::Manifest make_manifest(const ManifestContent& content, const policy::EndpointGate& gate) {
  v1::Manifest manifest;
  manifest.set_version(1);
  for (const HouseHost& house : content.houses) add_house(manifest, house, gate);
  for (const policy::RelayCandidate& relay : content.relays) add_relay(manifest, relay, gate);
  manifest.set_policy_toml(gate.policy().text);
  if (!gate.database().is_empty()) {
    const policy::GeoDatabase::Id& id = gate.database().id();
    manifest.mutable_database()->set_name(id.name);
    manifest.mutable_database()->set_date(id.date);
    manifest.mutable_database()->set_sha256(std::string(base::as_text(id.sha256)));
  }
  for (const v1::WebFile& file : content.web_files) *manifest.add_web_files() = file;
  manifest.set_software(content.software);
  return manifest;
}

std::vector<v1::TransparencyEntry> changes_between(const v1::Manifest* last,
                                                   const v1::Manifest& next) {
  std::vector<v1::TransparencyEntry> entries;
  const auto add = [&](v1::TransparencyEntry::Kind kind, std::string summary) {
    v1::TransparencyEntry& entry = entries.emplace_back();
    entry.set_kind(kind);
    entry.set_summary(std::move(summary));
  };
  const bool policy_changed = last != nullptr && last->policy_toml() != next.policy_toml();
  const bool database_changed = last != nullptr && last->database().SerializeAsString() !=
                                                       next.database().SerializeAsString();
  if (policy_changed || database_changed)
    add(v1::TransparencyEntry::KIND_POLICY,
        policy_changed && database_changed ? "the policy and the database changed"
        : policy_changed                   ? "the policy changed"
                                           : "the database is that of " + next.database().date());
  v1::Manifest a = last != nullptr ? *last : v1::Manifest();
  v1::Manifest b = next;
  for (v1::Manifest* one : {&a, &b}) {
    one->clear_serial();
    one->clear_created_at_ms();
    one->clear_policy_toml();
    one->clear_database();
  }
  if (last == nullptr || a.SerializeAsString() != b.SerializeAsString())
    add(v1::TransparencyEntry::KIND_MANIFEST, manifest_summary(last, next));
  return entries;
}

}  // namespace alcove::app
