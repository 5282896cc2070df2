#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <optional>

#include "net/http_rules.h"
#include "net/http_shared.h"
#include "net/stream.h"
#include "net/websocket_session.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

using Parser = http::request_parser<http::string_body>;
using Request = WebSocketSession::Request;

constexpr std::uint32_t kMaxHeader = 8 * 1024;
constexpr std::size_t kMaxReadAhead = 16'384;
constexpr std::size_t kWriteChunk = 65'536;
// After an error the rest of the request is read for this long and this far, or closing would
// reset the connection before the answer is read.
constexpr base::Duration kLingerWithin = base::seconds(2);
constexpr std::size_t kMaxLingerBytes = 8'388'608;

std::string_view header(const Request& request, http::field field) {
  const auto value = request[field];
  return {value.data(), value.size()};
}

class HttpSession final : public HttpSessionBase, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(std::shared_ptr<HttpShared> shared, asio::ip::tcp::socket socket,
              const base::IpAddress& peer, ConnectionPlace place)
      : shared_(std::move(shared)),
        place_(std::move(place)),
        peer_(peer),
        stream_(std::move(socket)),
        watchdog_(std::make_shared<Watchdog>(stream_->get_executor(), [this] { abort(); })),
        buffer_(kMaxReadAhead) {
    shared_->sessions.insert(this);
    ++shared_->counters.connections_open;
  }
  ~HttpSession() override {
    watchdog_->stop();
    shared_->sessions.erase(this);
    --shared_->counters.connections_open;
  }
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void abort() override {
    if (stream_) stream_->abort();
  }

  asio::awaitable<void> run() {
    if (!co_await begin()) co_return;
    bool more = true;
    while (more && !shared_->closed) more = co_await serve_one();
    // Here, where nothing of the request is left: a WebSocket stays for hours.
    if (websocket_) co_await websocket_->run();
  }

 private:
  // Looks at the first byte and makes the connection what it is: TLS, HTTP or media.
  asio::awaitable<bool> begin();
  // One request and its answer. False: the connection ends, or has become a WebSocket.
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<bool> read_header(Parser& parser);
  asio::awaitable<bool> read_body(Parser& parser);
  asio::awaitable<bool> answer(Request& request);
  asio::awaitable<bool> answer_api(Request& request, std::string_view path, std::string_view query);
  asio::awaitable<bool> answer_file(const Request& request, std::string_view path);
  asio::awaitable<void> upgrade(const Request& request);
  asio::awaitable<std::optional<base::HttpResponse>> ask_handler(base::HttpRequest request);
  asio::awaitable<void> refuse(int status, std::string_view code, std::string_view message) {
    return refuse(status, error_body(code, message));
  }
  asio::awaitable<void> refuse(int status, std::string body);  // JSON
  asio::awaitable<void> linger();
  // False when the connection broke or is to end.
  asio::awaitable<bool> write(int status, const HeaderList& headers, std::string_view body,
                              std::size_t content_length, bool keep_alive);
  asio::awaitable<bool> write_all(std::string_view text);
  asio::awaitable<void> refuse_parse_error(const error_code& error);
  base::HttpRequest to_handler_request(Request& request, std::string_view path,
                                       std::string_view query) const;
  base::IpAddress client(const Request& request) const;
  bool is_api(std::string_view path) const;

  std::shared_ptr<HttpShared> shared_;
  ConnectionPlace place_;
  base::IpAddress peer_;
  std::optional<Stream> stream_;  // gone when it has become a WebSocket's or media
  std::shared_ptr<Watchdog> watchdog_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<WebSocketSession> websocket_;
};

asio::awaitable<bool> HttpSession::begin() {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  watchdog_->expires_after(shared_->options.header_within);
  co_await stream_->socket().async_wait(asio::ip::tcp::socket::wait_read, token);
  if (error || shared_->closed) co_return false;
  std::uint8_t first = 0;
  const std::size_t size =
      stream_->socket().receive(asio::buffer(&first, 1), asio::socket_base::message_peek, error);
  if (error || size == 0) co_return false;
  constexpr std::uint8_t kLastMediaByte = 3;
  constexpr std::uint8_t kTlsHandshake = 0x16;
  if (first <= kLastMediaByte) {
    if (!shared_->services.adopt_media) co_return false;
    const int descriptor = stream_->socket().release(error);
    if (error) co_return false;
    ++shared_->counters.connections_to_media;
    shared_->services.adopt_media(descriptor);
    co_return false;
  }
  if (shared_->tls == nullptr) co_return true;
  if (first != kTlsHandshake) co_return false;
  stream_->use_tls(shared_->tls);
  co_await stream_->tls().async_handshake(asio::ssl::stream_base::server, token);
  co_return !error;
}

asio::awaitable<bool> HttpSession::wait_for_request() {
  if (buffer_.size() != 0) co_return true;
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  watchdog_->expires_after(shared_->options.idle_limit);
  const std::size_t size = co_await stream_->async_read_some(buffer_.prepare(kMaxHeader), token);
  buffer_.commit(size);
  co_return !error;
}

asio::awaitable<bool> HttpSession::read_header(Parser& parser) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  watchdog_->expires_after(shared_->options.header_within);
  co_await http::async_read_header(*stream_, buffer_, parser, token);
  if (error) co_await refuse_parse_error(error);
  co_return !error;
}

asio::awaitable<bool> HttpSession::read_body(Parser& parser) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  watchdog_->expires_after(shared_->options.body_within);
  if (!parser.is_done() &&
      equal_without_case(header(parser.get(), http::field::expect), "100-continue")) {
    const bool written = co_await write_all("HTTP/1.1 100 Continue\r\n\r\n");
    if (!written) co_return false;
  }
  co_await http::async_read(*stream_, buffer_, parser, token);
  if (error) co_await refuse_parse_error(error);
  co_return !error;
}

asio::awaitable<void> HttpSession::refuse_parse_error(const error_code& error) {
  if (error == http::error::body_limit) {
    co_await refuse(413, "invalid_argument", "The body is too long.");
  } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    co_await refuse(431, "invalid_argument", "The headers are too long.");
  } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message) {
    co_await refuse(400, "invalid_argument", "This is not an HTTP request.");
  }
}

asio::awaitable<bool> HttpSession::serve_one() {
  const bool arrived = co_await wait_for_request();
  if (!arrived) co_return false;
  Parser parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(shared_->options.max_body);
  const bool has_header = co_await read_header(parser);
  if (!has_header) co_return false;
  const bool has_body = co_await read_body(parser);
  if (!has_body || shared_->closed) co_return false;
  Request request = parser.release();
  ++shared_->counters.requests;
  if (boost::beast::websocket::is_upgrade(request)) {
    co_await upgrade(request);
    co_return false;
  }
  co_return co_await answer(request);
}

asio::awaitable<bool> HttpSession::answer(Request& request) {
  const std::string target(request.target().data(), request.target().size());
  const bool has_host = request.version() < 11 || request.count(http::field::host) == 1;
  if (!target.starts_with('/') || !has_host) {
    co_await refuse(400, "invalid_argument", "The request has no path or no Host.");
    co_return false;
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = std::string_view(target).substr(0, question);
  const std::string_view query =
      std::string_view(target).substr(std::min(question + 1, target.size()));
  if (is_api(path) || shared_->services.files == nullptr)
    co_return co_await answer_api(request, path, query);
  co_return co_await answer_file(request, path);
}

bool HttpSession::is_api(std::string_view path) const {
  return std::ranges::any_of(shared_->options.api_prefixes,
                             [&](const std::string& prefix) { return path.starts_with(prefix); });
}

base::IpAddress HttpSession::client(const Request& request) const {
  // The last line is the nearest proxy's; one before it may be the client's own invention.
  std::string_view forwarded_for;
  const auto [begin, end] = request.equal_range("X-Forwarded-For");
  for (auto field = begin; field != end; ++field)
    forwarded_for = {field->value().data(), field->value().size()};
  return client_address(peer_, forwarded_for, shared_->options.trusted_proxies);
}

base::HttpRequest HttpSession::to_handler_request(Request& request, std::string_view path,
                                                  std::string_view query) const {
  base::HttpRequest result;
  result.method = request.method_string();
  // HEAD is GET without its body (RFC 9110, section 9.3.2); the handler need not know.
  if (result.method == "HEAD") result.method = "GET";
  result.path = path;
  result.query = query;
  result.content_type = media_type(header(request, http::field::content_type));
  result.accept = header(request, http::field::accept);
  result.authorization = header(request, http::field::authorization);
  const auto join_token = request["Alcove-Join"];
  result.join_token.assign(join_token.data(), join_token.size());
  result.if_none_match = header(request, http::field::if_none_match);
  result.remote = client(request);
  result.body = std::move(request.body());
  return result;
}

asio::awaitable<std::optional<base::HttpResponse>> HttpSession::ask_handler(
    base::HttpRequest request) {
  struct Pending {
    explicit Pending(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    std::optional<base::HttpResponse> response;
    bool over = false;
  };
  auto pending = std::make_shared<Pending>(stream_->get_executor());
  shared_->services.handler.handle_request(std::move(request),
                                           [pending](base::HttpResponse response) {
                                             if (pending->over || pending->response) return;
                                             pending->response = std::move(response);
                                             pending->timer.cancel();
                                           });
  if (!pending->response) {
    error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    pending->timer.expires_after(shared_->options.response_within);
    co_await pending->timer.async_wait(token);
  }
  pending->over = true;
  co_return std::move(pending->response);
}

asio::awaitable<bool> HttpSession::answer_api(Request& request, std::string_view path,
                                              std::string_view query) {
  const bool keep_alive = request.keep_alive();
  const bool is_head = request.method() == http::verb::head;
  base::HttpRequest handler_request = to_handler_request(request, path, query);
  watchdog_->pause();
  std::optional<base::HttpResponse> response = co_await ask_handler(std::move(handler_request));
  if (shared_->closed) co_return false;
  if (!response) {
    co_await refuse(504, "unavailable", "The server did not answer in time.");
    co_return false;
  }
  HeaderList headers;
  if (!response->body.empty()) headers.emplace_back("Content-Type", response->content_type);
  const bool caching_said = std::ranges::any_of(
      response->headers, [](const auto& header) { return header.first == "Cache-Control"; });
  if (!caching_said) headers.emplace_back("Cache-Control", "no-store");
  for (const auto& [name, value] : response->headers) headers.emplace_back(name, value);
  headers.emplace_back("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  const std::string_view body = is_head ? std::string_view() : std::string_view(response->body);
  co_return co_await write(response->status, headers, body, response->body.size(), keep_alive);
}

asio::awaitable<bool> HttpSession::answer_file(const Request& request, std::string_view path) {
  StaticRequest wanted;
  const auto method = request.method_string();
  wanted.method = {method.data(), method.size()};
  wanted.path = path;
  wanted.accept_encoding = header(request, http::field::accept_encoding);
  wanted.if_none_match = header(request, http::field::if_none_match);
  const StaticResponse response = shared_->services.files->respond(wanted);
  const std::string_view body = wanted.method == "HEAD" ? std::string_view() : response.body;
  co_return co_await write(response.status, response.headers, body, response.content_length,
                           request.keep_alive());
}

asio::awaitable<void> HttpSession::upgrade(const Request& request) {
  const std::string_view target(request.target().data(), request.target().size());
  if (shared_->services.acceptor == nullptr || target != shared_->options.websocket_path) {
    co_await refuse(404, "not_found", "There is no WebSocket here.");
    co_return;
  }
  if (!origin_allowed(header(request, http::field::origin), header(request, http::field::host),
                      shared_->options.allowed_origins)) {
    co_await refuse(403, "permission_denied", "This page belongs to another site.");
    co_return;
  }
  watchdog_->pause();  // a refused one lingers under it
  const auto refusal = shared_->services.acceptor->refuse(client(request));
  if (refusal) {
    co_await refuse(refusal->status, refusal->body);
    co_return;
  }
  auto session = std::make_shared<WebSocketSession>(shared_, std::move(*stream_));
  stream_.reset();
  if (session->ask(client(request))) {
    buffer_.clear();
    buffer_.shrink_to_fit();
    const bool opened = co_await session->open(request);
    if (opened) websocket_ = std::move(session);
    co_return;
  }
  stream_.emplace(std::move(session->stream()));
  session.reset();
  co_await refuse(503, "unavailable", "No further connections at the moment.");
}

asio::awaitable<void> HttpSession::refuse(int status, std::string body) {
  HeaderList headers;
  headers.emplace_back("Content-Type", "application/json");
  headers.emplace_back("Cache-Control", "no-store");
  const bool ignored = co_await write(status, headers, body, body.size(), false);
  static_cast<void>(ignored);
  co_await linger();
}

asio::awaitable<void> HttpSession::linger() {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  // Also where nobody paused it: this is the end of the connection.
  watchdog_->expires_after(kLingerWithin);
  stream_->socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  buffer_.clear();
  const auto space = buffer_.prepare(kMaxReadAhead);
  for (std::size_t total = 0; !error && total < kMaxLingerBytes;)
    total += co_await stream_->socket().async_read_some(space, token);
}

asio::awaitable<bool> HttpSession::write(int status, const HeaderList& headers,
                                         std::string_view body, std::size_t content_length,
                                         bool keep_alive) {
  if (status >= 500) ++shared_->counters.server_errors;
  if (status >= 400 && status < 500) ++shared_->counters.client_errors;
  HeaderList all = headers;
  add_common_security_headers(all, stream_->secure());
  std::string head = response_head(status, all, content_length, keep_alive);
  // A small answer goes out in one piece.
  const bool together = body.size() <= kWriteChunk;
  if (together) head += body;
  bool written = co_await write_all(head);
  if (written && !together) written = co_await write_all(body);
  co_return written&& keep_alive;
}

// A reader may be slow, but each chunk has to go out in time.
asio::awaitable<bool> HttpSession::write_all(std::string_view text) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (!text.empty() && !error) {
    watchdog_->expires_after(shared_->options.write_stalled_limit);
    const std::string_view chunk = text.substr(0, kWriteChunk);
    co_await asio::async_write(*stream_, asio::buffer(chunk), token);
    text.remove_prefix(chunk.size());
  }
  co_return !error;
}

}  // namespace

asio::awaitable<void> run_http_session(std::shared_ptr<HttpShared> shared,
                                       asio::ip::tcp::socket socket, base::IpAddress peer,
                                       ConnectionPlace place) {
  auto session =
      std::make_shared<HttpSession>(std::move(shared), std::move(socket), peer, std::move(place));
  co_await session->run();
}

}  // namespace alcove::net
