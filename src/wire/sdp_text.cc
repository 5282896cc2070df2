#include "wire/sdp_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace alcove::wire {
namespace {

constexpr std::size_t kMaxDigest = 64;
constexpr std::size_t kMaxFoundation = 32;

constexpr std::array<std::pair<std::string_view, CandidateType>, 4> kCandidateTypes = {{
    {"host", CandidateType::kHost},
    {"srflx", CandidateType::kServerReflexive},
    {"prflx", CandidateType::kPeerReflexive},
    {"relay", CandidateType::kRelay},
}};
constexpr std::array<std::pair<std::string_view, TcpType>, 3> kTcpTypes = {{
    {"active", TcpType::kActive},
    {"passive", TcpType::kPassive},
    {"so", TcpType::kSimultaneousOpen},
}};

constexpr std::array<std::pair<std::string_view, SdpMediaKind>, 3> kMediaKinds = {{
    {"audio", SdpMediaKind::kAudio},
    {"video", SdpMediaKind::kVideo},
    {"application", SdpMediaKind::kApplication},
}};
constexpr std::array<std::pair<std::string_view, SdpSetup>, 3> kSetups = {{
    {"actpass", SdpSetup::kActpass},
    {"active", SdpSetup::kActive},
    {"passive", SdpSetup::kPassive},
}};

template <typename T, std::size_t N>
std::optional<T> find_name(const std::array<std::pair<std::string_view, T>, N>& table,
                           std::string_view name) {
  const auto entry = std::ranges::find(table, name, &std::pair<std::string_view, T>::first);
  if (entry == table.end()) return std::nullopt;
  return entry->second;
}

template <typename T, std::size_t N>
std::string_view name_of(const std::array<std::pair<std::string_view, T>, N>& table, T value) {
  const auto entry = std::ranges::find(table, value, &std::pair<std::string_view, T>::second);
  return entry == table.end() ? std::string_view{} : entry->first;
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The extensions behind the type are pairs of a name and a value; only tcptype matters. nullopt
// when a name has no value.
std::optional<TcpType> parse_extensions(std::string_view rest) {
  TcpType tcp_type = TcpType::kNone;
  while (!rest.empty()) {
    const std::string_view name = take_until(rest, ' ');
    if (name.empty() || rest.empty()) return std::nullopt;
    const std::string_view value = take_until(rest, ' ');
    if (name == "tcptype") tcp_type = find_name(kTcpTypes, value).value_or(TcpType::kNone);
  }
  return tcp_type;
}

}  // namespace

std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return taken;
}

bool is_sdp_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`{|}~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_ice_text(std::string_view text, std::size_t shortest, std::size_t longest) {
  if (text.size() < shortest || text.size() > longest) return false;
  return std::ranges::all_of(text,
                             [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

SdpMediaKind to_media_kind(std::string_view media) {
  return find_name(kMediaKinds, media).value_or(SdpMediaKind::kOther);
}

std::optional<SdpSetup> parse_setup(std::string_view value) { return find_name(kSetups, value); }

std::optional<SdpFingerprint> parse_fingerprint(std::string_view value) {
  SdpFingerprint fingerprint;
  const std::string_view algorithm = take_until(value, ' ');
  if (!is_sdp_token(algorithm) || value.size() % 3 != 2) return std::nullopt;
  std::ranges::transform(algorithm, std::back_inserter(fingerprint.algorithm), to_lower);
  while (!value.empty()) {
    const auto byte = base::from_hex(take_until(value, ':'));
    if (!byte || byte->size() != 1 || fingerprint.digest.size() == kMaxDigest) return std::nullopt;
    fingerprint.digest.push_back(byte->front());
  }
  if (fingerprint.algorithm == "sha-256" && fingerprint.digest.size() != 32) return std::nullopt;
  return fingerprint;
}

std::optional<std::optional<IceCandidate>> parse_candidate(std::string_view value) {
  const std::string_view foundation = take_until(value, ' ');
  const auto component = parse_decimal<std::uint16_t>(take_until(value, ' '));
  const std::string_view transport = take_until(value, ' ');
  const auto priority = parse_decimal<std::uint32_t>(take_until(value, ' '));
  const std::string_view address = take_until(value, ' ');
  const auto port = parse_decimal<std::uint16_t>(take_until(value, ' '));
  const std::string_view typ = take_until(value, ' ');
  const std::string_view type_name = take_until(value, ' ');
  const auto tcp_type = parse_extensions(value);
  if (!is_ice_text(foundation, 1, kMaxFoundation) || !component || *component == 0 ||
      *component > 256 || !is_sdp_token(transport) || !priority || address.empty() || !port ||
      typ != "typ" || !is_sdp_token(type_name) || !tcp_type)
    return std::nullopt;

  const auto useless = [] { return std::optional<std::optional<IceCandidate>>(std::in_place); };
  IceCandidate candidate;
  const bool is_udp = equals_ignoring_case(transport, "udp");
  const bool is_tcp = equals_ignoring_case(transport, "tcp");
  const auto type = find_name(kCandidateTypes, type_name);
  const auto ip = base::IpAddress::parse(address);
  if ((!is_udp && !is_tcp) || !type || !ip) return useless();
  if (is_tcp && *tcp_type == TcpType::kNone) return useless();
  candidate.foundation = foundation;
  candidate.component = *component;
  candidate.protocol = is_udp ? base::TransportProtocol::kUdp : base::TransportProtocol::kTcp;
  candidate.priority = *priority;
  candidate.address = {*ip, *port};
  candidate.type = *type;
  candidate.tcp_type = is_tcp ? *tcp_type : TcpType::kNone;
  return candidate;
}

std::string write_candidate(const IceCandidate& candidate) {
  const bool is_tcp = candidate.protocol == base::TransportProtocol::kTcp;
  std::string text =
      fmt::format("{} {} {} {} {} {} typ {}", candidate.foundation, candidate.component,
                  is_tcp ? "tcp" : "udp", candidate.priority, candidate.address.ip.text(),
                  candidate.address.port, name_of(kCandidateTypes, candidate.type));
  if (is_tcp) text += fmt::format(" tcptype {}", name_of(kTcpTypes, candidate.tcp_type));
  return text;
}

bool is_placeholder_address(std::string_view connection) {
  take_until(connection, ' ');
  take_until(connection, ' ');
  const auto ip = base::IpAddress::parse(take_until(connection, '/'));
  return ip && (ip->is_unspecified() || ip->is_loopback());
}

}  // namespace alcove::wire
