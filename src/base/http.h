#pragma once
// HTTP messages and WebSocket connections as the API sees them: values and two small interfaces, so
// that src/control has no sockets and src/net has no API. One thread (the control thread).

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::base {

struct HttpRequest {
  std::string method;        // upper case
  std::string path;          // "/v1/rooms/…", as sent, without the query
  std::string query;         // without "?"
  std::string content_type;  // lower case, without parameters
  std::string accept;
  std::string authorization;  // the whole header value
  std::string join_token;     // header Alcove-Join
  std::string if_none_match;
  std::string body;  // bounded by the transport
  IpAddress remote;  // the client, for rate limits; X-Forwarded-For where the operator trusts it
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Called exactly once, on the control thread, at once or later. The transport answers 504 and drops
// a later call when it takes longer than its limit.
using HttpRespond = std::move_only_function<void(HttpResponse)>;

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void handle_request(HttpRequest request, HttpRespond respond) = 0;
};

// One WebSocket connection, as the transport gives it to the API. It outlives the handler's
// on_closed.
class WebSocketPeer {
 public:
  virtual ~WebSocketPeer() = default;
  // Queues a binary message. A peer whose queue is full (the transport's bound) is dropped: its
  // handler gets on_closed later, never from inside this call.
  virtual void send(Buffer message) = 0;
  // The same for a message whose end is the same for many peers: it is shared, not copied.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): who overrides it keeps its share.
  virtual void send_shared(Buffer begin, std::shared_ptr<const Buffer> end) {
    begin.insert(begin.end(), end->begin(), end->end());
    send(std::move(begin));
  }
  // Whether messages may be large, both ways: up to the transport's larger bounds. Not at first.
  virtual void allow_large(bool allowed) = 0;
  // Sends what is queued, then closes.
  virtual void close() = 0;
};

class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  // A whole binary message of at most the transport's limit (64 KiB, large 1 MiB). Text messages
  // close the connection.
  virtual void on_message(Bytes message) = 0;
  // The last call; the peer must not be used after it.
  virtual void on_closed() = 0;
};

class WebSocketAcceptor {
 public:
  virtual ~WebSocketAcceptor() = default;
  // Asked first. Whom the API does not serve at all gets this answer in place of a handshake.
  virtual std::optional<HttpResponse> refuse(const IpAddress& remote) {
    static_cast<void>(remote);
    return std::nullopt;
  }
  // Null refuses the connection.
  virtual std::unique_ptr<WebSocketHandler> accept(WebSocketPeer& peer,
                                                   const IpAddress& remote) = 0;
};

}  // namespace alcove::base
