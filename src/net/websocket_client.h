#pragma once
// A client's WebSocket (RFC 6455): binary messages, no compression, pings every 20 s.

#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "net/http_client.h"
#include "net/url.h"

namespace alcove::net {

// Called on the loop's thread, never from inside a call to the client.
class WebSocketClientHandler {
 public:
  virtual ~WebSocketClientHandler() = default;
  virtual void on_open() = 0;
  // A whole binary message of at most 1 MiB. Text closes the connection.
  virtual void on_message(base::Bytes message) = 0;
  // Once, and the last call: also when it never opened. The message says why. kPermissionDenied as
  // for HttpClient: the guard, or a redirect.
  virtual void on_closed(const base::Error& reason) = 0;
};

// One connection; make a new one to connect again.
class WebSocketClient {
 public:
  // guard: is asked before the connection, and outlives this. Null allows all.
  WebSocketClient(EventLoop& loop, WebSocketClientHandler& handler, TlsClientOptions tls = {},
                  base::EgressGuard* guard = nullptr);
  // Drops the connection; the handler is not called any more.
  ~WebSocketClient();
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;

  // Once. Headers go with the upgrade request. source: the local address to leave from. Gives up
  // after 10 s.
  void connect(const Url& url, const Headers& headers = {},
               std::optional<base::IpAddress> source = {});
  // Queues a binary message; also before on_open. Over 1 MiB unsent drops the connection.
  void send(base::Buffer message);
  // Sends what is queued, then closes; on_closed follows.
  void close();

 private:
  class Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
