// Requests as bytes: JSON, binary, hostile bodies, paths, limits.

#include <gtest/gtest.h>

#include "control_fixture.h"

namespace alcove::control {
namespace {

class HttpTest : public ControlTest {
 protected:
  base::HttpResponse post(const std::string& path, std::string body,
                          const std::string& type = "application/json") {
    base::HttpRequest http = make("POST", path);
    http.accept = "*/*";
    http.content_type = type;
    http.body = std::move(body);
    return request(http);
  }
};

TEST_F(HttpTest, SpeaksCanonicalJson) {
  const base::HttpResponse response =
      post("/v1/accounts",
           R"({"username": "ada", "password": "correct horse", "displayName": "Ada ☕"})");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_NE(response.body.find(R"("displayName":"Ada ☕")"), std::string::npos);
  v1::SessionResponse parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(response.body, &parsed).ok());
  // The field's own name is accepted too.
  EXPECT_EQ(
      post("/v1/accounts", R"({"username":"grace","password":"correct horse","display_name":"G"})")
          .status,
      201);
  const base::HttpResponse taken =
      post("/v1/accounts", R"({"username": "ada", "password": "correct horse"})");
  EXPECT_EQ(taken.status, 409);
  EXPECT_NE(taken.body.find(R"("reason":"account.username_taken")"), std::string::npos);
}

TEST_F(HttpTest, HostileBodiesAreRefused) {
  const std::string deep = std::string(20'000, '[') + std::string(20'000, ']');
  std::string nested = "1";
  for (int i = 0; i < 5000; ++i) nested = R"({"a":)" + nested + "}";
  for (const std::string& body : {
           std::string(),
           std::string("null"),
           std::string("[]"),
           std::string("{"),
           std::string(R"({"username": 7})"),
           std::string(R"({"username": "ada", "password": "correct horse", "admin": true})"),
           std::string("{\"username\": \"\xff\xfe\"}"),
           std::string("{\"username\": \"ada\\u0000\", \"password\": \"correct horse\"}"),
           std::string("\0\0\0\0", 4),
           deep,
           nested,
           R"({"username": ")" + deep + R"("})",
       }) {
    EXPECT_EQ(post("/v1/accounts", body).status, 400) << body.substr(0, 60);
  }
  EXPECT_EQ(post("/v1/accounts", std::string(65 * 1024, ' ')).status, 413);
  EXPECT_EQ(post("/v1/accounts", "username=ada", "application/x-www-form-urlencoded").status, 415);
  EXPECT_EQ(post("/v1/accounts", "\xff\xff\xff", "application/protobuf").status, 400);
  v1::RegisterRequest body;
  body.set_username("ada");
  EXPECT_EQ(
      post("/v1/accounts", body.SerializeAsString() + "\x0a\x02\xff\xfe", "application/protobuf")
          .status,
      400)
      << "not UTF-8";
}

TEST_F(HttpTest, AnUnknownFieldIsNamed) {
  const base::HttpResponse response = post("/v1/accounts", R"({"usrname": "ada"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("usrname"), std::string::npos);
}

TEST_F(HttpTest, UnknownPathsAndMethods) {
  EXPECT_EQ(reason(request(make("GET", "/v1/nothing"))), "path.unknown");
  EXPECT_EQ(request(make("GET", "")).status, 404);
  EXPECT_EQ(request(make("GET", "no slash")).status, 404);
  EXPECT_EQ(request(make("GET", std::string(10'000, '/'))).status, 404);
  EXPECT_EQ(request(make("GET", "/v1/rooms/" + std::string(10'000, 'x'))).status, 404);
  const base::HttpResponse response = request(make("DELETE", "/v1/config"));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(reason(response), "method.unknown");
  std::string allow;
  for (const auto& [name, value] : request(make("PUT", "/v1/sessions")).headers)
    if (name == "Allow") allow = value;
  EXPECT_EQ(allow, "POST, GET");
}

TEST_F(HttpTest, AnswersAreNotCached) {
  const base::HttpResponse response = request(make("GET", "/v1/config"));
  ASSERT_FALSE(response.headers.empty());
  EXPECT_EQ(response.headers[0],
            (std::pair<std::string, std::string>("Cache-Control", "no-store")));
}

TEST_F(HttpTest, BadTokensAreUnauthenticated) {
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer x", "Basic YTpi",
                             "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                             "bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    base::HttpRequest http = make("GET", "/v1/me");
    http.authorization = header;
    EXPECT_EQ(request(http).status, 401) << header;
  }
}

class LimitsTest : public ControlTest {
 protected:
  LimitsTest() : ControlTest(ServerOptions()) {}
  base::HttpResponse log_in(const std::string& username, const std::string& address) {
    v1::LogInRequest body;
    body.set_username(username);
    body.set_password("wrong horse");
    base::HttpRequest http = make("POST", "/v1/sessions", &body);
    http.remote = *base::IpAddress::parse(address);
    return request(http);
  }
};

TEST_F(LimitsTest, LogInIsLimitedByAddressAndByUsername) {
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(log_in("user" + std::to_string(i), "192.0.2.7").status, 401);
  const base::HttpResponse limited = log_in("user99", "192.0.2.7");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(reason(limited), "rate_limited");
  bool retry_after = false;
  for (const auto& [name, value] : limited.headers)
    retry_after = retry_after || (name == "Retry-After" && value == "10");
  EXPECT_TRUE(retry_after);
  EXPECT_EQ(log_in("user99", "192.0.2.8").status, 401) << "another address";
  advance(base::seconds(11));
  EXPECT_EQ(log_in("user99", "192.0.2.7").status, 401);
  // One name from many addresses.
  int refused = 0;
  for (int i = 0; i < 25; ++i)
    refused += log_in("victim", "198.51.100." + std::to_string(i)).status == 429 ? 1 : 0;
  EXPECT_EQ(refused, 5);
}

TEST_F(LimitsTest, AnIpv6CustomerIsOneAddress) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(log_in("user" + std::to_string(i), "2001:db8:1:2::" + std::to_string(i)).status, 401);
  }
  EXPECT_EQ(log_in("user99", "2001:db8:1:2:ffff::1").status, 429);
  EXPECT_EQ(log_in("user99", "2001:db8:1:3::1").status, 401);
}

TEST_F(LimitsTest, RegistrationIsLimited) {
  for (int i = 0; i < 10; ++i) try_register("x");  // refused for its name, and counted
  EXPECT_EQ(try_register("ada").status, 429);
}

TEST_F(LimitsTest, JoinsAreLimited) {
  Client& host = open_room("ada");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(try_join(host.room_id, {}, "G").status, 200);
  EXPECT_EQ(reason(try_join(host.room_id, {}, "G")), "rate_limited");
  const std::string grace = account("grace");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(try_join(host.room_id, grace).status, 200);
  EXPECT_EQ(try_join(host.room_id, grace).status, 429);
}

TEST_F(LimitsTest, HandsReactionsAndCommandsAreLimitedEach) {
  Client& host = open_room("ada");
  Client& guest = member(host.room_id, "Grace");
  const auto give_until_limited = [&](Client& client, const v1::RoomCommand& command) {
    int given = 0;
    while (given < 1000 && give(client, command).status != 429) ++given;
    return given;
  };
  EXPECT_EQ(give_until_limited(guest, raise_hand()), 10);
  EXPECT_EQ(give_until_limited(guest, command([](v1::RoomCommand& c) {
                                 c.mutable_send_reaction()->set_reaction(v1::REACTION_CLAP);
                               })),
            10);
  advance(base::seconds(10));
  EXPECT_EQ(give_until_limited(host, mute(0, true)), 40);
  must(host, leave());  // never limited
}

TEST_F(LimitsTest, MessagesOnASocketAreLimited) {
  Client& host = open_room("ada");
  v1::ClientMessage ping;
  ping.mutable_ping();
  for (int i = 0; i < 60 && !host.peer->closed; ++i) say(host, ping);
  EXPECT_TRUE(host.peer->closed);
  EXPECT_EQ(host.peer->messages.back().goodbye().reason().reason(), "rate_limited");
}

TEST_F(LimitsTest, ConnectionsAreLimited) {
  FakePeer peer;
  std::vector<std::unique_ptr<base::WebSocketHandler>> handlers;
  int refused = 0;
  for (int i = 0; i < 250; ++i) {
    handlers.push_back(server->accept(peer, *base::IpAddress::parse("192.0.2.3")));
    refused += handlers.back() == nullptr ? 1 : 0;
  }
  EXPECT_EQ(refused, 50);
}

TEST_F(LimitsTest, RequestsAreLimited) {
  int refused = 0;
  for (int i = 0; i < 400; ++i) refused += request(make("GET", "/v1/config")).status == 429 ? 1 : 0;
  EXPECT_EQ(refused, 100);
  EXPECT_NE(server->metrics().find("alcove_rate_limited_total 100"), std::string::npos);
  EXPECT_NE(server->metrics().find("alcove_http_responses_total{class=\"4xx\"} 100"),
            std::string::npos);
}

}  // namespace
}  // namespace alcove::control
