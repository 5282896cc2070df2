// http.public_hosts: how people reach this server.

#include <algorithm>
#include <charconv>

#include "alcove/config.h"

namespace alcove::app {
namespace {

constexpr std::size_t kMaxName = 253;

std::optional<std::string> parse_name(std::string_view text) {
  std::string name(text);
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  const bool well_formed = !name.empty() && name.size() <= kMaxName && !name.starts_with('.') &&
                           !name.ends_with('.') && name.find("..") == std::string::npos &&
                           std::ranges::all_of(name, is_plain);
  if (!well_formed) return std::nullopt;
  return name;
}

bool parse_port(std::string_view text, PublicHost& host) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return false;
  host.ports.push_back(port);
  return true;
}

bool parse_bracketed(std::string_view text, PublicHost& host) {
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return false;
  // An IPv4-mapped one is the IPv4 address.
  const std::string_view literal = text.substr(1, end - 1);
  const auto address = base::IpAddress::parse(literal);
  if (!address || literal.find(':') == std::string_view::npos) return false;
  host.host = address->text();
  text.remove_prefix(end + 1);
  return text.empty() || (text.front() == ':' && parse_port(text.substr(1), host));
}

bool parse_host(std::string_view text, PublicHost& host) {
  if (text.starts_with('[')) return parse_bracketed(text, host);
  const std::size_t colon = std::min(text.find(':'), text.size());
  if (colon != text.size() && !parse_port(text.substr(colon + 1), host)) return false;
  const std::string_view name = text.substr(0, colon);
  const auto parsed = parse_name(name);
  if (!parsed) return false;
  const auto literal = base::IpAddress::parse(name);
  // 1.2.3 is a name by its characters and an address to some resolvers.
  const bool looks_numeric = name.find_first_not_of("0123456789.") == std::string_view::npos;
  if (looks_numeric && !literal) return false;
  host.host = literal ? literal->text() : *parsed;
  return true;
}

}  // namespace

std::optional<PublicHost> parse_public_host(std::string_view text) {
  PublicHost host;
  const std::size_t equals = std::min(text.find('='), text.size());
  if (!parse_host(text.substr(0, equals), host)) return std::nullopt;
  const auto literal = base::IpAddress::parse(host.host);
  if (literal) host.addresses.push_back(*literal);
  if (equals == text.size()) return host;
  std::string_view fixed = text.substr(equals + 1);
  if (fixed.starts_with('[') && fixed.ends_with(']')) fixed = fixed.substr(1, fixed.size() - 2);
  const auto address = base::IpAddress::parse(fixed);
  if (!address || literal) return std::nullopt;
  host.addresses.push_back(*address);
  return host;
}

}  // namespace alcove::app
