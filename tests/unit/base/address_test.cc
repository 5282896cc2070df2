#include "base/address.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace alcove::base {
namespace {

IpAddress ip(const char* text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress{});
}

TEST(IpAddress, TextRoundTrip) {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
                           "fe80::1", "2001:db8:1:2:3:4:5:6"})
    EXPECT_EQ(ip(text).text(), text);
  EXPECT_EQ(ip("2001:DB8:0:0::1").text(), "2001:db8::1");
}

TEST(IpAddress, OnlyLiterals) {
  for (const char* text : {"", " ", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ",
                           "[::1]", "fe80::1%eth0", "localhost", "1", "::1::", "12345::",
                           "1.2.3.4/8", "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0.5", 10)));
}

TEST(IpAddress, MappedIsV4) {
  const IpAddress mapped = ip("::ffff:192.0.2.1");
  EXPECT_TRUE(mapped.is_v4());
  EXPECT_EQ(mapped, ip("192.0.2.1"));
  EXPECT_EQ(mapped.bytes().size(), 4U);
  EXPECT_EQ(ip("2001:db8::1").bytes().size(), 16U);
}

TEST(IpAddress, Kinds) {
  EXPECT_TRUE(ip("127.0.0.1").is_loopback());
  EXPECT_TRUE(ip("127.255.0.9").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("::2").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback());
  EXPECT_FALSE(ip("2001:db8::1").is_loopback());
  EXPECT_TRUE(ip("169.254.1.1").is_link_local());
  EXPECT_TRUE(ip("fe80::1").is_link_local());
  EXPECT_TRUE(ip("febf::1").is_link_local());
  EXPECT_FALSE(ip("fec0::1").is_link_local());
  EXPECT_FALSE(ip("169.253.1.1").is_link_local());
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
}

TEST(SocketAddress, Text) {
  EXPECT_EQ((SocketAddress{ip("192.0.2.1"), 7878}).text(), "192.0.2.1:7878");
  EXPECT_EQ((SocketAddress{ip("2001:db8::1"), 1}).text(), "[2001:db8::1]:1");
}

TEST(Path, EveryPartDistinguishes) {
  const Path base{TransportProtocol::kUdp, {ip("192.0.2.1"), 1}, {ip("192.0.2.2"), 2}, 0};
  std::vector<Path> paths(7, base);
  paths[1].protocol = TransportProtocol::kTcp;
  paths[2].local.port = 9;
  paths[3].remote.port = 9;
  paths[4].remote.ip = ip("192.0.2.3");
  paths[5].connection = 1;
  paths[6].local.ip = ip("::");
  std::unordered_set<Path> all(paths.begin(), paths.end());
  EXPECT_EQ(all.size(), paths.size());
  std::unordered_set<std::size_t> hashes;
  for (const Path& path : paths) hashes.insert(std::hash<Path>{}(path));
  EXPECT_EQ(hashes.size(), paths.size());
  EXPECT_TRUE(all.contains(base));
}

}  // namespace
}  // namespace alcove::base
