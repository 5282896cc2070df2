#pragma once
// Requests to the server under review, one after the other.

#include <string>

#include "base/result.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/http_client.h"
#include "net/url.h"

namespace alcove::app {

class Fetcher {
 public:
  static constexpr base::Duration kNoDeadline = base::seconds(24 * 3600);

  // authorities: PEM; empty: the system's. allowed: for all requests together.
  explicit Fetcher(const std::string& authorities, base::Duration allowed = kNoDeadline)
      : http_(loop_, {.verify = true, .authorities = authorities}),
        end_(net::monotonic_now() + allowed) {}

  // Any answer but a redirect (kPermissionDenied).
  base::Result<net::ClientResponse> fetch(const net::Url& server, const std::string& target,
                                          const std::string& accept = "*/*",
                                          std::size_t max_body = 1 << 20);

  // The body of a 200; everything else is an error that names the URL.
  base::Result<std::string> get(const net::Url& server, const std::string& target,
                                const std::string& accept = "*/*");

 private:
  net::EventLoop loop_;
  net::HttpClient http_;
  base::Instant end_;
};

inline bool is_url(const std::string& text) {
  return text.starts_with("https://") || text.starts_with("http://");
}
base::Result<net::Url> parse_url(const std::string& text);

inline constexpr const char* kProtobuf = "application/protobuf";
inline constexpr const char* kManifestPath = "/.well-known/alcove/manifest";
inline constexpr const char* kLogPath = "/.well-known/alcove/log";

}  // namespace alcove::app
