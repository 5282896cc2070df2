#pragma once
// Requests of a client over HTTP/1.1, plain or TLS 1.2 and later with verification.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/egress.h"
#include "base/result.h"
#include "base/time.h"
#include "base/tls_key_log.h"
#include "net/event_loop.h"
#include "net/url.h"

namespace alcove::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct TlsClientOptions {
  // PEM with the certificates to trust in place of the system's.
  std::string authorities_file;
  // Certificate chain and host name are checked. Off only where the user said so.
  bool verify = true;
  // Is told the secrets of each connection, for audits; outlives them. Null: none.
  base::TlsKeyLog* key_log = nullptr;
  // PEM itself, in place of a file: for a process that may no longer read that.
  std::string authorities = {};
};

struct ClientRequest {
  std::string method = "GET";
  Url url;
  Headers headers;  // beside Host, Content-Length and User-Agent
  std::string body;
  base::Duration timeout = base::seconds(15);  // for all of it, name resolution included
  // The local address to leave from; nullopt leaves the choice to the system.
  std::optional<base::IpAddress> source = {};
  std::size_t max_body = 1 << 20;  // bytes of the answer
};

struct ClientResponse {
  int status = 0;
  std::string content_type;  // lower case, without parameters
  Headers headers;           // as received
  std::string body;
};

class HttpClient {
 public:
  // kUnavailable where there was no HTTP answer: no address, refused, timed out, TLS not verified,
  // not HTTP, or kResourceExhausted for an answer over max_body. kPermissionDenied where the guard
  // allows none of the host's addresses, and where the server redirects: that is not followed. The
  // message says which. An HTTP error status is a response.
  using Callback = std::move_only_function<void(base::Result<ClientResponse>)>;

  // guard: is asked before each connection, and outlives this. Null allows all.
  explicit HttpClient(EventLoop& loop, TlsClientOptions tls = {},
                      base::EgressGuard* guard = nullptr);
  // Abandons what is pending; its callbacks are not called.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Calls back once, on the loop, never from inside this call. A connection is kept and used again
  // for the next request to the same server; requests in parallel have a connection each.
  void request(ClientRequest request, Callback callback);

 private:
  class Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
