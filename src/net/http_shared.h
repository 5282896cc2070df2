#pragma once
// What all sessions of one HTTP server share. For the .cc files of src/net only; the loop's thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <unordered_set>

#include "net/connection_limits.h"
#include "net/http_server.h"

namespace alcove::net {

// What can be ended from outside when the server closes.
class HttpSessionBase {
 public:
  virtual ~HttpSessionBase() = default;
  virtual void abort() = 0;
};

struct HttpShared {
  HttpShared(HttpServerOptions server_options, HttpServices server_services)
      : options(std::move(server_options)),
        services(std::move(server_services)),
        limits(options.max_connections, options.max_connections_for_address,
               options.trusted_proxies) {}

  const HttpServerOptions options;
  // Not called any more once closed is set.
  const HttpServices services;
  bool closed = false;
  std::shared_ptr<boost::asio::ssl::context> tls;  // null: plain
  ConnectionLimits limits;
  HttpCounters counters;
  std::unordered_set<HttpSessionBase*> sessions;
};

// One connection from its first byte to its end.
boost::asio::awaitable<void> run_http_session(std::shared_ptr<HttpShared> shared,
                                              boost::asio::ip::tcp::socket socket,
                                              base::IpAddress peer, ConnectionPlace place);

}  // namespace alcove::net
