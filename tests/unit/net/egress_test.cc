// The guard at a client's sockets, and redirects.

#include "base/egress.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <thread>

#include "net/clock.h"
#include "net/http_client.h"
#include "net/udp_endpoint.h"
#include "net/websocket_client.h"

namespace alcove::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Answers every connection with the same bytes, once the request's head is there.
class CannedServer {
 public:
  explicit CannedServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~CannedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve() {
    for (;;) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      ++connections_;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t size = recv(client, buffer, sizeof buffer, 0);
        if (size <= 0) break;
        request.append(buffer, static_cast<std::size_t>(size));
      }
      send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      close(client);
    }
  }

  std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

class ListGuard final : public base::EgressGuard {
 public:
  base::Result<void> check_host(std::string_view host, std::uint16_t) override {
    hosts.emplace_back(host);
    if (!denied_hosts.contains(std::string(host))) return {};
    return base::fail(base::ErrorCode::kPermissionDenied, "not the host");
  }
  base::Result<void> check(const base::EgressDestination& destination) override {
    ++checks;
    if (!denied.contains(destination.address.ip.text())) return {};
    return base::fail(base::ErrorCode::kPermissionDenied,
                      destination.address.ip.text() + " is not allowed");
  }
  std::uint64_t version() const override { return version_number; }

  std::vector<std::string> hosts;
  std::set<std::string> denied_hosts;
  std::set<std::string> denied;
  int checks = 0;
  std::uint64_t version_number = 1;
};

class EgressTest : public testing::Test {
 protected:
  base::Result<ClientResponse> get(const std::string& host, std::uint16_t port) {
    HttpClient client(loop, {}, &guard);
    base::Result<ClientResponse> result = std::unexpected(base::Error{});
    ClientRequest request;
    request.url.host = host;
    request.url.port = port;
    client.request(std::move(request), [&](base::Result<ClientResponse> answer) {
      result = std::move(answer);
      loop.stop();
    });
    loop.run();
    return result;
  }
  base::Error open_websocket(std::uint16_t port) {
    struct Handler final : WebSocketClientHandler {
      explicit Handler(EventLoop& to) : loop(to) {}
      void on_open() override { ADD_FAILURE(); }
      void on_message(base::Bytes) override {}
      void on_closed(const base::Error& why) override {
        reason = why;
        loop.stop();
      }
      EventLoop& loop;
      base::Error reason;
    } handler(loop);
    WebSocketClient client(loop, handler, {}, &guard);
    client.connect(Url::parse("ws://127.0.0.1:" + std::to_string(port) + "/v1/events").value());
    loop.run();
    return handler.reason;
  }

  EventLoop loop;
  ListGuard guard;
};

constexpr const char* kRedirect =
    "HTTP/1.1 302 Found\r\nLocation: http://203.0.113.7:8080/r/\xc3\xa9"
    "room\r\n"
    "Content-Length: 0\r\n\r\n";

TEST_F(EgressTest, FollowsNoRedirect) {
  const CannedServer server(kRedirect);
  const auto answer = get("127.0.0.1", server.port());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kPermissionDenied);
  EXPECT_EQ(answer.error().message,
            "The server sent us to http://203.0.113.7:8080/r/??room, which is not followed.");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(EgressTest, FollowsNoRedirectOfAWebSocket) {
  const CannedServer server(kRedirect);
  const base::Error reason = open_websocket(server.port());
  EXPECT_EQ(reason.code, base::ErrorCode::kPermissionDenied);
  EXPECT_THAT(reason.message,
              AllOf(HasSubstr("http://203.0.113.7:8080/"), HasSubstr("not followed")));
}

TEST_F(EgressTest, AsksAboutTheHostBeforeItsName) {
  guard.denied_hosts = {"no-such-name.invalid"};
  const auto answer = get("no-such-name.invalid", 80);
  ASSERT_FALSE(answer);
  // Not "no address for …": the name was not looked up.
  EXPECT_EQ(answer.error().message, "not the host");
  EXPECT_EQ(guard.checks, 0);
}

TEST_F(EgressTest, SaysWhyWhenEveryAddressIsDenied) {
  const CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  guard.denied = {"127.0.0.1", "::1"};
  const auto answer = get("localhost", server.port());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kPermissionDenied);
  EXPECT_THAT(answer.error().message, HasSubstr("is not allowed"));
  EXPECT_EQ(open_websocket(server.port()).code, base::ErrorCode::kPermissionDenied);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(EgressTest, PassesOverADeniedAddress) {
  const CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  guard.denied = {"::1"};
  const auto answer = get("localhost", server.port());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "ok");
}

class Arrivals final : public DatagramHandler {
 public:
  void handle_datagram(base::Instant, const base::Path&, base::Bytes bytes) override {
    received.emplace_back(base::as_text(bytes));
    if (on_event) on_event();
  }
  void handle_batch_end(base::Instant) override {}
  void handle_connected(base::Instant, const base::Path&) override { ADD_FAILURE(); }
  void handle_connection_closed(base::Instant, std::uint64_t connection) override {
    closed.push_back(connection);
    if (on_event) on_event();
  }
  std::vector<std::string> received;
  std::vector<std::uint64_t> closed;
  std::function<void()> on_event;
};

TEST_F(EgressTest, SendsNoDatagramToADeniedAddress) {
  Arrivals arrivals;
  UdpEndpoint endpoint(loop, arrivals, {.guard = &guard});
  UdpEndpoint peer(loop, arrivals);
  const auto from = endpoint.open(base::IpAddress());
  const auto allowed = peer.open(base::IpAddress::v4({127, 0, 0, 1}));
  const auto denied = peer.open(base::IpAddress::v4({127, 0, 0, 2}));
  ASSERT_TRUE(from && allowed && denied);
  guard.denied = {"127.0.0.2"};
  base::DatagramQueue queue;
  const auto push = [&](const base::SocketAddress& to, const char* text) {
    queue.push({base::TransportProtocol::kUdp, *from, to, 0}, base::as_bytes(text));
  };
  push(*denied, "no");
  push(*allowed, "one");
  push(*denied, "no");
  push(*denied, "no");
  push(*allowed, "two");
  arrivals.on_event = [&] {
    if (arrivals.received.size() >= 2) loop.stop();
  };
  endpoint.send(queue);
  loop.run();
  EXPECT_THAT(arrivals.received, testing::ElementsAre("one", "two"));
  EXPECT_EQ(endpoint.denied(), 3u);
  EXPECT_EQ(guard.checks, 2);  // one for each destination
  // Another verdict counts from its version on.
  guard.denied.clear();
  guard.version_number = 2;
  push(*denied, "three");
  arrivals.on_event = [&] { loop.stop(); };
  endpoint.send(queue);
  loop.run();
  EXPECT_EQ(arrivals.received.back(), "three");
}

TEST_F(EgressTest, OpensNoMediaConnectionToADeniedAddress) {
  const CannedServer server("");
  Arrivals arrivals;
  UdpEndpoint endpoint(loop, arrivals, {.guard = &guard});
  guard.denied = {"127.0.0.1"};
  arrivals.on_event = [&] { loop.stop(); };
  const auto id = endpoint.connect({base::IpAddress::v4({127, 0, 0, 1}), server.port()});
  loop.run();
  EXPECT_THAT(arrivals.closed, testing::ElementsAre(id));
  EXPECT_EQ(server.connections(), 0);
  EXPECT_EQ(endpoint.denied(), 1u);
}

}  // namespace
}  // namespace alcove::net
