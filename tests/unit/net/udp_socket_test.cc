// Batches, GSO and GRO on loopback.
#include "net/udp_socket.h"

#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <vector>

#include "net/socket_address.h"

namespace alcove::net {
namespace {

UdpSocket open_socket(UdpSocket::Options options = {}) {
  options.local = {base::IpAddress::v4({127, 0, 0, 1}), 0};
  auto opened = UdpSocket::open(options);
  EXPECT_TRUE(opened);
  return std::move(*opened);
}

base::Path to(const UdpSocket& socket) {
  base::Path path;
  path.local.ip = base::IpAddress::v4({127, 0, 0, 1});
  path.remote = socket.local();
  return path;
}

// What a datagram of this test says: so long, all of one byte.
struct Said {
  std::size_t size;
  std::uint8_t byte;
  bool operator==(const Said&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Said& said) {
  return out << said.size << " of " << int{said.byte};
}

std::vector<Said> receive_all(UdpSocket& socket, ReceiveBatch& batch) {
  std::vector<Said> result;
  bool more = true;
  while (more) {
    more = socket.receive(batch);
    for (const ReceiveBatch::Datagram& datagram : batch.datagrams()) {
      result.push_back({datagram.bytes.size(), datagram.bytes.front()});
      for (const std::uint8_t byte : datagram.bytes) EXPECT_EQ(byte, datagram.bytes.front());
    }
  }
  return result;
}

void push(base::DatagramQueue& queue, const base::Path& path, const std::vector<Said>& all) {
  for (const Said& one : all) queue.push(path, base::Buffer(one.size, one.byte));
}

class SendMethodTest : public ::testing::TestWithParam<SendMethod> {};
INSTANTIATE_TEST_SUITE_P(Methods, SendMethodTest,
                         ::testing::Values(SendMethod::kAuto, SendMethod::kGso,
                                           SendMethod::kSendmmsg),
                         [](const auto& test) {
                           if (test.param == SendMethod::kAuto) return "Auto";
                           return test.param == SendMethod::kGso ? "Gso" : "Sendmmsg";
                         });

TEST_P(SendMethodTest, EveryDatagramArrivesWholeAndInOrder) {
  UdpSocket sender = open_socket({.sending = GetParam()});
  UdpSocket ann = open_socket();
  UdpSocket bob = open_socket();
  const std::vector<Said> for_ann = {{100, 1}, {100, 2}, {100, 3}, {60, 4}, {100, 5},
                                     {700, 6}, {700, 7}, {1, 8},   {1, 9},  {512, 10}};
  std::vector<Said> for_bob;
  for (std::uint8_t i = 0; i < 200; ++i) for_bob.push_back({150, i});  // more than one batch
  base::DatagramQueue queue;
  push(queue, to(ann), for_ann);
  push(queue, to(bob), for_bob);
  sender.send(queue, queue.entries());
  ReceiveBatch batch;
  EXPECT_EQ(receive_all(ann, batch), for_ann);
  EXPECT_EQ(receive_all(bob, batch), for_bob);
  EXPECT_EQ(sender.counters().sent, for_ann.size() + for_bob.size());
  EXPECT_EQ(sender.counters().send_dropped, 0U);
  if (GetParam() == SendMethod::kSendmmsg) {
    EXPECT_EQ(sender.counters().sent_merged, 0U);
    EXPECT_EQ(sender.counters().send_calls, 4U);
  } else {
    EXPECT_EQ(sender.counters().sent_merged, 4U + 2U + 200U);
    EXPECT_EQ(sender.counters().send_calls, 1U);
  }
}

TEST_P(SendMethodTest, NeighboursOfTwoPeersStayApart) {
  UdpSocket sender = open_socket({.sending = GetParam()});
  UdpSocket ann = open_socket();
  UdpSocket bob = open_socket();
  base::DatagramQueue queue;
  for (std::uint8_t i = 0; i < 10; ++i) {
    push(queue, to(ann), {{50, i}});
    push(queue, to(bob), {{50, i}});
  }
  sender.send(queue, queue.entries());
  ReceiveBatch batch;
  EXPECT_EQ(receive_all(ann, batch).size(), 10U);
  EXPECT_EQ(receive_all(bob, batch).size(), 10U);
  EXPECT_EQ(sender.counters().sent_merged, 0U);
}

TEST(UdpSocketTest, GoesOnSinglyWhereTheSystemRefusesToMerge) {
  UdpSocket sender = open_socket({.sending = SendMethod::kGso});
  UdpSocket ann = open_socket();
  // Without checksums the kernel does not cut messages apart.
  const int one = 1;
  ASSERT_EQ(setsockopt(sender.descriptor(), SOL_SOCKET, SO_NO_CHECK, &one, sizeof one), 0);
  std::vector<Said> all;
  for (std::uint8_t i = 0; i < 100; ++i) all.push_back({80, i});
  base::DatagramQueue queue;
  push(queue, to(ann), all);
  sender.send(queue, queue.entries());
  ReceiveBatch batch;
  EXPECT_EQ(receive_all(ann, batch), all);
  EXPECT_FALSE(sender.merges());
  EXPECT_EQ(sender.counters().sent, 100U);
  EXPECT_EQ(sender.counters().send_dropped, 0U);
}

TEST(UdpSocketTest, APeerThatCannotBeReachedIsNoReasonNotToMerge) {
  UdpSocket::Options options;
  options.local = {base::IpAddress(), 0};
  auto sender = UdpSocket::open(options);
  ASSERT_TRUE(sender);
  UdpSocket ann = open_socket();
  base::Path gone = to(ann);
  gone.local.ip = base::IpAddress::v4({192, 0, 2, 77});  // not, or no longer, this machine's
  base::DatagramQueue queue;
  push(queue, gone, {{20, 1}, {20, 2}});
  push(queue, to(ann), {{20, 3}, {20, 4}});
  sender->send(queue, queue.entries());
  ReceiveBatch batch;
  EXPECT_EQ(receive_all(ann, batch), (std::vector<Said>{{20, 3}, {20, 4}}));
  EXPECT_TRUE(sender->merges());
  EXPECT_EQ(sender->counters().send_dropped, 2U);
  EXPECT_EQ(sender->counters().sent_merged, 2U);
}

TEST(UdpSocketTest, SendsFromTheAddressThatThePathNames) {
  UdpSocket::Options options;
  options.local = {base::IpAddress(), 0};
  auto sender = UdpSocket::open(options);
  ASSERT_TRUE(sender);
  UdpSocket ann = open_socket();
  base::DatagramQueue queue;
  for (std::uint8_t last = 1; last < 5; ++last) {
    base::Path path = to(ann);
    path.local.ip = base::IpAddress::v4({127, 0, 0, last});
    push(queue, path, {{20, last}, {20, last}});
  }
  sender->send(queue, queue.entries());
  ReceiveBatch batch;
  ann.receive(batch);
  ASSERT_EQ(batch.datagrams().size(), 8U);
  for (const ReceiveBatch::Datagram& datagram : batch.datagrams())
    EXPECT_EQ(datagram.path.remote.ip, base::IpAddress::v4({127, 0, 0, datagram.bytes.front()}));
}

TEST(UdpSocketTest, ForbidsFragmentsAndBelievesNoForgedPathMtu) {
  const UdpSocket sender = open_socket();
  int way = -1;
  socklen_t size = sizeof way;
  ASSERT_EQ(getsockopt(sender.descriptor(), IPPROTO_IP, IP_MTU_DISCOVER, &way, &size), 0);
  EXPECT_EQ(way, IP_PMTUDISC_PROBE);
}

TEST(UdpSocketTest, GroCutsMessagesApart) {
  UdpSocket sender = open_socket({.sending = SendMethod::kGso});
  UdpSocket ann = open_socket({.receiving = ReceiveMethod::kGro});
  ASSERT_TRUE(ann.uses_gro());
  std::vector<Said> all;
  for (std::uint8_t i = 0; i < 100; ++i) all.push_back({i % 10 == 9 ? 33U : 120U, i});
  base::DatagramQueue queue;
  push(queue, to(ann), all);
  sender.send(queue, queue.entries());
  ReceiveBatch batch(ReceiveMethod::kGro);
  EXPECT_EQ(receive_all(ann, batch), all);
  EXPECT_EQ(ann.counters().received, 100U);
  EXPECT_GT(ann.counters().received_merged, 50U);
}

TEST(UdpSocketTest, GroDropsWhatIsOversized) {
  UdpSocket ann = open_socket({.receiving = ReceiveMethod::kGro});
  UdpSocket sender = open_socket();
  const SystemAddress address = to_system(ann.local());
  const auto send_segments = [&](int segment, std::size_t size) {
    ASSERT_EQ(setsockopt(sender.descriptor(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
    const base::Buffer bytes(size, 7);
    ASSERT_EQ(sendto(sender.descriptor(), bytes.data(), size, 0, address.get(), address.size),
              static_cast<ssize_t>(size));
  };
  send_segments(1501, 4000);  // each longer than is allowed
  send_segments(0, 1501);
  send_segments(0, 60'000);
  send_segments(1500, 3100);  // three that are not
  send_segments(1, 30);       // the least
  ReceiveBatch batch(ReceiveMethod::kGro);
  const std::vector<Said> heard = receive_all(ann, batch);
  EXPECT_EQ(heard.size(), 33U);
  EXPECT_EQ(ann.counters().receive_dropped, 3U);
}

}  // namespace
}  // namespace alcove::net
