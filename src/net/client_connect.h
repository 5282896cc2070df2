#pragma once
// How a client gets a stream to a server: name, TCP, TLS. For the .cc files of src/net; the loop's
// thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/egress.h"
#include "base/result.h"
#include "net/http_client.h"
#include "net/stream.h"

namespace alcove::net {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// TLS 1.2 and later; trusts the system's authorities, or those in the file. A thread's connections
// with the same options share one while somebody holds it: reading the authorities takes longer
// than a handshake.
base::Result<TlsContext> make_client_tls(const TlsClientOptions& options);

// 301, 302, 303, 307, 308 and whatever else names another place.
inline bool is_redirect(int status) { return status >= 300 && status < 400; }
// kPermissionDenied: "The server sent us to X, which is not followed." location is the server's
// text.
base::Error redirect_error(std::string_view location);

// One connection being made or in use, which can be aborted at any time.
class ClientConnection {
 public:
  // guard: may be null, and outlives this.
  ClientConnection(const boost::asio::any_io_executor& executor, base::EgressGuard* guard);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Makes stream(). tls is not null where the URL is secure. source: the local address to leave
  // from. The caller holds the connection. The guard is asked about the host before its name is
  // looked up, and about each address before it is tried: one that is denied is passed over.
  // kPermissionDenied where none is left, with what the guard said of the first.
  boost::asio::awaitable<base::Result<void>> open(const Url& url, TlsContext tls, bool verify,
                                                  std::optional<base::IpAddress> source);
  Stream& stream() { return *stream_; }
  // The stream is taken away, such as by a WebSocket; abort() then does nothing.
  Stream take_stream();
  Watchdog& watchdog() { return *watchdog_; }
  void abort();
  bool expired() const { return expired_; }

 private:
  using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;
  boost::asio::awaitable<base::Result<Addresses>> find_addresses(const Url& url);
  boost::asio::awaitable<boost::system::error_code> connect(
      const Addresses& addresses, const std::optional<base::IpAddress>& source);

  boost::asio::any_io_executor executor_;
  base::EgressGuard* const guard_;
  boost::asio::ip::tcp::resolver resolver_;
  std::optional<Stream> stream_;
  std::shared_ptr<Watchdog> watchdog_;
  bool aborted_ = false;
  bool expired_ = false;
};

}  // namespace alcove::net
