#include "net/media_port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

#include "net/clock.h"
#include "net/file_descriptor.h"
#include "net/socket_address.h"
#include "net/udp_socket.h"

namespace alcove::net {
namespace {

using base::Buffer;
using base::Bytes;
using base::Instant;
using base::Path;

constexpr int kPatienceMilliseconds = 5000;

// Sends everything back, with the thread's number in front.
class Echo final : public MediaHandler {
 public:
  explicit Echo(std::uint8_t number) : number_(number) {}
  void handle_datagram(Instant, const Path& path, Bytes bytes) override {
    Buffer answer = {number_};
    answer.insert(answer.end(), bytes.begin(), bytes.end());
    // Frames of other threads' connections must find their way, too.
    answers_.push(via_.load() != 0 && path.connection != 0 ? with(path, via_.load()) : path,
                  answer);
    if (bytes.back() == 'M') make_many(path);
    if (bytes.back() == 'X') closes_.push_back(path.connection);
    connection_.store(path.connection);
  }
  void handle_connection_closed(Instant, std::uint64_t) override { ++closed_; }
  void handle_wake(Instant) override {
    ++wakes_;
    if (const std::uint64_t other = via_.load(); other != 0) {
      Path path;
      path.protocol = base::TransportProtocol::kTcp;
      path.connection = other;
      answers_.push(path, base::as_bytes("from another thread"));
    }
  }
  void handle_timeout(Instant) override {
    ++timeouts_;
    deadline_.store(base::kNever);
  }
  void handle_batch_end(Instant) override {}
  void handle_batch_cost(Instant ended, base::Duration work) override {
    // Between two ends a thread cannot have worked longer than that; its clock may tick late.
    const bool is_first = std::exchange(cost_ended_, ended) == Instant{};
    worked_ += work;
    if (is_first) cost_began_ = ended - work;
    if (work < base::Duration::zero() || worked_ > ended - cost_began_ + base::milliseconds(20))
      cost_wrong_ = true;
    ++costs_;
  }
  Instant next_deadline() const override { return deadline_.load(); }
  base::DatagramQueue& datagrams() override { return answers_; }
  std::vector<std::uint64_t>& connections_to_close() override { return closes_; }

  std::atomic<std::uint64_t> via_ = 0;
  std::atomic<std::uint64_t> connection_ = 0;
  std::atomic<Instant> deadline_ = base::kNever;
  std::atomic<int> wakes_ = 0;
  std::atomic<int> timeouts_ = 0;
  std::atomic<int> closed_ = 0;
  std::atomic<int> costs_ = 0;
  std::atomic<bool> cost_wrong_ = false;
  static constexpr int kMany = 200;  // more than one run, and what a client's buffer holds
  std::atomic<std::size_t> most_queued_ = 0;

 private:
  void make_many(const Path& path) {
    for (int i = 1; i <= kMany; ++i) {
      answers_.push(path, base::as_bytes("answer " + std::to_string(i)));
      answers_.flush_if_full();
      most_queued_ = std::max(most_queued_.load(), answers_.entries().size());
    }
  }
  static Path with(Path path, std::uint64_t connection) {
    path.connection = connection;
    return path;
  }
  const std::uint8_t number_;
  Instant cost_ended_{};
  Instant cost_began_{};
  base::Duration worked_{};
  base::DatagramQueue answers_;
  std::vector<std::uint64_t> closes_;
};

template <typename Condition>
bool eventually(Condition&& condition) {
  const Instant end = monotonic_now() + base::milliseconds(kPatienceMilliseconds);
  while (!condition()) {
    if (monotonic_now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool readable(int descriptor, int milliseconds = kPatienceMilliseconds) {
  pollfd wait{descriptor, POLLIN, 0};
  return poll(&wait, 1, milliseconds) > 0;
}

class MediaPortTest : public testing::Test {
 protected:
  void open(MediaPortOptions options = {}) {
    options.port = 0;
    options.threads = 2;
    // The tests run once more with what is not the default: CMakeLists.txt sets it.
    if (std::getenv("ALCOVE_TEST_OTHER_METHODS") != nullptr) {
      options.sending = SendMethod::kSendmmsg;
      options.receiving = ReceiveMethod::kGro;
    }
    auto opened = MediaPort::open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    port_ = std::move(*opened);
    port_->start({&echoes_[0], &echoes_[1]});
  }
  FileDescriptor connect(int type, std::string_view ip = "127.0.0.1") const {
    const auto address = to_system({base::IpAddress::parse(ip).value(), port_->port()});
    FileDescriptor descriptor(socket(address.storage.ss_family, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(descriptor.get(), address.get(), address.size), 0);
    return descriptor;
  }
  static std::string receive(const FileDescriptor& from) {
    std::array<char, 4096> buffer{};
    if (!readable(from.get())) return "(nothing)";
    const ssize_t size = recv(from.get(), buffer.data(), buffer.size(), 0);
    return size < 0 ? "(error)" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }
  static void send(const FileDescriptor& to, std::string_view text) {
    ASSERT_EQ(::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  static std::string stun_frame(char last = 'S') {
    std::string frame("\x00\x14\x00\x01\x00\x00\x21\x12\xa4\x42", 10);
    frame += std::string(11, 't') + last;
    return frame;
  }

  std::array<Echo, 2> echoes_{Echo('0'), Echo('1')};
  std::unique_ptr<MediaPort> port_;
};

TEST_F(MediaPortTest, AnswersFromTheAddressThatWasAsked) {
  open();
  // A connected socket only takes answers from the address it sent to; 127.0.0.2 is loopback, too.
  for (const char* ip : {"127.0.0.1", "127.0.0.2", "127.9.8.7"}) {
    const FileDescriptor client = connect(SOCK_DGRAM, ip);
    send(client, "hello");
    EXPECT_EQ(receive(client).substr(1), "hello") << ip;
  }
}

TEST_F(MediaPortTest, ServesIpv6) {
  open();
  if (port_->listening().size() < 2) GTEST_SKIP() << "no IPv6 on this machine";
  const auto address = to_system({base::IpAddress::parse("::1").value(), port_->port()});
  const FileDescriptor client(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::connect(client.get(), address.get(), address.size) != 0) GTEST_SKIP() << "no [::1]";
  send(client, "six");
  EXPECT_EQ(receive(client).substr(1), "six");
}

TEST_F(MediaPortTest, UsesItsThreadsAndLosesNothingOfABurst) {
  open();
  std::set<char> threads;
  for (int i = 0; i < 64 && threads.size() < 2; ++i) {
    const FileDescriptor client = connect(SOCK_DGRAM);
    for (int j = 0; j < 100; ++j) send(client, "burst");
    for (int j = 0; j < 100; ++j) {
      const std::string answer = receive(client);
      ASSERT_EQ(answer.substr(1), "burst");
      threads.insert(answer[0]);
    }
  }
  EXPECT_EQ(threads.size(), 2U);
}

TEST_F(MediaPortTest, TellsWhatEachBatchTookAndNothingTwice) {
  open();
  const FileDescriptor client = connect(SOCK_DGRAM);
  for (int i = 0; i < 50; ++i) {
    send(client, "hello");
    EXPECT_EQ(receive(client).substr(1), "hello");
  }
  EXPECT_TRUE(eventually([&] { return echoes_[0].costs_ + echoes_[1].costs_ >= 50; }));
  EXPECT_FALSE(echoes_[0].cost_wrong_ || echoes_[1].cost_wrong_);
}

TEST_F(MediaPortTest, SendsTheFirstOfManyWhileTheLastAreMade) {
  open();
  const FileDescriptor client = connect(SOCK_DGRAM);
  send(client, "M");
  EXPECT_EQ(receive(client).substr(1), "M");
  for (int i = 1; i <= Echo::kMany; ++i) ASSERT_EQ(receive(client), "answer " + std::to_string(i));
  EXPECT_LE(std::max(echoes_[0].most_queued_.load(), echoes_[1].most_queued_.load()), 130U);
}

TEST_F(MediaPortTest, ManyFramesForTheConnectionThatIsReadComeInOrder) {
  open();
  const FileDescriptor client = connect(SOCK_STREAM);
  send(client, stun_frame('M'));
  std::string expected("\x00\x15", 2);
  std::string text;
  while (text.size() < 23) text += receive(client);
  for (int i = 1; i <= Echo::kMany; ++i) {
    const std::string answer = "answer " + std::to_string(i);
    expected.assign({'\0', static_cast<char>(answer.size())});
    expected += answer;
    while (text.size() < 23 + expected.size()) {
      const std::string more = receive(client);
      ASSERT_NE(more, "(nothing)");
      text += more;
    }
    ASSERT_EQ(text.substr(23, expected.size()), expected);
    text.erase(23, expected.size());
  }
}

TEST_F(MediaPortTest, DropsOversizedAndEmptyDatagrams) {
  open();
  const FileDescriptor client = connect(SOCK_DGRAM);
  send(client, std::string(1501, 'a'));
  send(client, "");
  send(client, std::string(1499, 'b'));
  EXPECT_EQ(receive(client).substr(1), std::string(1499, 'b'));
  // The counters are published after the answer has left.
  EXPECT_TRUE(eventually([&] {
    const MediaPortCounters counters = port_->counters();
    return counters.receive_dropped == 2 && counters.datagrams_received == 1;
  }));
}

TEST_F(MediaPortTest, ASecondOneOnThePortFails) {
  open();
  const auto second = MediaPort::open({.port = port_->port(), .threads = 1});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::kAlreadyExists);
}

TEST_F(MediaPortTest, WakesAndTimesOut) {
  open();
  port_->wake(1);
  EXPECT_TRUE(eventually([&] { return echoes_[1].wakes_ == 1; }));
  EXPECT_EQ(echoes_[0].wakes_, 0);
  echoes_[0].deadline_ = monotonic_now() + base::milliseconds(5);
  port_->wake(0);
  EXPECT_TRUE(eventually([&] { return echoes_[0].timeouts_ == 1; }));
}

TEST_F(MediaPortTest, ServesFramesOverTcp) {
  open();
  const FileDescriptor client = connect(SOCK_STREAM);
  const std::string frame = stun_frame();
  send(client, frame.substr(0, 7));
  send(client, frame.substr(7));
  std::string answer = receive(client);
  ASSERT_EQ(answer.size(), 23U);
  EXPECT_EQ(answer.substr(3), frame.substr(2));
  send(client, std::string("\x00\x02hi", 4) + std::string("\x00\x00", 2));
  EXPECT_EQ(receive(client).substr(3), "hi");
}

TEST_F(MediaPortTest, ClosesAStreamThatDoesNotBeginWithStun) {
  open();
  const FileDescriptor client = connect(SOCK_STREAM);
  send(client, std::string("\x00\x02hi", 4));
  EXPECT_EQ(receive(client), "");
  EXPECT_TRUE(eventually([&] { return port_->counters().connections_closed_bad == 1; }));
  EXPECT_TRUE(eventually([&] { return port_->counters().connections_open == 0; }));
}

TEST_F(MediaPortTest, TellsEveryHandlerOfAnEnd) {
  open();
  {
    const FileDescriptor client = connect(SOCK_STREAM);
    send(client, stun_frame());
    EXPECT_EQ(receive(client).size(), 23U);
  }
  EXPECT_TRUE(eventually([&] { return echoes_[0].closed_ == 1 && echoes_[1].closed_ == 1; }));
}

TEST_F(MediaPortTest, AHandlerClosesWithoutBeingTold) {
  open();
  const FileDescriptor client = connect(SOCK_STREAM);
  send(client, stun_frame('X'));
  EXPECT_EQ(receive(client).size(), 23U);
  EXPECT_EQ(receive(client), "");
  EXPECT_EQ(echoes_[0].closed_ + echoes_[1].closed_, 0);
}

TEST_F(MediaPortTest, AnotherThreadSendsOnAConnection) {
  open();
  const FileDescriptor client = connect(SOCK_STREAM);
  send(client, stun_frame());
  EXPECT_EQ(receive(client).size(), 23U);
  const std::size_t owner = echoes_[0].connection_ != 0 ? 0 : 1;
  echoes_[1 - owner].via_ = echoes_[owner].connection_.load();
  port_->wake(static_cast<unsigned>(1 - owner));
  EXPECT_EQ(receive(client).substr(2), "from another thread");
}

TEST_F(MediaPortTest, BoundsConnectionsOfOneAddress) {
  open({.max_connections = 10, .max_connections_for_address = 2});
  const FileDescriptor first = connect(SOCK_STREAM);
  const FileDescriptor second = connect(SOCK_STREAM);
  EXPECT_TRUE(eventually([&] { return port_->counters().connections_accepted == 2; }));
  const FileDescriptor third = connect(SOCK_STREAM);
  EXPECT_EQ(receive(third), "");
  EXPECT_TRUE(eventually([&] { return port_->counters().connections_refused == 1; }));
}

TEST_F(MediaPortTest, EndsSilentConnections) {
  open({.first_frame_within = base::milliseconds(1)});
  const FileDescriptor client = connect(SOCK_STREAM);
  EXPECT_EQ(receive(client), "");
}

TEST_F(MediaPortTest, TakesOverAConnection) {
  open();
  int pair[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  const FileDescriptor client(pair[0]);
  port_->adopt(pair[1]);
  send(client, stun_frame());
  EXPECT_EQ(receive(client).size(), 23U);
}

}  // namespace
}  // namespace alcove::net
