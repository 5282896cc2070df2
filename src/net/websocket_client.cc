#include "net/websocket_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <optional>

#include "net/client_connect.h"
#include "net/event_loop_impl.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr base::Duration kConnectWithin = base::seconds(10);
constexpr base::Duration kIdleLimit = base::seconds(40);  // Beast pings after half of it
constexpr std::size_t kMaxMessage = 1 << 20;
constexpr std::size_t kMaxUnsent = 1 << 20;

}  // namespace

class WebSocketClient::Implementation : public std::enable_shared_from_this<Implementation> {
 public:
  Implementation(EventLoop& loop, WebSocketClientHandler& handler, TlsClientOptions tls,
                 base::EgressGuard* guard)
      : executor_(loop.implementation().context.get_executor()),
        handler_(&handler),
        options_(std::move(tls)),
        connection_(executor_, guard) {}

  void start(const Url& url, const Headers& headers, std::optional<base::IpAddress> source) {
    source_ = source;
    asio::co_spawn(executor_, run(shared_from_this(), url, headers),
                   [](const std::exception_ptr&) {});
  }

  void send(base::Buffer message) {
    if (closing_ || failed_) return;
    if (queued_bytes_ + message.size() > kMaxUnsent) return abort();
    queued_bytes_ += message.size();
    queue_.push_back(std::move(message));
    write_next();
  }

  void close() {
    closing_ = true;
    if (open_)
      write_next();
    else
      abort();
  }

  void drop() {
    handler_ = nullptr;
    abort();
  }

 private:
  // self keeps this alive for as long as the connection runs.
  asio::awaitable<void> run(std::shared_ptr<Implementation> self, Url url, Headers headers) {
    co_await asio::post(executor_, asio::use_awaitable);
    base::Error reason = co_await connect_and_read(url, headers);
    self->open_ = false;
    self->abort();
    if (WebSocketClientHandler* handler = std::exchange(self->handler_, nullptr))
      handler->on_closed(reason);
  }

  asio::awaitable<base::Error> connect_and_read(const Url& url, const Headers& headers) {
    TlsContext tls;
    if (url.secure) {
      base::Result<TlsContext> made = make_client_tls(options_);
      if (!made) co_return made.error();
      tls = *made;
    }
    connection_.watchdog().expires_after(kConnectWithin);
    const base::Result<void> opened = co_await connection_.open(url, tls, options_.verify, source_);
    if (!opened) co_return opened.error();
    socket_.emplace(connection_.take_stream());
    set_options(headers);
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const std::string host = url.authority();
    websocket::response_type response;
    co_await socket_->async_handshake(response, host, url.target, token);
    if (error == websocket::error::upgrade_declined &&
        is_redirect(static_cast<int>(response.result_int()))) {
      const auto location = response[boost::beast::http::field::location];
      co_return redirect_error({location.data(), location.size()});
    }
    if (error || failed_) co_return lost("no WebSocket: " + error.message());
    open_ = true;
    if (handler_ != nullptr) handler_->on_open();
    write_next();
    co_return co_await read_all();
  }

  void set_options(const Headers& headers) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = kConnectWithin;
    timeout.idle_timeout = kIdleLimit;
    timeout.keep_alive_pings = true;
    socket_->set_option(timeout);
    socket_->read_message_max(kMaxMessage);
    socket_->binary(true);
    socket_->auto_fragment(false);
    socket_->set_option(
        websocket::stream_base::decorator([headers](websocket::request_type& request) {
          for (const auto& [name, value] : headers) request.set(name, value);
        }));
  }

  asio::awaitable<base::Error> read_all() {
    boost::beast::flat_buffer buffer;
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    for (;;) {
      co_await socket_->async_read(buffer, token);
      if (error == websocket::error::closed) co_return lost("closed by the server");
      if (error || failed_ || handler_ == nullptr) co_return lost("connection lost");
      if (socket_->got_text()) co_return lost("the server sent text");
      const auto data = buffer.cdata();
      handler_->on_message({static_cast<const std::uint8_t*>(data.data()), data.size()});
      buffer.consume(buffer.size());
    }
  }

  static base::Error lost(std::string message) {
    return {base::ErrorCode::kUnavailable, std::move(message)};
  }

  void write_next() {
    if (!open_ || writing_ || failed_) return;
    if (queue_.empty() && !closing_) return;
    writing_ = true;
    if (queue_.empty()) {
      const websocket::close_reason reason(websocket::close_code::normal);
      socket_->async_close(reason, [self = shared_from_this()](error_code) {});
      return;
    }
    socket_->async_write(asio::buffer(queue_.front()),
                         [self = shared_from_this()](error_code error, std::size_t) {
                           self->writing_ = false;
                           if (error) return;  // the read fails, too
                           self->queued_bytes_ -= self->queue_.front().size();
                           self->queue_.pop_front();
                           self->write_next();
                         });
  }

  void abort() {
    failed_ = true;
    connection_.abort();
    if (socket_) socket_->next_layer().abort();
  }

  asio::any_io_executor executor_;
  WebSocketClientHandler* handler_;  // null once it must not be called
  const TlsClientOptions options_;
  std::optional<base::IpAddress> source_;
  ClientConnection connection_;
  std::optional<websocket::stream<Stream, false>> socket_;
  std::deque<base::Buffer> queue_;
  std::size_t queued_bytes_ = 0;
  bool open_ = false;
  bool writing_ = false;
  bool closing_ = false;
  bool failed_ = false;
};

WebSocketClient::WebSocketClient(EventLoop& loop, WebSocketClientHandler& handler,
                                 TlsClientOptions tls, base::EgressGuard* guard)
    : implementation_(std::make_shared<Implementation>(loop, handler, std::move(tls), guard)) {}

WebSocketClient::~WebSocketClient() { implementation_->drop(); }

void WebSocketClient::connect(const Url& url, const Headers& headers,
                              std::optional<base::IpAddress> source) {
  implementation_->start(url, headers, source);
}

void WebSocketClient::send(base::Buffer message) { implementation_->send(std::move(message)); }

void WebSocketClient::close() { implementation_->close(); }

}  // namespace alcove::net
