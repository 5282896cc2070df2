#include "net/http_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "net/connection_limits.h"
#include "net/url.h"

namespace alcove::net {
namespace {

using testing::HasSubstr;
using testing::Not;

base::IpAddress ip(std::string_view text) { return base::IpAddress::parse(text).value(); }

TEST(HttpRules, WritesAHead) {
  const std::string head = response_head(404, {{"A", "b"}}, 7, true);
  EXPECT_EQ(
      head,
      "HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(response_head(304, {}, 7, false), Not(HasSubstr("Content-Length")));
}

TEST(HttpRules, LeavesOutHeadersThatWouldSplitTheAnswer) {
  const std::string head =
      response_head(200, {{"A", "b\r\nSet-Cookie: c"}, {"D e", "f"}, {"", "g"}}, 0, true);
  EXPECT_THAT(head, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(head, Not(HasSubstr("D e")));
}

TEST(HttpRules, NoAnswerSendsAClientElsewhere) {
  for (const char* name : {"Location", "location", "Refresh", "Alt-Svc", "Link", "NEL",
                           "Content-Location", "Report-To", "Reporting-Endpoints"})
    EXPECT_THAT(response_head(200, {{name, "https://elsewhere.example"}}, 0, true),
                Not(HasSubstr("elsewhere")))
        << name;
  for (const int status : {300, 301, 302, 303, 307, 308})
    EXPECT_DEATH(response_head(status, {}, 0, true), "");
}

// Every source is this origin, or made by the page itself; the WebSocket of the same origin is in
// 'self' (CSP Level 3, section 6.7.2.8).
TEST(HttpRules, ThePageTalksToThisServerOnly) {
  HeaderList headers;
  add_document_security_headers(headers);
  std::string policy = headers[0].second + ";";
  std::set<std::string> directives;
  while (!policy.empty()) {
    std::istringstream words(policy.substr(0, policy.find(';')));
    policy.erase(0, policy.find(';') + 1);
    std::string word;
    words >> word;
    directives.insert(word);
    while (words >> word)
      EXPECT_TRUE(word == "'self'" || word == "'none'" || word == "data:" || word == "blob:")
          << word;
  }
  for (const char* name : {"default-src", "connect-src", "script-src", "form-action", "base-uri"})
    EXPECT_TRUE(directives.contains(name)) << name;
}

TEST(HttpRules, PolicyHasNothingUnsafe) {
  HeaderList headers;
  add_document_security_headers(headers);
  for (const auto& [name, value] : headers) EXPECT_THAT(value, Not(HasSubstr("unsafe")));
  EXPECT_THAT(headers[0].second, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(headers[1].second, HasSubstr("microphone=(self)"));
  EXPECT_THAT(headers[1].second, HasSubstr("camera=()"));
}

TEST(HttpRules, ReadsAcceptEncoding) {
  EXPECT_TRUE(accepts("gzip, deflate, br", Encoding::kBrotli));
  EXPECT_TRUE(accepts("br;q=0.5", Encoding::kBrotli));
  EXPECT_TRUE(accepts("BR ; Q=1", Encoding::kBrotli));
  EXPECT_TRUE(accepts("*", Encoding::kGzip));
  EXPECT_FALSE(accepts("*;q=0", Encoding::kGzip));
  EXPECT_FALSE(accepts("gzip;q=0, *", Encoding::kGzip));
  EXPECT_FALSE(accepts("*, gzip;q=0.000", Encoding::kGzip));
  EXPECT_FALSE(accepts("", Encoding::kGzip));
  EXPECT_FALSE(accepts("brotli", Encoding::kBrotli));
  EXPECT_FALSE(accepts(",;=,;q=,", Encoding::kBrotli));
  EXPECT_TRUE(accepts("", Encoding::kIdentity));
}

TEST(HttpRules, ComparesETags) {
  EXPECT_TRUE(matches_etag("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(matches_etag("*", "\"b\""));
  EXPECT_FALSE(matches_etag("\"a\"", "\"b\""));
  EXPECT_FALSE(matches_etag("", "\"b\""));
}

TEST(HttpRules, ChecksTheOrigin) {
  const std::vector<std::string> allowed = {"https://talk.example"};
  EXPECT_TRUE(origin_allowed("", "a.example", allowed));
  EXPECT_TRUE(origin_allowed("https://A.example", "a.example", allowed));
  EXPECT_TRUE(origin_allowed("http://localhost:8080", "localhost:8080", allowed));
  EXPECT_TRUE(origin_allowed("https://talk.example", "a.example", allowed));
  EXPECT_FALSE(origin_allowed("https://a.example.evil", "a.example", allowed));
  EXPECT_FALSE(origin_allowed("http://localhost:8081", "localhost:8080", allowed));
  EXPECT_FALSE(origin_allowed("null", "a.example", allowed));
  EXPECT_FALSE(origin_allowed("https://", "", allowed));
}

TEST(HttpRules, BelievesTrustedProxiesOnly) {
  const std::vector<base::IpAddress> trusted = {ip("127.0.0.1"), ip("10.0.0.1")};
  EXPECT_EQ(client_address(ip("192.0.2.1"), "198.51.100.1", trusted), ip("192.0.2.1"));
  EXPECT_EQ(client_address(ip("127.0.0.1"), "198.51.100.1", trusted), ip("198.51.100.1"));
  EXPECT_EQ(client_address(ip("127.0.0.1"), "6.6.6.6, 198.51.100.1 , 10.0.0.1", trusted),
            ip("198.51.100.1"));
  EXPECT_EQ(client_address(ip("127.0.0.1"), "", trusted), ip("127.0.0.1"));
  EXPECT_EQ(client_address(ip("127.0.0.1"), "nonsense", trusted), ip("127.0.0.1"));
}

TEST(HttpRules, ReadsMediaTypes) {
  EXPECT_EQ(media_type(" Application/JSON ; charset=utf-8"), "application/json");
  EXPECT_EQ(media_type(""), "");
}

TEST(ConnectionLimits, CountsInAllAndByAddress) {
  ConnectionLimits limits(3, 2);
  ConnectionPlace a(limits, ip("192.0.2.1"));
  ConnectionPlace b(limits, ip("192.0.2.1"));
  EXPECT_TRUE(a.granted());
  EXPECT_TRUE(b.granted());
  EXPECT_FALSE(ConnectionPlace(limits, ip("192.0.2.1")).granted());
  ConnectionPlace c(limits, ip("192.0.2.2"));
  EXPECT_TRUE(c.granted());
  EXPECT_FALSE(ConnectionPlace(limits, ip("192.0.2.3")).granted());
  a.reset();
  ConnectionPlace d = std::move(b);
  EXPECT_EQ(limits.open(), 2U);
  EXPECT_TRUE(ConnectionPlace(limits, ip("192.0.2.1")).granted());
}

TEST(ConnectionLimits, OnlyTheTotalBoundsAnExemptAddress) {
  const auto proxy = base::IpAddress::v4({10, 0, 0, 1});
  ConnectionLimits limits(3, 1, {proxy});
  EXPECT_TRUE(limits.acquire(proxy));
  EXPECT_TRUE(limits.acquire(proxy));
  EXPECT_TRUE(limits.acquire(base::IpAddress::v4({10, 0, 0, 2})));
  EXPECT_FALSE(limits.acquire(proxy));
}

TEST(ConnectionLimits, CountsIpv6ByItsPrefix) {
  ConnectionLimits limits(10, 1);
  const ConnectionPlace a(limits, ip("2001:db8::1"));
  EXPECT_FALSE(ConnectionPlace(limits, ip("2001:db8::2")).granted());
  EXPECT_TRUE(ConnectionPlace(limits, ip("2001:db8:0:1::2")).granted());
}

TEST(Url, ReadsWhatAUserGives) {
  const auto url = Url::parse("https://talk.example/r/abc?x=1#code");
  ASSERT_TRUE(url.has_value());
  EXPECT_TRUE(url->secure);
  EXPECT_EQ(url->host, "talk.example");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/r/abc?x=1");
  EXPECT_EQ(url->fragment, "code");
  EXPECT_EQ(url->authority(), "talk.example");
  EXPECT_EQ(url->with_target("/v1/config").target, "/v1/config");
  EXPECT_EQ(Url::parse("http://[::1]:8080")->authority(), "[::1]:8080");
  EXPECT_EQ(Url::parse("ws://127.0.0.1:1/a")->port, 1);
  EXPECT_EQ(Url::parse("http://a?b")->target, "/?b");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text :
       {"", "talk.example", "ftp://a/", "http://", "http:///x", "http://a:0/", "http://a:65536/",
        "http://a:/", "http://user@a/", "http://a b/", "http://a/\r\nX: y", "http://[::1",
        "http://[a]/", "http://[127.0.0.1]/", "http://[::1]x/", "https://\x80/"})
    EXPECT_FALSE(Url::parse(text).has_value()) << text;
}

}  // namespace
}  // namespace alcove::net
