#include "net/client_connect.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/address.h"
#include "base/check.h"

namespace alcove::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

std::unexpected<base::Error> unavailable(std::string message) {
  return base::fail(base::ErrorCode::kUnavailable, std::move(message));
}

// What of a redirect is shown.
constexpr std::size_t kMaxLocation = 200;

base::SocketAddress to_address(const asio::ip::tcp::endpoint& endpoint) {
  const asio::ip::address& ip = endpoint.address();
  return {ip.is_v4() ? base::IpAddress::v4(ip.to_v4().to_bytes())
                     : base::IpAddress::v6(ip.to_v6().to_bytes()),
          endpoint.port()};
}

// Asio keeps a pointer of its own as the context's application data.
int key_log_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void log_keys(const SSL* ssl, const char* line) {
  void* const log = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), key_log_index());
  static_cast<base::TlsKeyLog*>(log)->add_line(line);
}

base::Result<TlsContext> make_new_client_tls(const TlsClientOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  if (options.key_log != nullptr) {
    CHECK(SSL_CTX_set_ex_data(context->native_handle(), key_log_index(), options.key_log) == 1);
    SSL_CTX_set_keylog_callback(context->native_handle(), log_keys);
  }
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                           asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1,
                       error);
  if (!options.verify) {
    context->set_verify_mode(asio::ssl::verify_none, error);
    return context;
  }
  context->set_verify_mode(asio::ssl::verify_peer, error);
  if (!options.authorities.empty())
    context->add_certificate_authority(asio::buffer(options.authorities), error);
  else if (options.authorities_file.empty())
    context->set_default_verify_paths(error);
  else
    context->load_verify_file(options.authorities_file, error);
  if (error)
    return base::fail(base::ErrorCode::kInvalidArgument,
                      "cannot read the authorities in " + options.authorities_file);
  return context;
}

}  // namespace

base::Result<TlsContext> make_client_tls(const TlsClientOptions& options) {
  using Key = std::tuple<std::string, std::string, bool, base::TlsKeyLog*>;
  thread_local std::map<Key, std::weak_ptr<asio::ssl::context>> known;
  std::weak_ptr<asio::ssl::context>& place =
      known[{options.authorities_file, options.authorities, options.verify, options.key_log}];
  if (TlsContext context = place.lock()) return context;
  base::Result<TlsContext> made = make_new_client_tls(options);
  if (made) place = *made;
  return made;
}

base::Error redirect_error(std::string_view location) {
  std::string text;
  for (const char c : location.substr(0, kMaxLocation)) text += c > ' ' && c < 0x7f ? c : '?';
  if (location.size() > kMaxLocation) text += "...";
  return {base::ErrorCode::kPermissionDenied, "The server sent us to " +
                                                  (text.empty() ? "another place" : text) +
                                                  ", which is not followed."};
}

ClientConnection::ClientConnection(const asio::any_io_executor& executor, base::EgressGuard* guard)
    : executor_(executor),
      guard_(guard),
      resolver_(executor),
      watchdog_(std::make_shared<Watchdog>(executor, [this] {
        expired_ = true;
        abort();
      })) {}

ClientConnection::~ClientConnection() { watchdog_->stop(); }

Stream ClientConnection::take_stream() {
  Stream stream = std::move(*stream_);
  stream_.reset();
  watchdog_->stop();
  return stream;
}

void ClientConnection::abort() {
  aborted_ = true;
  resolver_.cancel();
  if (stream_) stream_->abort();
}

asio::awaitable<error_code> ClientConnection::connect(
    const Addresses& addresses, const std::optional<base::IpAddress>& source) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  if (!source) {
    co_await asio::async_connect(stream_->socket(), addresses, token);
    co_return error;
  }
  const asio::ip::tcp::endpoint local(asio::ip::make_address(source->text()), 0);
  error = asio::error::address_family_not_supported;
  for (const asio::ip::tcp::endpoint& remote : addresses) {
    if (remote.protocol() != local.protocol()) continue;
    asio::ip::tcp::socket& socket = stream_->socket();
    error_code ignored;
    socket.close(ignored);
    socket.open(remote.protocol(), error);
    if (!error) socket.bind(local, error);
    if (error) continue;
    co_await socket.async_connect(remote, token);
    if (!error || aborted_) break;
  }
  co_return error;
}

asio::awaitable<base::Result<ClientConnection::Addresses>> ClientConnection::find_addresses(
    const Url& url) {
  if (guard_ != nullptr)
    if (base::Result<void> allowed = guard_->check_host(url.host, url.port); !allowed)
      co_return std::unexpected(allowed.error());
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const std::string port = std::to_string(url.port);
  const auto resolved = co_await resolver_.async_resolve(url.host, port, token);
  if (error || aborted_) co_return unavailable("no address for " + url.host);
  Addresses addresses;
  std::optional<base::Error> denied;
  for (const auto& entry : resolved) {
    const base::SocketAddress address = to_address(entry.endpoint());
    const base::EgressDestination destination = {address, base::TransportProtocol::kTcp, url.host};
    base::Result<void> allowed;
    if (guard_ != nullptr) allowed = guard_->check(destination);
    if (allowed)
      addresses.push_back(entry.endpoint());
    else if (!denied)
      denied = allowed.error();
  }
  if (addresses.empty() && denied) co_return std::unexpected(*std::move(denied));
  co_return std::move(addresses);
}

asio::awaitable<base::Result<void>> ClientConnection::open(const Url& url, TlsContext tls,
                                                           bool verify,
                                                           std::optional<base::IpAddress> source) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const base::Result<Addresses> addresses = co_await find_addresses(url);
  if (!addresses) co_return std::unexpected(addresses.error());
  stream_.emplace(asio::ip::tcp::socket(executor_));
  error = co_await connect(*addresses, source);
  if (error || aborted_)
    co_return unavailable("cannot connect to " + url.authority() + ": " +
                          (expired_ ? std::string("no answer in time") : error.message()));
  stream_->socket().set_option(asio::ip::tcp::no_delay(true), error);
  if (!url.secure) co_return base::Result<void>();
  stream_->use_tls(std::move(tls));
  if (verify)
    stream_->tls().set_verify_callback(asio::ssl::host_name_verification(url.host), error);
  // Server Name Indication is for names only (RFC 6066, section 3).
  if (!base::IpAddress::parse(url.host))
    SSL_set_tlsext_host_name(stream_->tls().native_handle(), url.host.c_str());
  co_await stream_->tls().async_handshake(asio::ssl::stream_base::client, token);
  if (error || aborted_)
    co_return unavailable("no TLS connection to " + url.authority() + ": " + error.message());
  co_return base::Result<void>();
}

}  // namespace alcove::net
