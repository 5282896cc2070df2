#include "net/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>

#include "base/log.h"
#include "net/event_loop_impl.h"
#include "net/http_shared.h"
#include "net/tcp_listener.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr base::Duration kPauseWithoutDescriptors = base::milliseconds(100);

using TlsContext = std::shared_ptr<asio::ssl::context>;

base::Result<TlsContext> load_tls(const HttpServerOptions& options) {
  if (options.certificate_file.empty()) return TlsContext();
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                           asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                       error);
  context->use_certificate_chain_file(options.certificate_file, error);
  if (error)
    return base::fail(base::ErrorCode::kInvalidArgument,
                      "cannot use the certificate " + options.certificate_file);
  context->use_private_key_file(options.key_file, asio::ssl::context::pem, error);
  if (error)
    return base::fail(base::ErrorCode::kInvalidArgument, "cannot use the key " + options.key_file +
                                                             ", or it is another certificate's");
  return context;
}

// Accepts on one address for as long as the server lives.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& context, std::shared_ptr<HttpShared> shared, TcpListener listener)
      : shared_(std::move(shared)), acceptor_(context), pause_(context) {
    const auto protocol = listener.local.ip.is_v4() ? asio::ip::tcp::v4() : asio::ip::tcp::v6();
    acceptor_.assign(protocol, listener.descriptor.release());
    local_ = listener.local;
  }

  void start() {
    acceptor_.async_wait(asio::ip::tcp::acceptor::wait_read,
                         [self = shared_from_this()](const error_code& error) {
                           if (!error) self->accept_all();
                         });
  }
  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  void accept_all() {
    constexpr int kInARow = 64;
    for (int i = 0; i < kInARow; ++i) {
      Accepted accepted = accept_tcp(acceptor_.native_handle());
      if (accepted.result == AcceptResult::kOutOfDescriptors) return start_later();
      if (accepted.result == AcceptResult::kNothing) break;
      begin_session(std::move(accepted));
    }
    start();
  }

  void start_later() {
    pause_.expires_after(kPauseWithoutDescriptors);
    pause_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->start();
    });
  }

  void begin_session(Accepted accepted) {
    ConnectionPlace place(shared_->limits, accepted.remote.ip);
    if (!place.granted()) {
      ++shared_->counters.connections_refused;
      return;
    }
    ++shared_->counters.connections_accepted;
    const auto protocol = local_.ip.is_v4() ? asio::ip::tcp::v4() : asio::ip::tcp::v6();
    asio::ip::tcp::socket socket(acceptor_.get_executor(), protocol, accepted.descriptor.release());
    asio::co_spawn(
        acceptor_.get_executor(),
        run_http_session(shared_, std::move(socket), accepted.remote.ip, std::move(place)),
        [](const std::exception_ptr& failure) {
          // Out of memory, or a library's bug: this connection ends, the others go on.
          if (failure) base::log(base::LogLevel::kError, "http.session_failed");
        });
  }

  std::shared_ptr<HttpShared> shared_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  base::SocketAddress local_;
};

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(HttpServerOptions options, HttpServices services)
      : shared_(std::make_shared<HttpShared>(std::move(options), std::move(services))) {}
  ~Implementation() {
    shared_->closed = true;
    stop_accepting();
    // A copy: a session may end, and leave the set, inside the call.
    const std::vector<HttpSessionBase*> sessions(shared_->sessions.begin(),
                                                 shared_->sessions.end());
    for (HttpSessionBase* session : sessions)
      if (shared_->sessions.contains(session)) session->abort();
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  void stop_accepting() {
    for (const auto& listener : listeners_) listener->close();
    listeners_.clear();
  }

  std::shared_ptr<HttpShared> shared_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::vector<base::SocketAddress> addresses_;
};

HttpServer::HttpServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

HttpServer::~HttpServer() = default;

base::Result<std::unique_ptr<HttpServer>> HttpServer::open(EventLoop& loop,
                                                           HttpServerOptions options,
                                                           HttpServices services) {
  auto implementation = std::make_unique<Implementation>(std::move(options), std::move(services));
  const HttpServerOptions& own = implementation->shared_->options;
  base::Result<TlsContext> tls = load_tls(own);
  if (!tls) return std::unexpected(tls.error());
  implementation->shared_->tls = *tls;
  std::vector<TcpListener> bound;
  for (const base::SocketAddress& address : own.listen) {
    base::Result<TcpListener> listener = listen_tcp(address);
    if (!listener) return std::unexpected(listener.error());
    implementation->addresses_.push_back(listener->local);
    bound.push_back(std::move(*listener));
  }
  for (TcpListener& listener : bound) {
    implementation->listeners_.push_back(std::make_shared<Listener>(
        loop.implementation().context, implementation->shared_, std::move(listener)));
    implementation->listeners_.back()->start();
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(implementation)));
}

const std::vector<base::SocketAddress>& HttpServer::addresses() const {
  return implementation_->addresses_;
}

bool HttpServer::secure() const { return implementation_->shared_->tls != nullptr; }

base::Result<void> HttpServer::reload_certificate() {
  base::Result<TlsContext> tls = load_tls(implementation_->shared_->options);
  if (!tls) return std::unexpected(tls.error());
  implementation_->shared_->tls = *tls;
  return {};
}

void HttpServer::stop_accepting() { implementation_->stop_accepting(); }

HttpCounters HttpServer::counters() const { return implementation_->shared_->counters; }

}  // namespace alcove::net
