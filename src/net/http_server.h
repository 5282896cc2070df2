#pragma once
// The HTTP/1.1 and WebSocket server (RFC 9112, RFC 6455), plain or TLS 1.2 and later, on an event
// loop. It bounds and times everything that a client can do, and knows nothing of the API.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/http.h"
#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "net/static_files.h"

namespace alcove::net {

struct HttpServerOptions {
  std::vector<base::SocketAddress> listen;
  // PEM files; TLS when both are given.
  std::string certificate_file;
  std::string key_file;
  std::vector<base::IpAddress> trusted_proxies;
  std::vector<std::string> allowed_origins;
  std::string websocket_path = "/v1/events";
  // Paths that begin with one of these go to the handler, all others to the files.
  std::vector<std::string> api_prefixes = {"/v1/", "/.well-known/", "/healthz", "/readyz"};

  std::size_t max_connections = 20'000;
  std::size_t max_connections_for_address = 1'000;
  std::size_t max_body = 65'536;
  std::size_t max_websocket_message = 65'536;
  // The longest chain of a room's log and what a joiner has missed since.
  std::size_t max_websocket_queue = 3 << 19;
  // For whom the API allows large messages.
  std::size_t max_large_websocket_message = 1 << 20;
  std::size_t max_large_websocket_queue = 16 << 20;
  base::Duration header_within = base::seconds(10);  // the TLS handshake, too
  base::Duration body_within = base::seconds(15);
  base::Duration idle_limit = base::seconds(30);  // between requests
  base::Duration response_within = base::seconds(15);
  base::Duration write_stalled_limit = base::seconds(20);
  base::Duration ping_every =
      base::seconds(20);  // a WebSocket that is silent for twice this is cut
};

// What the server calls, all on the loop's thread. The objects outlive the server.
struct HttpServices {
  base::HttpHandler& handler;
  base::WebSocketAcceptor* acceptor = nullptr;
  const StaticFiles* files = nullptr;
  // Takes a connection over whose first byte is that of a framed STUN message (design, section 4).
  // Without it such connections are closed.
  std::function<void(int descriptor)> adopt_media = {};
};

struct HttpCounters {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // over a limit
  std::uint64_t connections_to_media = 0;
  std::uint64_t requests = 0;
  std::uint64_t client_errors = 0;  // answers 4xx
  std::uint64_t server_errors = 0;  // answers 5xx
  std::uint64_t websockets_open = 0;
  std::uint64_t websockets_accepted = 0;
  std::uint64_t websockets_dropped = 0;  // too slow
};

class HttpServer {
 public:
  // Binds and begins to accept when the loop runs. Errors: a port that is taken, a certificate or a
  // key that cannot be used.
  static base::Result<std::unique_ptr<HttpServer>> open(EventLoop& loop, HttpServerOptions options,
                                                        HttpServices services);
  // Closes every connection; handlers of WebSockets get on_closed.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // As bound, in the order of the options.
  const std::vector<base::SocketAddress>& addresses() const;
  bool secure() const;
  // Reads certificate and key again, for new connections. The old ones stay in force on an error.
  base::Result<void> reload_certificate();
  // Ends listening; connections go on.
  void stop_accepting();
  HttpCounters counters() const;

 private:
  class Implementation;
  explicit HttpServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
