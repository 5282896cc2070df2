#include "net/http_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace alcove::net {
namespace {

// Nothing from elsewhere, nothing inline: a stranger's text cannot become a script, and the page
// can talk to this server only. blob: is for recordings that the page itself makes. In connect-src
// 'self' covers the WebSocket of the same origin and no other (seen in Chromium 156 and Firefox
// 153).
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; media-src 'self' blob:; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

constexpr std::string_view kPermissionsPolicy =
    "accelerometer=(), autoplay=(self), browsing-topics=(), camera=(), clipboard-read=(), "
    "clipboard-write=(self), display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), "
    "geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), "
    "local-fonts=(), magnetometer=(), microphone=(self), midi=(), otp-credentials=(), payment=(), "
    "picture-in-picture=(), publickey-credentials-create=(), publickey-credentials-get=(), "
    "screen-wake-lock=(self), serial=(), speaker-selection=(self), storage-access=(), usb=(), "
    "web-share=(self), window-management=(), xr-spatial-tracking=()";

constexpr std::string_view kSpace = " \t";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <typename Visit>
void for_each_item(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    visit(trim(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

// A weight of 0 in any of its spellings: "0", "0.", "0.000".
bool is_zero_weight(std::string_view parameters) {
  const std::size_t equals = parameters.find('=');
  if (equals == std::string_view::npos) return false;
  if (!equal_without_case(trim(parameters.substr(0, equals)), "q")) return false;
  const std::string_view value = trim(parameters.substr(equals + 1));
  return !value.empty() && value.find_first_not_of("0.") == std::string_view::npos;
}

// What makes a browser go elsewhere, or tell others: nothing of it is ever sent.
constexpr std::string_view kElsewhere[] = {
    "Location",  "Content-Location",   "Refresh", "Alt-Svc", "Link", "NEL",
    "Report-To", "Reporting-Endpoints"};

bool is_safe_header(std::string_view name, std::string_view value) {
  const auto is_visible = [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; };
  const auto is_token = [](char c) { return c > 0x20 && c < 0x7f && c != ':'; };
  const auto is_same = [&](std::string_view one) { return equal_without_case(one, name); };
  return !name.empty() && std::ranges::all_of(name, is_token) &&
         std::ranges::none_of(kElsewhere, is_same) && std::ranges::all_of(value, is_visible);
}

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view reason_of(int status) {
  constexpr std::pair<int, std::string_view> kReasons[] = {{101, "Switching Protocols"},
                                                           {200, "OK"},
                                                           {201, "Created"},
                                                           {204, "No Content"},
                                                           {304, "Not Modified"},
                                                           {400, "Bad Request"},
                                                           {401, "Unauthorized"},
                                                           {403, "Forbidden"},
                                                           {404, "Not Found"},
                                                           {405, "Method Not Allowed"},
                                                           {409, "Conflict"},
                                                           {410, "Gone"},
                                                           {412, "Precondition Failed"},
                                                           {413, "Content Too Large"},
                                                           {415, "Unsupported Media Type"},
                                                           {422, "Unprocessable Content"},
                                                           {426, "Upgrade Required"},
                                                           {429, "Too Many Requests"},
                                                           {431, "Request Header Fields Too Large"},
                                                           {451, "Unavailable For Legal Reasons"},
                                                           {500, "Internal Server Error"},
                                                           {501, "Not Implemented"},
                                                           {503, "Service Unavailable"},
                                                           {504, "Gateway Timeout"}};
  const auto* found = std::ranges::find(kReasons, status, &std::pair<int, std::string_view>::first);
  return found != std::end(kReasons) ? found->second : "Status";
}

std::string response_head(int status, const HeaderList& headers, std::size_t content_length,
                          bool keep_alive) {
  CHECK(status == 304 || status / 100 != 3);  // no redirects: a client stays with this server
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_of(status));
  for (const auto& [name, value] : headers)
    if (is_safe_header(name, value))
      fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  // RFC 9110, section 8.6: neither has one.
  if (status != 304 && status != 204)
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", content_length);
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

std::string error_body(std::string_view code, std::string_view message) {
  return fmt::format(R"({{"code":"{}","message":"{}"}})", code, message);
}

void add_common_security_headers(HeaderList& headers, bool secure) {
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("Referrer-Policy", "no-referrer");
  headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  if (secure) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
}

void add_document_security_headers(HeaderList& headers) {
  headers.emplace_back("Content-Security-Policy", std::string(kContentSecurityPolicy));
  headers.emplace_back("Permissions-Policy", std::string(kPermissionsPolicy));
  headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
}

bool accepts(std::string_view accept_encoding, Encoding encoding) {
  if (encoding == Encoding::kIdentity) return true;
  const std::string_view wanted = encoding == Encoding::kBrotli ? "br" : "gzip";
  bool accepted = false;
  bool named = false;
  for_each_item(accept_encoding, [&](std::string_view item) {
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view name = trim(item.substr(0, semicolon));
    const std::string_view parameters = trim(item.substr(std::min(semicolon + 1, item.size())));
    const bool admitted = parameters.empty() || !is_zero_weight(parameters);
    if (equal_without_case(name, wanted)) {
      named = true;
      accepted = admitted;
    } else if (name == "*" && !named) {
      accepted = admitted;
    }
  });
  return accepted;
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  bool found = false;
  for_each_item(if_none_match, [&](std::string_view item) {
    if (item.starts_with("W/")) item.remove_prefix(2);
    found = found || item == "*" || item == etag;
  });
  return found;
}

bool origin_allowed(std::string_view origin, std::string_view host,
                    std::span<const std::string> allowed) {
  if (origin.empty()) return true;
  if (std::ranges::any_of(allowed,
                          [&](const std::string& one) { return equal_without_case(one, origin); }))
    return true;
  for (const std::string_view scheme : {"https://", "http://"})
    if (origin.starts_with(scheme))
      return !host.empty() && equal_without_case(origin.substr(scheme.size()), host);
  return false;
}

base::IpAddress client_address(const base::IpAddress& peer, std::string_view forwarded_for,
                               std::span<const base::IpAddress> trusted_proxies) {
  const auto is_trusted = [&](const base::IpAddress& address) {
    return std::ranges::find(trusted_proxies, address) != trusted_proxies.end();
  };
  base::IpAddress client = peer;
  while (is_trusted(client) && !forwarded_for.empty()) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    const auto address = base::IpAddress::parse(trim(forwarded_for.substr(begin)));
    if (!address) break;
    client = *address;
    forwarded_for = forwarded_for.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return client;
}

std::string media_type(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  std::string result(type);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

}  // namespace alcove::net
