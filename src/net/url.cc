#include "net/url.h"

#include <algorithm>
#include <charconv>

#include "base/address.h"

namespace alcove::net {
namespace {

constexpr std::size_t kMaxUrl = 2048;

bool is_allowed(char c) {
  return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
    return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// "host", "host:port", "[v6]", "[v6]:port" into host and the text of the port, which may be empty.
bool split_authority(std::string_view authority, std::string& host, std::string_view& port) {
  std::size_t host_end = 0;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return false;
    host = authority.substr(1, bracket - 1);
    const auto address = base::IpAddress::parse(host);
    if (!address || host.find(':') == std::string::npos) return false;
    host_end = bracket + 1;
  } else {
    host_end = std::min(authority.find(':'), authority.size());
    host = authority.substr(0, host_end);
    if (host.empty() || !std::ranges::all_of(host, is_host_character)) return false;
  }
  const std::string_view rest = authority.substr(host_end);
  if (rest.empty()) return true;
  if (rest.front() != ':') return false;
  port = rest.substr(1);
  return !port.empty();
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  if (text.size() > kMaxUrl || !std::ranges::all_of(text, is_allowed)) return std::nullopt;
  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme == "https" || scheme == "wss") {
    url.secure = true;
    url.port = 443;
  } else if (scheme != "http" && scheme != "ws") {
    return std::nullopt;
  }
  text.remove_prefix(scheme_end + 3);
  const std::size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view port;
  if (!split_authority(text.substr(0, authority_end), url.host, port)) return std::nullopt;
  if (!port.empty()) {
    const auto number = parse_port(port);
    if (!number) return std::nullopt;
    url.port = *number;
  }
  text.remove_prefix(authority_end);
  const std::size_t fragment = text.find('#');
  if (fragment != std::string_view::npos) {
    url.fragment = text.substr(fragment + 1);
    text = text.substr(0, fragment);
  }
  url.target = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  return url;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const std::uint16_t usual = secure ? 443 : 80;
  return port == usual ? name : name + ":" + std::to_string(port);
}

Url Url::with_target(std::string new_target) const {
  Url copy = *this;
  copy.target = std::move(new_target);
  copy.fragment.clear();
  return copy;
}

}  // namespace alcove::net
