#include "net/udp_endpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "net/clock.h"
#include "net/tcp_listener.h"
#include "raw_client.h"

namespace alcove::net {
namespace {

using base::Bytes;
using base::Instant;
using base::Path;

class Recorder final : public DatagramHandler {
 public:
  void handle_datagram(Instant, const Path& path, Bytes bytes) override {
    received.emplace_back(base::as_text(bytes));
    last_path = path;
    if (on_event) on_event();
  }
  void handle_batch_end(Instant) override { ++batches; }
  void handle_connected(Instant, const Path& path) override {
    connected.push_back(path);
    if (on_event) on_event();
  }
  void handle_connection_closed(Instant, std::uint64_t connection) override {
    closed.push_back(connection);
    if (on_event) on_event();
  }
  std::vector<std::string> received;
  std::vector<Path> connected;
  std::vector<std::uint64_t> closed;
  Path last_path;
  int batches = 0;
  std::function<void()> on_event;
};

class UdpEndpointTest : public testing::Test {
 protected:
  // Runs the loop until the condition holds, at most ten seconds.
  template <typename Condition>
  bool run_until(Recorder& recorder, Condition condition) {
    Timer limit(loop_);
    limit.start(monotonic_now() + base::seconds(10), [this] { loop_.stop(); });
    recorder.on_event = [&, condition] {
      if (condition()) loop_.stop();
    };
    loop_.run();
    recorder.on_event = nullptr;
    return condition();
  }
  static Path path(const base::SocketAddress& from, const base::SocketAddress& to) {
    return {base::TransportProtocol::kUdp, from, to, 0};
  }

  const base::IpAddress loopback_ = base::IpAddress::v4({127, 0, 0, 1});
  EventLoop loop_;
};

TEST_F(UdpEndpointTest, SendsAndReceivesByTheRightSocket) {
  Recorder recorder;
  UdpEndpoint endpoint(loop_, recorder);
  const auto a = endpoint.open(loopback_);
  const auto b = endpoint.open(loopback_);
  ASSERT_TRUE(a && b);
  base::DatagramQueue queue;
  for (int i = 0; i < 100; ++i) queue.push(path(*a, *b), base::as_bytes("hello"));
  endpoint.send(queue);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(run_until(recorder, [&] { return recorder.received.size() == 100; }));
  EXPECT_EQ(recorder.last_path, path(*b, *a));
  EXPECT_EQ(endpoint.dropped(), 0U);
}

// Members of a load differ by their local address alone.
TEST_F(UdpEndpointTest, ASocketOnAllAddressesIsSharedByThem) {
  Recorder recorder;
  UdpEndpoint endpoint(loop_, recorder, {.buffer_size = 1 << 22});
  const auto shared = endpoint.open(base::IpAddress());
  const auto server = endpoint.open(loopback_);
  ASSERT_TRUE(shared && server);
  std::vector<std::string> seen;
  base::DatagramQueue queue;
  for (std::uint8_t i = 1; i <= 100; ++i) {
    const base::SocketAddress member{base::IpAddress::v4({127, 1, 2, i}), shared->port};
    queue.push(path(member, *server), base::as_bytes(member.text()));
  }
  endpoint.send(queue);
  // Each comes from its own address, and the answer comes back to that address.
  const auto answer = [&] {
    if (recorder.last_path.local == *server) {
      EXPECT_EQ(recorder.received.back(), recorder.last_path.remote.text());
      queue.push(path(*server, recorder.last_path.remote),
                 base::as_bytes(recorder.received.back()));
      endpoint.send(queue);
    } else {
      EXPECT_EQ(recorder.received.back(), recorder.last_path.local.text());
      seen.push_back(recorder.received.back());
    }
    return seen.size() == 100;
  };
  Timer limit(loop_);
  limit.start(monotonic_now() + base::seconds(10), [this] { loop_.stop(); });
  recorder.on_event = [&] {
    if (answer()) loop_.stop();
  };
  loop_.run();
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(endpoint.received(), 200U);
  EXPECT_EQ(endpoint.dropped(), 0U);
}

TEST_F(UdpEndpointTest, CountsWhatHasNoSocket) {
  Recorder recorder;
  UdpEndpoint endpoint(loop_, recorder);
  const auto a = endpoint.open(loopback_);
  ASSERT_TRUE(a);
  base::DatagramQueue queue;
  queue.push(path({loopback_, 1}, *a), base::as_bytes("x"));
  Path tcp = path(*a, *a);
  tcp.protocol = base::TransportProtocol::kTcp;
  tcp.connection = 77;
  queue.push(tcp, base::as_bytes("x"));
  endpoint.send(queue);
  EXPECT_EQ(endpoint.dropped(), 2U);
  endpoint.close(*a);
  endpoint.close(*a);
}

TEST_F(UdpEndpointTest, SpeaksFramesOverTcp) {
  auto listener = listen_tcp({loopback_, 0});
  ASSERT_TRUE(listener);
  Recorder recorder;
  UdpEndpoint endpoint(loop_, recorder);
  const std::uint64_t id = endpoint.connect(listener->local);
  EXPECT_NE(id, 0U);
  ASSERT_TRUE(run_until(recorder, [&] { return !recorder.connected.empty(); }));
  const Path connected = recorder.connected.front();
  EXPECT_EQ(connected.connection, id);
  EXPECT_NE(connected.local.port, 0);
  const Accepted accepted = accept_tcp(listener->descriptor.get());
  ASSERT_EQ(accepted.result, AcceptResult::kAccepted);
  base::DatagramQueue queue;
  queue.push(connected, base::as_bytes("hi"));
  endpoint.send(queue);
  std::array<char, 16> buffer{};
  pollfd wait{accepted.descriptor.get(), POLLIN, 0};
  ASSERT_EQ(poll(&wait, 1, 5000), 1);
  EXPECT_EQ(recv(accepted.descriptor.get(), buffer.data(), buffer.size(), 0), 4);
  ASSERT_EQ(::send(accepted.descriptor.get(), "\x00\x03yes", 5, 0), 5);
  EXPECT_TRUE(run_until(recorder, [&] { return !recorder.received.empty(); }));
  EXPECT_EQ(recorder.received.front(), "yes");
  shutdown(accepted.descriptor.get(), SHUT_RDWR);
  EXPECT_TRUE(run_until(recorder, [&] { return !recorder.closed.empty(); }));
  EXPECT_EQ(recorder.closed.front(), id);
}

TEST_F(UdpEndpointTest, ReportsAConnectionThatWasRefused) {
  Recorder recorder;
  UdpEndpoint endpoint(loop_, recorder);
  const std::uint64_t id = endpoint.connect({loopback_, 1});
  EXPECT_TRUE(run_until(recorder, [&] { return !recorder.closed.empty(); }));
  EXPECT_EQ(recorder.closed, std::vector{id});
}

TEST_F(UdpEndpointTest, IsSilentOnceGone) {
  Recorder recorder;
  {
    UdpEndpoint endpoint(loop_, recorder);
    ASSERT_TRUE(endpoint.open(loopback_));
    endpoint.connect({loopback_, 1});
  }
  loop_.post([this] { loop_.stop(); });
  loop_.run();
  EXPECT_TRUE(recorder.closed.empty());
}

TEST(InterfaceAddresses, HaveLoopbackAndNoLinkLocal) {
  const std::vector<base::IpAddress> addresses = interface_addresses();
  EXPECT_NE(std::ranges::find(addresses, base::IpAddress::v4({127, 0, 0, 1})), addresses.end());
  for (const base::IpAddress& address : addresses)
    EXPECT_FALSE(address.is_v6() && address.is_link_local());
}

}  // namespace
}  // namespace alcove::net
