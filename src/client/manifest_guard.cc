#include "client/manifest_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

// Names resolve to few addresses; what is more is not the way to one server.
constexpr std::size_t kMaxContacted = 64;
// What of a server's text is shown.
constexpr std::size_t kMaxShown = 100;

std::unexpected<base::Error> denied(std::string message) {
  return base::fail(ErrorCode::kPermissionDenied, std::move(message));
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxShown)) out += c >= ' ' && c < 0x7f ? c : '?';
  return out;
}

std::string_view protocol_name(base::TransportProtocol protocol) {
  return protocol == base::TransportProtocol::kUdp ? "UDP" : "TCP";
}

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t size = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return part;
}

bool is_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

bool has_port(const v1::ManifestEndpoint& endpoint, std::uint16_t port) {
  return std::ranges::find(endpoint.ports(), std::uint32_t{port}) != endpoint.ports().end();
}

// As its own literal, whatever the name that led there.
bool lists_literal(const v1::ManifestEndpoint& endpoint, const base::IpAddress& address) {
  return std::ranges::any_of(endpoint.addresses(), [&](const std::string& text) {
    return base::IpAddress::parse(text) == address;
  });
}

}  // namespace

ManifestGuard::ManifestGuard(ServerAddress house, std::optional<OwnPolicy> own)
    : house_(std::move(house)), own_(std::move(own)) {}

Result<void> ManifestGuard::accept(policy::VerifiedManifest manifest) {
  if (manifest_ && manifest.manifest.serial() < manifest_->manifest.serial())
    return denied("The server shows an older manifest than before.");
  // A name may lead to several addresses, of which some do not answer: one of them is the server's,
  // and the others are passed over from here on.
  Result<void> listed;
  for (const base::SocketAddress& address : contacted_) {
    listed = check_house(manifest.manifest, address);
    if (listed) break;
  }
  if (!listed) return listed;
  manifest_ = std::move(manifest);
  ++version_;
  return {};
}

Result<void> ManifestGuard::check_own_policy(const base::IpAddress& address) const {
  if (!own_) return {};
  const policy::Decision decision = policy::decide(own_->policy, *own_->database, address);
  if (decision.allowed) return {};
  return denied("Your own policy does not allow it: " + policy::explain_en(decision));
}

Result<void> ManifestGuard::check_house(const v1::Manifest& manifest,
                                        const base::SocketAddress& address) const {
  bool is_named = false;
  for (const v1::ManifestEndpoint& endpoint : manifest.endpoints()) {
    if (endpoint.purpose() != v1::ManifestEndpoint::PURPOSE_HOUSE ||
        !has_port(endpoint, address.port))
      continue;
    if (lists_literal(endpoint, address.ip)) return {};
    if (endpoint.host() != house_.host) continue;
    is_named = true;
    if (policy::lists_address(endpoint, address.ip)) return {};
  }
  if (is_named)
    return denied(
        fmt::format("{} resolved to {}, which is not among the addresses that the "
                    "server's manifest lists for it.",
                    house_.host, address.ip.text()));
  return denied(fmt::format("The server's manifest does not list {}: {} {}.", house_.origin(),
                            "nothing there says whether packets may go to", address.text()));
}

Result<void> ManifestGuard::check_relay(const base::SocketAddress& address,
                                        base::TransportProtocol protocol) const {
  if (Result<void> own = check_own_policy(address.ip); !own) return own;
  const policy::Transport transport =
      protocol == base::TransportProtocol::kUdp ? policy::Transport::kUdp : policy::Transport::kTcp;
  if (manifest_ && policy::find_endpoint(manifest_->manifest, v1::ManifestEndpoint::PURPOSE_RELAY,
                                         address, transport) != nullptr)
    return {};
  return denied(fmt::format("{} ({}) is not a relay that the server's manifest lists.",
                            address.text(), protocol_name(protocol)));
}

Result<void> ManifestGuard::check_host(std::string_view host, std::uint16_t port) {
  if (host == house_.host && port == house_.port) return {};
  return denied(
      fmt::format("{}:{} is not the server that was named, {}.", host, port, house_.origin()));
}

Result<void> ManifestGuard::check(const base::EgressDestination& destination) {
  const base::SocketAddress& address = destination.address;
  if (destination.host.empty()) return check_relay(address, destination.protocol);
  if (Result<void> named = check_host(destination.host, address.port); !named) return named;
  if (Result<void> own = check_own_policy(address.ip); !own) return own;
  if (manifest_) return check_house(manifest_->manifest, address);
  if (contacted_.size() >= kMaxContacted && !contacted_.contains(address))
    return denied(fmt::format("{} resolves to too many addresses.", house_.host));
  contacted_.insert(address);
  return {};
}

// RFC 8839, section 5.1: foundation component transport priority address port typ type …
Result<void> ManifestGuard::check_candidate(std::string_view candidate) const {
  const std::string_view whole = candidate;
  std::array<std::string_view, 6> fields;
  for (std::string_view& field : fields) field = take_until(candidate, ' ');
  const auto& [foundation, component, transport, priority, address, port_text] = fields;
  const bool is_udp = is_word(transport, "udp");
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const bool is_port = error == std::errc() && end == port_text.data() + port_text.size();
  if (!is_port || (!is_udp && !is_word(transport, "tcp")))
    return denied("\"" + shown(whole) + "\" is not an address of a relay.");
  const auto ip = base::IpAddress::parse(address);
  if (!ip)
    return denied("\"" + shown(address) +
                  "\" is a name, and relays are contacted by their addresses alone.");
  return check_relay({*ip, port},
                     is_udp ? base::TransportProtocol::kUdp : base::TransportProtocol::kTcp);
}

Result<void> ManifestGuard::check_answer(std::string_view sdp) const {
  constexpr std::string_view kCandidate = "a=candidate:";
  while (!sdp.empty()) {
    std::string_view line = take_until(sdp, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with(kCandidate)) continue;
    Result<void> allowed = check_candidate(line.substr(kCandidate.size()));
    if (!allowed)
      return denied("The server offers a relay that may not be contacted: " +
                    allowed.error().message);
  }
  return {};
}

}  // namespace alcove::client
