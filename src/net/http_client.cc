#include "net/http_client.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <map>
#include <set>

#include "net/client_connect.h"
#include "net/clock.h"
#include "net/event_loop_impl.h"
#include "net/http_rules.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeader = 16 * 1024;
constexpr std::size_t kMaxIdle = 4;
// Well below the time after which our server ends an idle connection.
constexpr base::Duration kIdleLimit = base::seconds(10);

std::string request_text(const ClientRequest& request) {
  std::string text = request.method + " " + request.url.target +
                     " HTTP/1.1\r\nHost: " + request.url.authority() + "\r\nUser-Agent: alcove\r\n";
  for (const auto& [name, value] : request.headers)
    text.append(name).append(": ").append(value).append("\r\n");
  if (!request.body.empty() || request.method != "GET")
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return text + "\r\n" + request.body;
}

bool is_safe(const ClientRequest& request) {
  const auto has_break = [](const std::string& text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
  };
  for (const auto& [name, value] : request.headers)
    if (has_break(name) || has_break(value)) return false;
  return !has_break(request.method) && !has_break(request.url.target) &&
         !has_break(request.url.host);
}

std::string lower_case_name(const std::pair<std::string, std::string>& header) {
  std::string name = header.first;
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name;
}

using Connection = std::shared_ptr<ClientConnection>;

struct IdleConnection {
  Connection connection;
  base::Instant since;
};

}  // namespace

class HttpClient::Implementation : public std::enable_shared_from_this<Implementation> {
 public:
  Implementation(EventLoop& loop, TlsClientOptions tls, base::EgressGuard* guard)
      : executor_(loop.implementation().context.get_executor()),
        options_(std::move(tls)),
        guard_(guard) {}

  void start(ClientRequest request, Callback callback) {
    asio::co_spawn(executor_, run(shared_from_this(), std::move(request), std::move(callback)),
                   [](const std::exception_ptr&) {});
  }

  void stop() {
    gone_ = true;
    idle_.clear();
    for (const Connection& connection : active_) connection->abort();
  }

 private:
  // self keeps this alive for as long as the request runs.
  asio::awaitable<void> run(std::shared_ptr<Implementation> self, ClientRequest request,
                            Callback callback) {
    // The callback is never called from inside request().
    co_await asio::post(executor_, asio::use_awaitable);
    base::Result<ClientResponse> result = co_await exchange(request);
    if (!self->gone_) callback(std::move(result));
  }

  asio::awaitable<base::Result<ClientResponse>> exchange(const ClientRequest& request) {
    if (!is_safe(request))
      co_return base::fail(base::ErrorCode::kInvalidArgument, "a line break in a request");
    Connection connection = take_idle(request);
    if (connection != nullptr) {
      connection->watchdog().expires_after(request.timeout);
      base::Result<ClientResponse> result = co_await send(connection, request);
      // The server may have ended the idle connection just now; only GET can be sent twice.
      if (result || request.method != "GET" || connection->expired() || gone_)
        co_return std::move(result);
    }
    connection = std::make_shared<ClientConnection>(executor_, guard_);
    connection->watchdog().expires_after(request.timeout);
    const base::Result<void> opened = co_await open(connection, request);
    if (!opened) co_return std::unexpected(opened.error());
    base::Result<ClientResponse> result = co_await send(connection, request);
    co_return std::move(result);
  }

  asio::awaitable<base::Result<void>> open(const Connection& connection,
                                           const ClientRequest& request) {
    const Url& url = request.url;
    if (url.secure && tls_ == nullptr) {
      base::Result<TlsContext> tls = make_client_tls(options_);
      if (!tls) co_return std::unexpected(tls.error());
      tls_ = *tls;
    }
    active_.insert(connection);
    base::Result<void> opened =
        co_await connection->open(url, tls_, options_.verify, request.source);
    active_.erase(connection);
    co_return std::move(opened);
  }

  asio::awaitable<base::Result<ClientResponse>> send(const Connection& connection,
                                                     const ClientRequest& request) {
    active_.insert(connection);
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const std::string text = request_text(request);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.header_limit(kMaxHeader);
    parser.body_limit(request.max_body);
    if (request.method == "HEAD") parser.skip(true);
    co_await asio::async_write(connection->stream(), asio::buffer(text), token);
    if (!error) co_await http::async_read(connection->stream(), buffer, parser, token);
    active_.erase(connection);
    if (error == http::error::body_limit)
      co_return base::fail(
          base::ErrorCode::kResourceExhausted,
          "the answer is longer than " + std::to_string(request.max_body) + " bytes");
    if (error) {
      const std::string why = connection->expired() ? "no answer in time" : error.message();
      co_return base::fail(base::ErrorCode::kUnavailable,
                           "no answer from " + request.url.authority() + ": " + why);
    }
    if (parser.keep_alive()) give_back(request, connection);
    ClientResponse response = to_response(parser.release());
    if (is_redirect(response.status)) {
      const auto place = std::ranges::find(response.headers, "location", lower_case_name);
      const std::string location = place == response.headers.end() ? "" : place->second;
      co_return std::unexpected(redirect_error(location));
    }
    co_return std::move(response);
  }

  static ClientResponse to_response(http::response<http::string_body> message) {
    ClientResponse response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message)
      response.headers.emplace_back(
          std::string(field.name_string().data(), field.name_string().size()),
          std::string(field.value().data(), field.value().size()));
    const auto type = message[http::field::content_type];
    response.content_type = media_type({type.data(), type.size()});
    response.body = std::move(message.body());
    return response;
  }

  static std::string key_of(const ClientRequest& request) {
    return (request.url.secure ? "s" : "p") + request.url.authority() + " " +
           (request.source ? request.source->text() : "");
  }

  Connection take_idle(const ClientRequest& request) {
    std::vector<IdleConnection>& idle = idle_[key_of(request)];
    while (!idle.empty()) {
      IdleConnection last = std::move(idle.back());
      idle.pop_back();
      if (monotonic_now() - last.since < kIdleLimit) return last.connection;
    }
    return nullptr;
  }

  void give_back(const ClientRequest& request, const Connection& connection) {
    std::vector<IdleConnection>& idle = idle_[key_of(request)];
    if (gone_ || idle.size() >= kMaxIdle) return;
    connection->watchdog().pause();
    idle.push_back({connection, monotonic_now()});
  }

  asio::any_io_executor executor_;
  const TlsClientOptions options_;
  base::EgressGuard* const guard_;
  TlsContext tls_;
  std::map<std::string, std::vector<IdleConnection>> idle_;
  std::set<Connection> active_;
  bool gone_ = false;
};

HttpClient::HttpClient(EventLoop& loop, TlsClientOptions tls, base::EgressGuard* guard)
    : implementation_(std::make_shared<Implementation>(loop, std::move(tls), guard)) {}

HttpClient::~HttpClient() { implementation_->stop(); }

void HttpClient::request(ClientRequest request, Callback callback) {
  implementation_->start(std::move(request), std::move(callback));
}

}  // namespace alcove::net
