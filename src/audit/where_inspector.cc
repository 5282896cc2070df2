#include "audit/where_inspector.h"

#include <fmt/core.h>

#include <algorithm>

#include "audit/endpoint_text.h"
#include "policy/manifest.h"

namespace alcove::audit {
namespace {

using policy::AddressClass;
using policy::Reason;

constexpr std::size_t kMaxWaiting = 3;
constexpr std::size_t kMaxDecisions = 16'384;  // then the cache starts anew

bool is_local_link(const base::IpAddress& address) {
  const AddressClass address_class = policy::classify(address);
  return address_class == AddressClass::kMulticast || address_class == AddressClass::kLinkLocal ||
         address.is_unspecified() ||
         (address.is_v4() && std::ranges::all_of(address.bytes(), [](auto b) { return b == 255; }));
}

FindingCode finding_code_of(Reason reason) {
  switch (reason) {
    case Reason::kDeniedCountry:
    case Reason::kCountryNotAllowed:
      return FindingCode::kDeniedCountry;
    case Reason::kDeniedAsn:
    case Reason::kDeniedOwnerName:
    case Reason::kDeniedOwnerCountry:
    case Reason::kOwnerCountryNotAllowed:
      return FindingCode::kDeniedOwner;
    case Reason::kUnknownCountry:
    case Reason::kUnknownOwner:
      return FindingCode::kDeniedUnknown;
    case Reason::kAnycast:
      return FindingCode::kAnycast;
    default:
      return FindingCode::kDeniedOther;
  }
}

bool is_icmp(std::uint8_t protocol) {
  return protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmp6;
}
// Errors come from routers that nobody chose; neighbour discovery and listener reports (RFC 4443,
// 4861, 3810) stay on the link.
bool is_icmp_of_the_network(const Packet& packet) {
  if (packet.payload.empty()) return false;
  const std::uint8_t type = packet.payload[0];
  if (packet.protocol == ip_protocol::kIcmp)
    return type == 3 || type == 4 || type == 5 || type == 9 || type == 10 || type == 11 ||
           type == 12;
  return type < 128 || (type >= 130 && type <= 137) || type == 143;
}

bool uses_port(const Flow& flow, std::initializer_list<std::uint16_t> ports) {
  return std::ranges::any_of(ports, [&flow](std::uint16_t port) {
    return flow.key.server.port == port || flow.key.client.port == port;
  });
}

// What a device does on any network, whatever the app.
bool is_of_the_network(const Flow& flow) {
  constexpr std::uint8_t kIgmp = 2;
  const base::SocketAddress& client = flow.key.client;
  const base::SocketAddress& server = flow.key.server;
  if (flow.key.protocol == kIgmp || is_local_link(client.ip) || is_local_link(server.ip))
    return true;
  if (client.ip.is_loopback() && server.ip.is_loopback()) return true;
  if (flow.key.protocol == ip_protocol::kUdp && uses_port(flow, {67, 68, 546, 547, 5353, 5355}))
    return true;
  const AddressClass resolver = policy::classify(server.ip);
  return server.port == 53 &&
         (resolver == AddressClass::kPrivate || resolver == AddressClass::kLoopback);
}

std::string describe(const Packet& packet) {
  if (packet.fragment) return "a fragment";
  if (packet.protocol == ip_protocol::kTcp && packet.payload.empty()) {
    if ((packet.tcp_flags & 0x02) != 0)
      return (packet.tcp_flags & 0x10) != 0 ? "TCP SYN+ACK" : "TCP SYN";
    if ((packet.tcp_flags & 0x04) != 0) return "TCP RST";
    return (packet.tcp_flags & 0x01) != 0 ? "TCP FIN" : "TCP ACK";
  }
  if (is_icmp(packet.protocol) && packet.payload.size() >= 2)
    return fmt::format("ICMP type {}", packet.payload[0]);
  return make_excerpt(packet.payload, 0, 60);
}

std::string lower_host(std::string_view name) {
  std::string result(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}

Evidence evidence_of(const Flow& flow, const Packet& packet) {
  return {packet.number, packet.time, flow.id, describe(packet)};
}

}  // namespace

WhereInspector::WhereInspector(const policy::Policy* policy, const policy::GeoDatabase& database,
                               const v1::Manifest* manifest, const NameTable& names,
                               Findings& findings)
    : policy_(policy != nullptr ? *policy : no_policy_),
      database_(database),
      manifest_(manifest),
      names_(names),
      findings_(findings) {}

std::shared_ptr<const policy::Decision> WhereInspector::decide(const base::IpAddress& address) {
  if (const auto found = decisions_.find(address); found != decisions_.end()) return found->second;
  if (decisions_.size() >= kMaxDecisions) decisions_.clear();
  auto decision =
      std::make_shared<const policy::Decision>(policy::decide(policy_, database_, address));
  decisions_.emplace(address, decision);
  return decision;
}

const base::SocketAddress& WhereInspector::judged_end(const Flow& flow) {
  const base::SocketAddress& usual = remote_end(flow);
  if (policy::classify(flow.key.client.ip) != policy::AddressClass::kGlobal ||
      policy::classify(flow.key.server.ip) != policy::AddressClass::kGlobal)
    return usual;
  if (ends_.size() + 2 > kMaxDecisions) ends_.clear();
  const std::uint64_t client = ++ends_[flow.key.client.ip];
  const std::uint64_t server = ++ends_[flow.key.server.ip];
  const bool hidden = decide(flow.key.server.ip)->allowed && !decide(flow.key.client.ip)->allowed;
  return hidden && client <= server ? flow.key.client : usual;
}

void WhereInspector::handle_flow(Flow& flow) {
  auto created = std::make_unique<State>();
  State& state = *created;
  flow.states[slot] = std::move(created);
  const base::SocketAddress& remote = judged_end(flow);
  state.decision = decide(remote.ip);
  state.denied = !state.decision->allowed && !is_local_link(remote.ip);
  if (state.denied) state.code = finding_code_of(state.decision->reason);
  if (flow.server_name.empty()) flow.server_name = names_.find(remote.ip);
  state.subject = endpoint_text(flow, remote);
  if (manifest_ == nullptr) return;
  state.found = is_listed(flow);
  if (state.found)
    state.listed = Listed::kYes;
  else if (is_of_the_network(flow))
    state.listed = Listed::kNotAsked;
  else
    state.listed = name_may_decide(flow) ? Listed::kPending : Listed::kNo;
}

// By address, port and protocol; of ICMP by the address.
bool WhereInspector::is_listed(const Flow& flow) const {
  const auto lists = [&](const v1::ManifestEndpoint& endpoint, const base::SocketAddress& end) {
    const auto protocol = flow.key.protocol == ip_protocol::kTcp
                              ? v1::ManifestEndpoint::PROTOCOL_TCP
                              : v1::ManifestEndpoint::PROTOCOL_UDP;
    const bool literal = base::IpAddress::parse(endpoint.host()) == end.ip;
    if (!literal && (endpoint.addresses_size() == 0 || !policy::lists_address(endpoint, end.ip)))
      return false;
    if (is_icmp(flow.key.protocol)) return true;
    if (flow.key.protocol != ip_protocol::kTcp && flow.key.protocol != ip_protocol::kUdp)
      return false;
    // Ports are cut off of fragments: they belong to a packet that is judged when it is whole.
    return endpoint.protocol() == protocol &&
           (end.port == 0 ||
            std::ranges::find(endpoint.ports(), end.port) != endpoint.ports().end());
  };
  return std::ranges::any_of(manifest_->endpoints(), [&](const v1::ManifestEndpoint& endpoint) {
    if (endpoint.purpose() == v1::ManifestEndpoint::PURPOSE_PUSH) return false;
    // The capture may have begun in the middle, or at the server's side.
    return lists(endpoint, flow.key.server) || lists(endpoint, flow.key.client);
  });
}

bool WhereInspector::name_may_decide(const Flow& flow) const {
  if (flow.key.protocol != ip_protocol::kTcp && flow.key.protocol != ip_protocol::kUdp)
    return false;
  return std::ranges::any_of(manifest_->endpoints(), [&](const v1::ManifestEndpoint& endpoint) {
    return endpoint.addresses_size() == 0 && !endpoint.host().empty() &&
           std::ranges::find(endpoint.ports(), flow.key.server.port) != endpoint.ports().end();
  });
}

bool WhereInspector::name_is_listed(const Flow& flow, std::string_view name,
                                    const State& state) const {
  if (name.empty() || !state.decision->allowed) return false;
  const auto protocol = flow.key.protocol == ip_protocol::kTcp ? v1::ManifestEndpoint::PROTOCOL_TCP
                                                               : v1::ManifestEndpoint::PROTOCOL_UDP;
  return std::ranges::any_of(manifest_->endpoints(), [&](const v1::ManifestEndpoint& endpoint) {
    return endpoint.addresses_size() == 0 && lower_host(endpoint.host()) == name &&
           endpoint.protocol() == protocol &&
           std::ranges::find(endpoint.ports(), flow.key.server.port) != endpoint.ports().end();
  });
}

void WhereInspector::handle_packet(Flow& flow, Direction, const Packet& packet) {
  State& state = state_of(flow);
  if (state.denied) {
    Evidence evidence{packet.number, packet.time, flow.id, {}};
    if (state.told < Findings::kMaxEvidence) evidence.excerpt = describe(packet);
    const bool first = state.told++ == 0;
    findings_.add(state.code, state.subject, evidence,
                  first ? policy::explain_en(*state.decision) : std::string(),
                  first ? policy::explain_fr(*state.decision) : std::string());
  }
  if (state.listed == Listed::kNo || state.listed == Listed::kPending)
    judge_manifest(flow, state, packet);
}

void WhereInspector::judge_manifest(Flow& flow, State& state, const Packet& packet) {
  if (is_icmp(packet.protocol) && is_icmp_of_the_network(packet)) return;
  if (state.listed == Listed::kNo) {
    Evidence evidence{packet.number, packet.time, flow.id, {}};
    if (state.waiting_packets++ < Findings::kMaxEvidence) evidence = evidence_of(flow, packet);
    findings_.add(FindingCode::kNotInManifest, state.subject, evidence);
    return;
  }
  if (name_is_listed(flow, flow.server_name, state)) {
    state.listed = Listed::kYes;
    state.found = true;
    state.waiting.clear();
    return;
  }
  ++state.waiting_packets;
  state.last_packet = packet.number;
  if (state.waiting.size() < kMaxWaiting) state.waiting.push_back(evidence_of(flow, packet));
}

void WhereInspector::give_up_waiting(State& state) {
  for (const Evidence& evidence : state.waiting)
    findings_.add(FindingCode::kNotInManifest, state.subject, evidence);
  findings_.count_more(FindingCode::kNotInManifest, state.subject,
                       state.waiting_packets - state.waiting.size(), state.last_packet);
  state.waiting.clear();
}

void WhereInspector::handle_flow_end(Flow& flow) {
  State& state = state_of(flow);
  if (state.listed != Listed::kPending) return;
  // The name may have come with the last packets.
  if (name_is_listed(flow, flow.server_name, state)) {
    state.listed = Listed::kYes;
    state.found = true;
    return;
  }
  give_up_waiting(state);
  state.listed = Listed::kNo;
}

const policy::Decision& WhereInspector::decision(const Flow& flow) const {
  return *static_cast<const State&>(*flow.states[slot]).decision;
}
bool WhereInspector::denied(const Flow& flow) const {
  return static_cast<const State&>(*flow.states[slot]).denied;
}
bool WhereInspector::in_manifest(const Flow& flow) const {
  return static_cast<const State&>(*flow.states[slot]).found;
}

}  // namespace alcove::audit
