#pragma once
// The small rules of the HTTP server, without sockets: what a header means and what is answered.
// Pure; any thread.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"

namespace alcove::net {

using HeaderList = std::vector<std::pair<std::string_view, std::string>>;

// "HTTP/1.1 200 OK" and the headers, with Content-Length and Connection. Headers whose name or
// value could break the message (RFC 9110, section 5.5) are left out, and so are those that send a
// client elsewhere (Location, Alt-Svc and so on). status is no redirect.
std::string response_head(int status, const HeaderList& headers, std::size_t content_length,
                          bool keep_alive);
std::string_view reason_of(int status);

// The body of an answer that the transport itself makes: alcove.v1.ErrorResponse as JSON. message
// is text of this program without characters that JSON escapes.
std::string error_body(std::string_view code, std::string_view message);

// For every answer (nosniff, CORP and so on); HSTS where the connection is TLS.
void add_common_security_headers(HeaderList& headers, bool secure);
// For the web app's documents: its Content-Security-Policy, Permissions-Policy and COOP.
void add_document_security_headers(HeaderList& headers);

enum class Encoding { kIdentity, kGzip, kBrotli };
// True when an Accept-Encoding header (RFC 9110, section 12.5.3) admits the coding, by name or by
// "*", with a weight above 0.
bool accepts(std::string_view accept_encoding, Encoding encoding);

// True when an If-None-Match header lists the ETag (weak comparison) or is "*".
bool matches_etag(std::string_view if_none_match, std::string_view etag);

// A WebSocket's Origin must be the host that the request went to, or be listed. None is sent by
// programs that are not browsers, and passes: there are no cookies to steal.
bool origin_allowed(std::string_view origin, std::string_view host,
                    std::span<const std::string> allowed);

// Who the request is from: the connection's peer, or, where that is a trusted proxy, the last
// address in X-Forwarded-For that is not one.
base::IpAddress client_address(const base::IpAddress& peer, std::string_view forwarded_for,
                               std::span<const base::IpAddress> trusted_proxies);

// "text/html; charset=utf-8" becomes "text/html".
std::string media_type(std::string_view content_type);

bool equal_without_case(std::string_view a, std::string_view b);

}  // namespace alcove::net
