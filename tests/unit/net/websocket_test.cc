#include <gmock/gmock.h>

#include <functional>

#include "http_fixture.h"
#include "net/http_client.h"
#include "net/websocket_client.h"

namespace alcove::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kUpgrade =
    "GET /v1/events HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

// A client's frame (RFC 6455, section 5.2) with the mask 0.
std::string frame(std::uint8_t opcode, std::string_view payload) {
  std::string out = {static_cast<char>(0x80 | opcode)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65'536) {
    out += static_cast<char>(0x80 | 126);
    for (int shift = 8; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  } else {
    out += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  }
  return out + std::string(4, '\0') + std::string(payload);
}

class WebSocketTest : public HttpFixture {
 protected:
  std::unique_ptr<RawClient> upgrade(int receive_buffer = 0) {
    auto client = std::make_unique<RawClient>(address(), receive_buffer);
    client->send(std::string(kUpgrade) + "\r\n");
    EXPECT_THAT(client->receive(), StartsWith("HTTP/1.1 101 "));
    return client;
  }
  Url url(std::string_view target) const {
    return Url::parse("http://" + address().text() + std::string(target)).value();
  }
};

TEST_F(WebSocketTest, EchoesABinaryMessage) {
  open_and_run();
  const auto client = upgrade();
  client->send(frame(2, "hello"));
  EXPECT_EQ(client->receive(), std::string("\x82\x05hello"));
  client->send(frame(2, "close"));
  EXPECT_THAT(client->receive(), StartsWith("\x88"));
}

TEST_F(WebSocketTest, TakesMessagesOfEverySizeAndInFragments) {
  open_and_run();
  const auto client = upgrade();
  const auto receive = [&](std::size_t size) {
    std::string received;
    while (received.size() < size) {
      const std::string part = client->receive();
      if (part.empty()) break;
      received += part;
    }
    return received;
  };
  for (const std::size_t size : {0U, 1U, 125U, 255U, 256U, 257U, 1'600U, 16'639U, 40'000U}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 23);
    client->send(frame(2, payload));
    const std::size_t header = size < 126 ? 2 : 4;
    EXPECT_EQ(receive(header + size).substr(header), payload) << size;
  }
  // RFC 6455, section 5.4: the first frame has the opcode, the last one FIN.
  for (const std::size_t part : {1U, 100U, 300U}) {
    std::string first = frame(2, std::string(part, 'a'));
    first[0] = 2;
    std::string middle = frame(0, std::string(part, 'b'));
    middle[0] = 0;
    client->send(first + middle);
    client->send(frame(0, std::string(part, 'c')));
    const std::size_t header = 3 * part < 126 ? 2 : 4;
    EXPECT_EQ(receive(header + 3 * part).substr(header),
              std::string(part, 'a') + std::string(part, 'b') + std::string(part, 'c'));
  }
}

TEST_F(WebSocketTest, SharesTheEndOfAMessage) {
  open_and_run();
  const auto client = upgrade();
  client->send(frame(2, "shared"));
  std::string received = client->receive();
  while (received.size() < 2 + 18 + 2 + 12) received += client->receive();
  EXPECT_EQ(received, std::string("\x82\x12") + "begin the same end" + "\x82\x0cthe same end");
}

TEST_F(WebSocketTest, ClosesOnText) {
  open_and_run();
  const auto client = upgrade();
  client->send(frame(1, "hello"));
  EXPECT_EQ(client->receive(), std::string("\x88\x02\x03\xeb", 4));  // 1003
  EXPECT_TRUE(eventually([&] { return api_.websockets_closed == 1; }));
}

TEST_F(WebSocketTest, ClosesOnALongMessage) {
  open_and_run();
  const auto client = upgrade();
  client->send(frame(2, std::string(64 * 1024 + 1, 'x')));
  EXPECT_THAT(client->receive(), StartsWith(std::string("\x88\x02\x03\xf1", 4)));  // 1009
  EXPECT_TRUE(eventually([&] { return api_.websockets_closed == 1; }));
}

TEST_F(WebSocketTest, TheApiMayAllowLargeMessages) {
  open_and_run();
  const auto client = upgrade();
  client->send(frame(2, "large"));
  EXPECT_EQ(client->receive(), std::string("\x82\x05large"));
  client->send(frame(2, std::string(1 << 20, 'x')));
  constexpr std::size_t kEcho = 10 + (1 << 20);  // with the frame's header
  std::size_t echoed = 0;
  while (echoed < kEcho) {
    const std::string part = client->receive();
    ASSERT_FALSE(part.empty());
    echoed += part.size();
  }
  client->send(frame(2, "small"));
  EXPECT_EQ(client->receive(), std::string("\x82\x05small"));
  client->send(frame(2, std::string(64 * 1024 + 1, 'x')));
  EXPECT_THAT(client->receive(), StartsWith(std::string("\x88\x02\x03\xf1", 4)));  // 1009
}

TEST_F(WebSocketTest, ClosesOnGarbage) {
  open_and_run();
  const auto client = upgrade();
  client->send(std::string(32, '\xff'));  // longer than any header: not a beginning to wait on
  EXPECT_TRUE(eventually([&] { return api_.websockets_closed == 1; }));
}

TEST_F(WebSocketTest, DropsASlowReader) {
  open_and_run();
  const auto client = upgrade(4096);
  client->send(frame(2, "flood"));
  EXPECT_TRUE(eventually([&] { return api_.websockets_closed == 1; }));
  EXPECT_EQ(counters().websockets_dropped, 1U);
  EXPECT_EQ(counters().websockets_open, 0U);
}

TEST_F(WebSocketTest, PingsAndCutsTheSilent) {
  HttpServerOptions options;
  options.ping_every = base::milliseconds(100);
  open_and_run(options);
  const auto client = upgrade();
  EXPECT_THAT(client->receive(), StartsWith("\x89"));  // a ping, which is not answered
  EXPECT_TRUE(eventually([&] { return api_.websockets_closed == 1; }));
}

TEST_F(WebSocketTest, ChecksOriginAndPath) {
  HttpServerOptions options;
  options.allowed_origins = {"https://talk.example"};
  open_and_run(options);
  EXPECT_THAT(ask(std::string(kUpgrade) + "Origin: https://evil.example\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(api_.websockets, 0);
  EXPECT_THAT(ask(std::string(kUpgrade) + "Origin: http://h\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(ask(std::string(kUpgrade) + "Origin: https://talk.example\r\n\r\n"),
              StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(ask("GET /other HTTP/1.1\r\n" + std::string(kUpgrade).substr(25) + "\r\n"),
              StartsWith("HTTP/1.1 404 "));
}

TEST_F(WebSocketTest, TheApiMayRefuse) {
  api_.refuse_websockets = true;
  open_and_run();
  EXPECT_THAT(ask(std::string(kUpgrade) + "\r\n"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(WebSocketTest, TheApiMayRefuseInWords) {
  api_.refuse_in_words = true;
  open_and_run();
  const std::string answer = ask(std::string(kUpgrade) + "\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 451 Unavailable For Legal Reasons\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("{\"from\":\"127.0.0.1\"}"));
  EXPECT_EQ(api_.websockets, 0);
}

TEST_F(WebSocketTest, ARefusedOneIsCutThoughItsClientStays) {
  api_.refuse_websockets = true;
  open_and_run();
  const RawClient client(address());
  ASSERT_TRUE(client.send(std::string(kUpgrade) + "\r\n"));
  EXPECT_THAT(client.receive_answer(), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(eventually([&] { return counters().connections_open == 0; }));
}

TEST_F(WebSocketTest, TheServersEndReachesTheHandler) {
  open_and_run();
  const auto client = upgrade();
  loop_.stop();
  thread_.join();
  server_.reset();
  EXPECT_EQ(api_.websockets_closed, 1);
  EXPECT_EQ(client->receive_all(), "");
}

// The clients run on the server's own loop.
TEST_F(WebSocketTest, HttpClientAsksAndKeepsTheConnection) {
  open();
  HttpClient client(loop_);
  std::vector<base::Result<ClientResponse>> answers;
  const std::function<void()> ask_once = [&] {
    client.request(
        {.method = "POST", .url = url("/v1/x"), .headers = {{"Alcove-Join", "j"}}, .body = "b"},
        [&](base::Result<ClientResponse> answer) {
          answers.push_back(std::move(answer));
          answers.size() < 3 ? ask_once() : loop_.stop();
        });
  };
  ask_once();
  EXPECT_TRUE(answers.empty());
  loop_.run();
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->content_type, "application/json");
    EXPECT_THAT(answer->body, HasSubstr(" j 127.0.0.1 b"));
  }
  EXPECT_EQ(server_->counters().connections_accepted, 1U);
}

TEST_F(WebSocketTest, HttpClientLeavesFromTheAddressThatItIsTold) {
  open();
  HttpClient client(loop_);
  std::vector<std::string> answers;
  const auto note = [&](const base::Result<ClientResponse>& answer) {
    answers.push_back(answer ? answer->body : answer.error().message);
    if (answers.size() == 3) loop_.stop();
  };
  for (const std::uint8_t last : {7, 8})
    client.request({.url = url("/v1/x"), .source = base::IpAddress::v4({127, 3, 2, last})}, note);
  client.request({.url = url("/v1/x"), .source = base::IpAddress::v6({})}, note);
  loop_.run();
  EXPECT_THAT(answers, testing::UnorderedElementsAre(HasSubstr("127.3.2.7"), HasSubstr("127.3.2.8"),
                                                     HasSubstr("cannot connect")));
}

TEST_F(WebSocketTest, HttpClientSaysWhatIsWrong) {
  open();
  HttpClient client(loop_);
  std::vector<std::string> problems;
  const auto note = [&](const base::Result<ClientResponse>& answer) {
    problems.push_back(answer ? "no error" : answer.error().message);
    if (problems.size() == 4) loop_.stop();
  };
  client.request({.url = url("/v1/never"), .timeout = base::milliseconds(50)}, note);
  client.request({.url = url("/v1/large")}, note);
  client.request({.url = *Url::parse("http://127.0.0.1:1/")}, note);
  client.request({.url = url("/v1/x"), .headers = {{"A", "b\r\nC: d"}}}, note);
  loop_.run();
  EXPECT_THAT(problems,
              testing::UnorderedElementsAre(HasSubstr("no answer in time"),
                                            HasSubstr("is longer than 1048576 bytes"),
                                            HasSubstr("cannot connect"), HasSubstr("line break")));
  api_.kept.reset();
}

TEST_F(WebSocketTest, HttpClientIsSilentOnceGone) {
  open();
  auto client = std::make_unique<HttpClient>(loop_);
  client->request({.url = url("/v1/never")},
                  [](const base::Result<ClientResponse>&) { FAIL() << "called back"; });
  Timer timer(loop_);
  timer.start(monotonic_now() + base::milliseconds(20), [&] {
    client.reset();
    timer.start(monotonic_now() + base::milliseconds(20), [&] { loop_.stop(); });
  });
  loop_.run();
  api_.kept.reset();
}

class Recorder final : public WebSocketClientHandler {
 public:
  explicit Recorder(EventLoop& loop) : loop_(loop) {}
  void on_open() override { ++opened; }
  void on_message(base::Bytes message) override {
    received.emplace_back(base::as_text(message));
    if (on_received) on_received();
  }
  void on_closed(const base::Error& reason) override {
    closed.push_back(reason.message);
    loop_.stop();
  }
  int opened = 0;
  std::vector<std::string> received;
  std::vector<std::string> closed;
  std::function<void()> on_received;

 private:
  EventLoop& loop_;
};

TEST_F(WebSocketTest, ClientSendsReceivesAndCloses) {
  open();
  Recorder recorder(loop_);
  WebSocketClient client(loop_, recorder);
  client.connect(url("/v1/events"));
  client.send(base::to_buffer(base::as_bytes("before it is open")));
  recorder.on_received = [&] {
    recorder.received.size() < 2 ? client.send(base::to_buffer(base::as_bytes("again")))
                                 : client.close();
  };
  loop_.run();
  EXPECT_EQ(recorder.opened, 1);
  EXPECT_EQ(recorder.received, (std::vector<std::string>{"before it is open", "again"}));
  EXPECT_EQ(recorder.closed.size(), 1U);
}

TEST_F(WebSocketTest, ClientHearsWhyItDidNotOpen) {
  open();
  Recorder recorder(loop_);
  WebSocketClient client(loop_, recorder);
  client.connect(url("/v1/other"));
  loop_.run();
  EXPECT_EQ(recorder.opened, 0);
  EXPECT_THAT(recorder.closed, testing::ElementsAre(HasSubstr("no WebSocket")));
}

}  // namespace
}  // namespace alcove::net
