#include "client/link.h"

#include <gtest/gtest.h>

namespace alcove::client {
namespace {

constexpr std::string_view kId = "AAECAwQFBgcICQoLDA0ODw";

std::string link_to(std::string_view origin, std::string_view rest = "") {
  return std::string(origin) + "/r/" + std::string(kId) + std::string(rest);
}

TEST(RoomLink, IsTakenApart) {
  const auto link = parse_room_link(link_to("https://Example.org", "#k=abc"));
  ASSERT_TRUE(link);
  EXPECT_TRUE(link->server.secure);
  EXPECT_EQ(link->server.host, "example.org");
  EXPECT_EQ(link->server.port, 443);
  EXPECT_EQ(link->room.text(), kId);
  EXPECT_EQ(link->fragment, "k=abc");
  EXPECT_EQ(link->server.origin(), "https://example.org");
}

TEST(RoomLink, HasPortsAndLiterals) {
  const auto local = parse_room_link(link_to("http://localhost:8080", "/"));
  ASSERT_TRUE(local);
  EXPECT_FALSE(local->server.secure);
  EXPECT_EQ(local->server.origin(), "http://localhost:8080");
  const auto six = parse_room_link(link_to("http://[2001:DB8::1]:8080"));
  ASSERT_TRUE(six);
  EXPECT_EQ(six->server.host, "2001:db8::1");
  EXPECT_EQ(six->server.port, 8080);
  EXPECT_EQ(six->server.origin(), "http://[2001:db8::1]:8080");
  EXPECT_EQ(parse_room_link(link_to("HTTP://192.0.2.1"))->server.origin(), "http://192.0.2.1");
}

TEST(RoomLink, RefusesWhatIsNone) {
  const std::string long_host(3000, 'a');
  for (const std::string& text :
       {std::string("not a link"), std::string(""), link_to("ftp://example.org"),
        std::string("https://example.org/"), std::string("https://example.org/r/short"),
        link_to("https://user@example.org"), link_to("https://example.org:0"),
        link_to("https://example.org:65536"), link_to("https://example.org:"), link_to("https://"),
        link_to("https://[::1"), link_to("https://[::1]8"), link_to("https://[192.0.2.1]"),
        link_to("https://exa mple.org"), link_to("https://example.org", "/more"),
        link_to("https://example.org", "?q"), link_to("https://example.org\r\nHost: other"),
        link_to("https://" + long_host)}) {
    const auto link = parse_room_link(text);
    EXPECT_FALSE(link) << text;
    if (!link) {
      EXPECT_EQ(link.error().code, base::ErrorCode::kInvalidArgument);
      EXPECT_FALSE(link.error().message.empty());
    }
  }
}

TEST(ServerAddress, MayLeaveOutHttps) {
  EXPECT_EQ(parse_server_address("example.org")->origin(), "https://example.org");
  EXPECT_EQ(parse_server_address("http://localhost:8080/")->origin(), "http://localhost:8080");
  EXPECT_FALSE(parse_server_address("https://example.org/r/x"));
  EXPECT_FALSE(parse_server_address("https://example.org#x"));
  EXPECT_FALSE(parse_server_address(""));
}

}  // namespace
}  // namespace alcove::client
