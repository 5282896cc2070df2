#include "policy/endpoint_gate.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace alcove::policy {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

EndpointGate::EndpointGate(Policy policy, std::unique_ptr<GeoDatabase> database)
    : policy_(std::move(policy)), database_(std::move(database)) {
  CHECK(database_ != nullptr);
}

Decision EndpointGate::check(const base::IpAddress& address) const {
  return decide(policy_, *database_, address);
}

Decision EndpointGate::check_literal(std::string_view text) const {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (const auto address = base::IpAddress::parse(text)) return check(*address);
  Decision decision;
  decision.reason = Reason::kNotAnAddress;
  decision.address_class = AddressClass::kReserved;
  decision.database = database_->id();
  return decision;
}

OfferDecision EndpointGate::decide_offer(const base::IpAddress& visitor) const {
  return policy::decide_offer(policy_, *database_, visitor);
}

std::optional<Decision> EndpointGate::admit(std::span<const RelayCandidate> candidates) {
  for (const RelayCandidate& candidate : candidates)
    if (Decision decision = check(candidate.address.ip); !decision.allowed) return decision;
  for (const RelayCandidate& candidate : candidates)
    if (std::ranges::find(admitted_, candidate) == admitted_.end()) admitted_.push_back(candidate);
  return std::nullopt;
}

std::optional<AnswerFault> EndpointGate::check_answer(std::string_view sdp) const {
  const std::string text = lower(sdp);
  std::string_view rest = text;
  while (!rest.empty()) {
    // Either sign ends a line for some client.
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    if (const auto fault = check_line(rest.substr(0, end))) return fault;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

std::optional<AnswerFault> EndpointGate::check_line(std::string_view line) const {
  constexpr std::string_view kCandidate = "a=candidate:";
  if (line.find('\0') != std::string_view::npos) return AnswerFault::kMalformed;
  if (line.starts_with(kCandidate)) return check_candidate(line.substr(kCandidate.size()));
  if (line.starts_with("c=")) return check_connection(line.substr(2));
  if (line.starts_with("a=rtcp:")) {
    const std::size_t space = line.find(' ');
    return space == std::string_view::npos ? std::nullopt
                                           : check_connection(line.substr(space + 1));
  }
  // What is left of them: remote-candidates, indented lines and the like. None is ours.
  const bool harmless = line == "a=end-of-candidates";
  if (!harmless && line.find("candidate") != std::string_view::npos) return AnswerFault::kMalformed;
  const std::size_t first = line.find_first_not_of(" \t\v\f");
  if (first != 0 && first != std::string_view::npos) return AnswerFault::kMalformed;
  return std::nullopt;
}

// RFC 8839, section 5.1: foundation component transport priority address port "typ" type …
std::optional<AnswerFault> EndpointGate::check_candidate(std::string_view value) const {
  const std::vector<std::string_view> parts = split(value, ' ');
  if (parts.size() < 8 || parts[6] != "typ" || std::ranges::find(parts, "") != parts.end())
    return AnswerFault::kMalformed;
  if (std::ranges::find(parts, "raddr") != parts.end()) return AnswerFault::kMalformed;
  RelayCandidate candidate;
  if (parts[2] == "tcp")
    candidate.transport = Transport::kTcp;
  else if (parts[2] != "udp")
    return AnswerFault::kMalformed;
  const auto port = parse_port(parts[5]);
  if (!port) return AnswerFault::kMalformed;
  const auto address = base::IpAddress::parse(parts[4]);
  if (!address) return AnswerFault::kNotAnAddress;
  candidate.address = {*address, *port};
  if (!check(*address).allowed) return AnswerFault::kDenied;
  if (std::ranges::find(admitted_, candidate) == admitted_.end()) return AnswerFault::kNotAdmitted;
  return std::nullopt;
}

// "in ip4 0.0.0.0": a placeholder, or an address of a candidate.
std::optional<AnswerFault> EndpointGate::check_connection(std::string_view value) const {
  const std::vector<std::string_view> parts = split(value, ' ');
  if (parts.size() != 3) return AnswerFault::kMalformed;
  const auto address = base::IpAddress::parse(parts[2]);
  if (!address) return AnswerFault::kNotAnAddress;
  if (address->is_unspecified()) return std::nullopt;
  if (!check(*address).allowed) return AnswerFault::kDenied;
  const auto is_same = [&](const RelayCandidate& one) { return one.address.ip == *address; };
  return std::ranges::any_of(admitted_, is_same) ? std::nullopt
                                                 : std::optional(AnswerFault::kNotAdmitted);
}

}  // namespace alcove::policy
