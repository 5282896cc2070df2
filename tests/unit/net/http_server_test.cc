#include "net/http_server.h"

#include <gmock/gmock.h>

#include "http_fixture.h"

namespace alcove::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using HttpServerTest = HttpFixture;

TEST_F(HttpServerTest, HandsARequestToTheApi) {
  open_and_run();
  const std::string answer =
      ask("POST /v1/x?a=b HTTP/1.1\r\nHost: h\r\nContent-Type: Application/JSON; charset=x\r\n"
          "Authorization: Bearer t\r\nAlcove-Join: j\r\nX-Forwarded-For: 192.0.2.1\r\n"
          "Content-Length: 4\r\n\r\nbody");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("POST /v1/x?a=b application/json Bearer t j 127.0.0.1 body"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Strict-Transport-Security")));
}

TEST_F(HttpServerTest, BelievesATrustedProxy) {
  HttpServerOptions options;
  options.trusted_proxies = {base::IpAddress::v4({127, 0, 0, 1})};
  open_and_run(options);
  EXPECT_THAT(ask("GET /v1/x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6\r\n"
                  "X-Forwarded-For: 192.0.2.1\r\n\r\n"),
              HasSubstr(" 192.0.2.1 "));
}

TEST_F(HttpServerTest, KeepsTheConnectionAndReadsPipelinedRequests) {
  open_and_run();
  const RawClient client(address());
  client.send(
      "GET /v1/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /v1/2 HTTP/1.1\r\nHost: h\r\nConnection: "
      "close\r\n\r\n");
  const std::string answers = client.receive_all();
  EXPECT_THAT(answers, HasSubstr("GET /v1/1?"));
  EXPECT_THAT(answers, HasSubstr("GET /v1/2?"));
  EXPECT_THAT(answers, HasSubstr("Connection: close"));
}

TEST_F(HttpServerTest, ReadsAChunkedBody) {
  open_and_run();
  EXPECT_THAT(ask("POST /v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              HasSubstr("abcde"));
}

TEST_F(HttpServerTest, ServesTheWebApp) {
  open_and_run();
  const std::string page = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(page, HasSubstr("<p>hello</p>"));
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("Cross-Origin-Resource-Policy: same-origin"));
  EXPECT_THAT(ask("GET /assets/app.js HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr(std::string(1000, 'j')));
  const std::string head = ask("HEAD /assets/app.js HTTP/1.0\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 300000"));
  EXPECT_THAT(ask("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, RefusesAHugeBodyAtOnce) {
  open_and_run();
  const RawClient client(address());
  const base::Instant begin = monotonic_now();
  client.send("POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1073741824\r\n\r\n");
  EXPECT_THAT(client.receive_answer(), StartsWith("HTTP/1.1 413 "));
  EXPECT_LT(monotonic_now() - begin, base::seconds(5));
  EXPECT_EQ(api_.requests, 0);
}

TEST_F(HttpServerTest, AClientThatSendsOnRegardlessStillReadsTheAnswer) {
  open_and_run();
  const RawClient client(address());
  client.send("POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1073741824\r\n\r\n");
  client.send(std::string(1 << 20, 'x'));
  EXPECT_THAT(client.receive_answer(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesAChunkedBodyThatGrowsTooLong) {
  open_and_run();
  const RawClient client(address());
  client.send("POST /v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "4000\r\n" + std::string(0x4000, 'c') + "\r\n";
  for (int i = 0; i < 5; ++i) client.send(chunk);
  EXPECT_THAT(client.receive_answer(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesLongHeaders) {
  open_and_run();
  EXPECT_THAT(ask("GET /v1/x HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesGarbage) {
  open_and_run();
  for (const char* garbage :
       {"\x7f\x45LF garbage\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nbroken header\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET http://x/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"})
    EXPECT_THAT(ask(garbage), StartsWith("HTTP/1.1 400 ")) << garbage;
  EXPECT_EQ(api_.requests, 0);
}

TEST_F(HttpServerTest, ErrorsAreJson) {
  open_and_run();
  const std::string answer = ask("GET\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(answer, HasSubstr(R"({"code":"invalid_argument","message":")"));
}

TEST_F(HttpServerTest, CutsWhoDoesNotFinish) {
  HttpServerOptions options;
  options.header_within = base::milliseconds(50);
  options.body_within = base::milliseconds(50);
  options.idle_limit = base::milliseconds(50);
  open_and_run(options);
  for (const char* begun :
       {"", "GET / HT", "POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nbo"}) {
    const RawClient client(address());
    client.send(begun);
    EXPECT_EQ(client.receive_all(), "") << begun;
  }
  // A half-open connection: the client has said that it sends no more.
  const RawClient client(address());
  client.send("GET / HTTP/1.1\r\n");
  shutdown(client.descriptor(), SHUT_WR);
  client.receive_all();
  EXPECT_TRUE(eventually([&] { return counters().connections_open == 0; }));
}

TEST_F(HttpServerTest, CutsAReaderThatStalls) {
  HttpServerOptions options;
  options.write_stalled_limit = base::milliseconds(100);
  open_and_run(options);
  const RawClient client(address(), 4096);
  client.send("GET /v1/large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return counters().requests == 1; }));
  EXPECT_TRUE(eventually([&] { return counters().connections_open == 0; }));
}

TEST_F(HttpServerTest, AnswersForAnApiThatDoesNot) {
  HttpServerOptions options;
  options.response_within = base::milliseconds(20);
  open_and_run(options);
  EXPECT_THAT(ask("GET /v1/never HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 504 "));
  // Too late: dropped.
  std::atomic<bool> done = false;
  loop_.post([&] {
    (*api_.kept)({});
    api_.kept.reset();
    done = true;
  });
  EXPECT_TRUE(eventually([&] { return done.load(); }));
}

TEST_F(HttpServerTest, BoundsConnectionsOfOneAddress) {
  HttpServerOptions options;
  options.max_connections_for_address = 2;
  open_and_run(options);
  const RawClient first(address());
  const RawClient second(address());
  EXPECT_TRUE(eventually([&] { return counters().connections_accepted == 2; }));
  const RawClient third(address());
  EXPECT_EQ(third.receive_all(), "");
  EXPECT_EQ(counters().connections_refused, 1U);
}

TEST_F(HttpServerTest, HandsMediaOver) {
  open_and_run();
  const RawClient client(address());
  client.send(std::string("\x00\x14\x00\x01", 4));
  EXPECT_TRUE(eventually([&] { return adopted_.load() >= 0; }));
  std::array<char, 16> buffer{};
  EXPECT_EQ(recv(adopted_.load(), buffer.data(), buffer.size(), 0), 4);
  EXPECT_EQ(buffer[1], 0x14);
}

TEST_F(HttpServerTest, GoesWhileRequestsArePending) {
  open_and_run();
  const RawClient client(address());
  client.send("GET /v1/never HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return api_.requests == 1; }));
  loop_.stop();
  thread_.join();
  server_.reset();
  (*api_.kept)({});
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpServerTest, StopsAccepting) {
  open();
  const base::SocketAddress where = address();
  server_->stop_accepting();
  EXPECT_FALSE(RawClient(where).connected());
}

TEST_F(HttpServerTest, APortThatIsTakenIsAnError) {
  open();
  HttpServerOptions options;
  options.listen = {address()};
  const auto second = HttpServer::open(loop_, options, {.handler = api_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::kAlreadyExists);
}

TEST_F(HttpServerTest, ACertificateThatIsNoneIsAnError) {
  HttpServerOptions options;
  options.certificate_file = directory_.write("bad.pem", "no certificate");
  options.key_file = options.certificate_file;
  EXPECT_FALSE(HttpServer::open(loop_, options, {.handler = api_}));
}

}  // namespace
}  // namespace alcove::net
