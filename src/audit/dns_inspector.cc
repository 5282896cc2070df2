#include "audit/dns_inspector.h"

#include <fmt/core.h>

#include <algorithm>

#include "policy/decide.h"
#include "policy/manifest.h"

namespace alcove::audit {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kMdnsPort = 5353;
constexpr std::uint16_t kLlmnrPort = 5355;
constexpr std::size_t kMaxTcpMessage = 65'535;

bool has_port(const Flow& flow, std::uint16_t port) {
  return flow.key.server.port == port || flow.key.client.port == port;
}
bool is_local_lookup(const Flow& flow) {
  return has_port(flow, kMdnsPort) || has_port(flow, kLlmnrPort);
}

bool below(std::string_view name, std::string_view parent) {
  return name.ends_with(parent) &&
         (name.size() == parent.size() || name[name.size() - parent.size() - 1] == '.');
}
// Names that lead nowhere outside.
bool is_internal(std::string_view name) {
  if (!name.contains('.')) return true;
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"arpa", "local", "localhost", "lan", "internal"},
      [name](std::string_view parent) { return below(name, parent); });
}

// A browser hides its addresses behind such names: RFC draft mdns-ice-candidates, section 3.1.1.
bool is_random_name(std::string_view label) {
  constexpr std::size_t kUuid = 36;
  if (label.size() != kUuid) return false;
  return std::ranges::all_of(
      label, [](char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string lower_name(std::string_view name) {
  std::string result(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}

}  // namespace

DnsInspector::DnsInspector(const policy::Policy* policy, const policy::GeoDatabase& database,
                           const v1::Manifest* manifest, NameTable& names, Findings& findings)
    : policy_(policy),
      database_(database),
      manifest_(manifest),
      names_(names),
      findings_(findings) {
  if (manifest == nullptr) return;
  for (const v1::ManifestEndpoint& endpoint : manifest->endpoints())
    if (!endpoint.host().empty() && endpoint.purpose() != v1::ManifestEndpoint::PURPOSE_PUSH)
      listed_.insert(lower_name(endpoint.host()));
}

void DnsInspector::handle_flow(Flow& flow) {
  if (flow.key.protocol != ip_protocol::kUdp && flow.key.protocol != ip_protocol::kTcp) return;
  if (is_local_lookup(flow))
    flow.application = Application::kMdns;
  else if (has_port(flow, kDnsPort))
    flow.application = Application::kDns;
}

void DnsInspector::handle_packet(Flow& flow, Direction, const Packet& packet) {
  if (packet.protocol != ip_protocol::kUdp || packet.payload.empty()) return;
  if (!is_local_lookup(flow) && !has_port(flow, kDnsPort)) return;
  const auto message = parse_dns(packet.payload);
  if (!message) return;
  judge(flow, *message, {packet.number, packet.time, flow.id, {}});
}

void DnsInspector::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  if (!has_port(flow, kDnsPort)) return;
  auto& slot_state = flow.states[slot];
  if (!slot_state) slot_state = std::make_unique<State>();
  State& state = static_cast<State&>(*slot_state);
  const auto side = static_cast<std::size_t>(direction);
  if (state.ended[side]) return;
  base::Buffer& held = state.held[side];
  const std::size_t before = held.size();
  if (piece.after_gap) held.clear();
  base::Bytes rest = piece.bytes;
  while (!rest.empty() || held.size() >= 2) {
    if (held.empty()) state.number[side] = piece.number;
    // Two bytes of length, then the message: RFC 1035, section 4.2.2.
    const std::size_t wanted =
        held.size() < 2 ? 2 : 2 + (static_cast<std::size_t>(held[0]) << 8 | held[1]);
    static_assert(kMaxTcpMessage == 0xffff);
    const std::size_t taken = std::min(wanted - held.size(), rest.size());
    held.insert(held.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(taken));
    rest = rest.subspan(taken);
    if (held.size() < wanted) break;
    if (wanted == 2 && held[0] + held[1] != 0) continue;
    if (const auto message = parse_dns(base::Bytes(held).subspan(2)))
      judge(flow, *message, {state.number[side], piece.time, flow.id, {}});
    held.clear();
  }
  if (held_bytes_.change(before, held.size())) return;
  held_bytes_.change(held.size(), 0);
  held = {};
  state.ended[side] = true;
  findings_.add(FindingCode::kLimitReached, "DNS over TCP",
                {piece.number, piece.time, flow.id, {}});
}

void DnsInspector::handle_flow_end(Flow& flow) {
  if (!flow.states[slot]) return;
  for (const base::Buffer& held : static_cast<State&>(*flow.states[slot]).held)
    held_bytes_.change(held.size(), 0);
}

void DnsInspector::judge(Flow& flow, const DnsMessage& message, const Evidence& where) {
  if (is_local_lookup(flow)) return judge_local(message, where);
  for (const DnsQuestion& question : message.questions) {
    if (message.response)
      judge_answer(message, question, where);
    else
      judge_question(question, where);
  }
}

void DnsInspector::judge_question(const DnsQuestion& question, const Evidence& where) {
  Evidence evidence = where;
  evidence.excerpt = question.name;
  findings_.add(FindingCode::kCleartextDns, question.name, evidence);
  if (manifest_ == nullptr || is_internal(question.name) || listed_.contains(question.name)) return;
  findings_.add(FindingCode::kDnsNotInManifest, question.name, evidence);
}

void DnsInspector::judge_answer(const DnsMessage& message, const DnsQuestion& question,
                                const Evidence& where) {
  for (const base::IpAddress& address : addresses_of(message, question.name)) {
    names_.learn(address, question.name);
    if (manifest_ == nullptr || !listed_.contains(question.name)) continue;
    if (may_resolve_to(question.name, address)) continue;
    Evidence evidence = where;
    evidence.excerpt = fmt::format("{} = {}", question.name, address.text());
    findings_.add(FindingCode::kManifestNameElsewhere, question.name, evidence,
                  fmt::format("{} resolved to {}, which the manifest does not list for it.",
                              question.name, address.text()),
                  fmt::format("{} a été résolu en {}, que le manifeste n'indique pas pour lui.",
                              question.name, address.text()));
  }
}

bool DnsInspector::may_resolve_to(std::string_view name, const base::IpAddress& address) const {
  return std::ranges::any_of(manifest_->endpoints(), [&](const v1::ManifestEndpoint& endpoint) {
    if (lower_name(endpoint.host()) != name || !policy::lists_address(endpoint, address))
      return false;
    // Without addresses the name may lead wherever the policy allows.
    if (endpoint.addresses_size() != 0 || policy_ == nullptr) return true;
    return policy::decide(*policy_, database_, address).allowed;
  });
}

// Names of this device that the local network hears: "annas-iphone.local". Services (_ipp._tcp) and
// a browser's random names say nothing.
void DnsInspector::judge_local(const DnsMessage& message, const Evidence& where) {
  const auto judge_name = [&](std::string_view name) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.starts_with('_') || below(name, "arpa") || is_random_name(label))
      return;
    Evidence evidence = where;
    evidence.excerpt = name;
    findings_.add(FindingCode::kMdnsName, name, evidence);
  };
  for (const DnsQuestion& question : message.questions) judge_name(question.name);
  for (const DnsRecord& record : message.records) judge_name(record.name);
}

}  // namespace alcove::audit
