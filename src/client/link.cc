#include "client/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/address.h"

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kMaxLink = 2048;

struct SplitUrl {
  ServerAddress server;
  std::string_view target;  // from the first "/", without the fragment
  std::string_view fragment;
};

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// host, host:port, [v6] or [v6]:port into server, whose scheme is set.
Result<void> parse_authority(std::string_view authority, ServerAddress& server) {
  server.port = server.secure ? 443 : 80;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos)
      return base::fail(ErrorCode::kInvalidArgument, "The link's address has no closing bracket.");
    server.host = lower_case(authority.substr(1, end - 1));
    rest = authority.substr(end + 1);
    const auto ip = base::IpAddress::parse(server.host);
    if (!ip || server.host.find(':') == std::string::npos)
      return base::fail(ErrorCode::kInvalidArgument, "The link's IPv6 address is not one.");
  } else {
    const std::size_t colon = authority.find(':');
    server.host = lower_case(authority.substr(0, colon));
    rest = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    if (server.host.empty() || !std::ranges::all_of(server.host, is_host_character))
      return base::fail(ErrorCode::kInvalidArgument, "The link's host name is not one.");
  }
  if (rest.empty()) return {};
  const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port)
    return base::fail(ErrorCode::kInvalidArgument,
                      "The link's port is not a number from 1 to 65535.");
  server.port = *port;
  return {};
}

Result<SplitUrl> split_url(std::string_view text) {
  if (text.size() > kMaxLink)
    return base::fail(ErrorCode::kInvalidArgument, "The link is too long.");
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable)
    return base::fail(ErrorCode::kInvalidArgument,
                      "The link has a space or a character that links do not have.");
  SplitUrl result;
  const std::size_t scheme_end = text.find("://");
  const std::string scheme =
      scheme_end == std::string_view::npos ? "" : lower_case(text.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https")
    return base::fail(ErrorCode::kInvalidArgument, "A link begins with http:// or https://.");
  result.server.secure = scheme == "https";
  text.remove_prefix(scheme_end + 3);
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    result.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  const std::size_t slash = std::min(text.find_first_of("/?"), text.size());
  result.target = text.substr(slash);
  if (Result<void> parsed = parse_authority(text.substr(0, slash), result.server); !parsed)
    return std::unexpected(parsed.error());
  return result;
}

}  // namespace

std::string ServerAddress::origin() const {
  const bool literal_v6 = host.find(':') != std::string::npos;
  std::string result = secure ? "https://" : "http://";
  result += literal_v6 ? "[" + host + "]" : host;
  if (port != (secure ? 443 : 80)) result += fmt::format(":{}", port);
  return result;
}

Result<RoomLink> parse_room_link(std::string_view text) {
  const Result<SplitUrl> url = split_url(text);
  if (!url) return std::unexpected(url.error());
  constexpr std::string_view kPrefix = "/r/";
  std::string_view id = url->target;
  if (!id.starts_with(kPrefix))
    return base::fail(ErrorCode::kInvalidArgument,
                      "This is not the link of a room: its path should begin with /r/.");
  id.remove_prefix(kPrefix.size());
  if (id.ends_with('/')) id.remove_suffix(1);
  const auto room = base::RoomId::parse(id);
  if (!room)
    return base::fail(
        ErrorCode::kInvalidArgument,
        "The room's id in the link is incomplete: it has 22 letters, digits, - or _.");
  return RoomLink{url->server, *room, std::string(url->fragment)};
}

Result<ServerAddress> parse_server_address(std::string_view text) {
  const std::string with_scheme = text.find("://") == std::string_view::npos
                                      ? "https://" + std::string(text)
                                      : std::string(text);
  const Result<SplitUrl> url = split_url(with_scheme);
  if (!url) return std::unexpected(url.error());
  if ((!url->target.empty() && url->target != "/") || !url->fragment.empty())
    return base::fail(ErrorCode::kInvalidArgument,
                      "A server's address has no path: https://host or https://host:port.");
  return url->server;
}

}  // namespace alcove::client
