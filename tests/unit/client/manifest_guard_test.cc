#include "client/manifest_guard.h"

#include <gmock/gmock.h>

#include "client/known_servers.h"
#include "unit/client/test_manifest.h"

namespace alcove::client {
namespace {

using base::IpAddress;
using base::SocketAddress;
using base::TransportProtocol;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view kHouseName = "talk.example";

SocketAddress at(std::string_view ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

class ManifestGuardTest : public testing::Test {
 protected:
  std::string house(std::string_view ip, std::uint16_t port = 8080) {
    return message_of(guard.check({at(ip, port), TransportProtocol::kTcp, kHouseName}));
  }
  std::string media(std::string_view ip, std::uint16_t port,
                    TransportProtocol protocol = TransportProtocol::kUdp) {
    return message_of(guard.check({at(ip, port), protocol, {}}));
  }
  std::string answer(const std::string& candidate) {
    return message_of(guard.check_answer("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 X 111\r\n" +
                                         candidate + "\r\na=mid:0\r\n"));
  }
  static std::string message_of(const base::Result<void>& result) {
    if (result) return "";
    EXPECT_EQ(result.error().code, base::ErrorCode::kPermissionDenied);
    return result.error().message;
  }
  void accept() { ASSERT_EQ(message_of(guard.accept(test::verified(manifest))), ""); }

  v1::Manifest manifest = test::make_manifest(std::string(kHouseName));
  ManifestGuard guard{{false, std::string(kHouseName), 8080}};
};

TEST_F(ManifestGuardTest, KnowsOnlyTheNamedServerBeforeTheManifest) {
  EXPECT_TRUE(guard.check_host(kHouseName, 8080));
  EXPECT_EQ(house("198.51.100.10"), "");
  EXPECT_FALSE(guard.check_host(kHouseName, 80));
  EXPECT_FALSE(guard.check_host("other.example", 8080));
  EXPECT_THAT(house("198.51.100.10", 81), HasSubstr("is not the server that was named"));
  EXPECT_THAT(media("198.51.100.10", 7878), HasSubstr("198.51.100.10:7878 (UDP)"));
}

TEST_F(ManifestGuardTest, AllowsWhatTheManifestListsAndNothingElse) {
  const std::uint64_t before = guard.version();
  accept();
  EXPECT_NE(guard.version(), before);
  EXPECT_EQ(media("198.51.100.10", 7878), "");
  EXPECT_EQ(media("2001:db8:de::10", 7878, TransportProtocol::kTcp), "");
  EXPECT_NE(media("198.51.100.10", 7879), "");
  EXPECT_NE(media("203.0.113.7", 7878), "");
  EXPECT_NE(media("198.51.100.10", 8080, TransportProtocol::kTcp), "");
}

TEST_F(ManifestGuardTest, HoldsTheHouseToItsListedAddresses) {
  manifest.mutable_endpoints(0)->add_addresses("198.51.100.10");
  accept();
  EXPECT_EQ(house("198.51.100.10"), "");
  EXPECT_THAT(house("203.0.113.7"), AllOf(HasSubstr("talk.example resolved to 203.0.113.7"),
                                          HasSubstr("not among the addresses")));
}

TEST_F(ManifestGuardTest, RefusesAManifestThatDoesNotListWhereItCameFrom) {
  EXPECT_EQ(house("203.0.113.7"), "");
  manifest.mutable_endpoints(0)->add_addresses("198.51.100.10");
  EXPECT_THAT(message_of(guard.accept(test::verified(manifest))), HasSubstr("203.0.113.7"));
  EXPECT_EQ(guard.manifest(), nullptr);
  EXPECT_NE(media("198.51.100.10", 7878), "");
}

TEST_F(ManifestGuardTest, AnAddressThatDidNotAnswerIsPassedOverFromThenOn) {
  EXPECT_EQ(house("::1"), "");
  EXPECT_EQ(house("198.51.100.10"), "");
  manifest.mutable_endpoints(0)->add_addresses("198.51.100.10");
  accept();
  EXPECT_EQ(house("198.51.100.10"), "");
  EXPECT_THAT(house("::1"), HasSubstr("not among the addresses"));
}

TEST_F(ManifestGuardTest, RefusesAManifestOfAnotherServer) {
  EXPECT_EQ(house("198.51.100.10"), "");
  EXPECT_THAT(message_of(guard.accept(test::verified(test::make_manifest("other.example")))),
              HasSubstr("does not list http://talk.example:8080"));
  EXPECT_THAT(message_of(guard.accept(test::verified(test::make_manifest("talk.example", 443)))),
              HasSubstr("does not list"));
}

TEST_F(ManifestGuardTest, TakesTheHouseByItsAddressUnderAnotherName) {
  EXPECT_EQ(house("127.0.0.1"), "");
  v1::Manifest other = test::make_manifest("");
  other.mutable_endpoints(0)->add_addresses("127.0.0.1");
  EXPECT_EQ(message_of(guard.accept(test::verified(other))), "");
}

TEST_F(ManifestGuardTest, RefusesAnOlderManifest) {
  accept();
  manifest.set_serial(2);
  EXPECT_THAT(message_of(guard.accept(test::verified(manifest))), HasSubstr("older"));
}

TEST_F(ManifestGuardTest, TakesAnswersWithListedCandidatesAlone) {
  accept();
  EXPECT_EQ(answer("a=candidate:1 1 udp 1 198.51.100.10 7878 typ host"), "");
  EXPECT_EQ(answer("a=candidate:1 1 UDP 1 2001:db8:de::10 7878 typ host"), "");
  EXPECT_EQ(answer("a=candidate:1 1 tcp 1 198.51.100.10 7878 typ host tcptype passive"), "");
  EXPECT_EQ(answer("a=end-of-candidates"), "");
  EXPECT_THAT(answer("a=candidate:1 1 udp 1 203.0.113.7 7878 typ host"),
              AllOf(HasSubstr("203.0.113.7:7878 (UDP)"), HasSubstr("may not be contacted")));
  EXPECT_THAT(answer("a=candidate:1 1 tcp 1 203.0.113.7 7878 typ host tcptype passive"),
              HasSubstr("203.0.113.7:7878 (TCP)"));
  EXPECT_THAT(answer("a=candidate:1 1 udp 1 2001:db8:c::7 7878 typ host"),
              HasSubstr("[2001:db8:c::7]:7878"));
  EXPECT_THAT(answer("a=candidate:1 2 udp 1 203.0.113.7 7878 typ relay"), HasSubstr("203.0.113.7"));
  EXPECT_THAT(answer("a=candidate:1 1 udp 1 relay.denied.example 7878 typ host"),
              HasSubstr("\"relay.denied.example\" is a name"));
  // An IPv4 address in IPv6 is that address.
  EXPECT_NE(answer("a=candidate:1 1 udp 1 ::ffff:203.0.113.7 7878 typ host"), "");
  EXPECT_EQ(answer("a=candidate:1 1 udp 1 ::ffff:198.51.100.10 7878 typ host"), "");
}

TEST_F(ManifestGuardTest, RefusesCandidatesThatItCannotRead) {
  accept();
  for (const char* line : {"a=candidate:", "a=candidate:1 1 udp 1 198.51.100.10",
                           "a=candidate:1 1 udp 1 198.51.100.10 7878x typ host",
                           "a=candidate:1 1 sctp 1 198.51.100.10 7878 typ host",
                           "a=candidate:1  1 udp 1 198.51.100.10 7878 typ host",
                           "a=candidate:1 1 udp 1 198.51.100.10 70000 typ host"})
    EXPECT_NE(answer(line), "") << line;
  EXPECT_THAT(answer("a=candidate:\x1b[31m"), testing::Not(HasSubstr("\x1b")));
}

class OwnPolicyTest : public ManifestGuardTest {
 protected:
  OwnPolicyTest() {
    ManifestGuard::OwnPolicy own;
    own.policy = policy::parse_policy("[addresses]\ndeny = [\"203.0.113.0/24\"]\n").value();
    own.database = policy::GeoDatabase::empty();
    own_guard.emplace(ServerAddress{false, std::string(kHouseName), 8080}, std::move(own));
  }
  std::optional<ManifestGuard> own_guard;
};

TEST_F(OwnPolicyTest, DecidesBeforeTheFirstPacketToTheHouse) {
  EXPECT_TRUE(own_guard->check({at("198.51.100.10", 8080), TransportProtocol::kTcp, kHouseName}));
  EXPECT_THAT(
      message_of(own_guard->check({at("203.0.113.7", 8080), TransportProtocol::kTcp, kHouseName})),
      AllOf(HasSubstr("Your own policy does not allow it"), HasSubstr("203.0.113.7")));
}

TEST_F(OwnPolicyTest, GoesBeforeTheManifest) {
  manifest.mutable_endpoints(1)->add_addresses("203.0.113.7");
  ASSERT_TRUE(own_guard->accept(test::verified(manifest)));
  EXPECT_TRUE(own_guard->check({at("198.51.100.10", 7878), TransportProtocol::kUdp, {}}));
  EXPECT_THAT(message_of(own_guard->check({at("203.0.113.7", 7878), TransportProtocol::kUdp, {}})),
              HasSubstr("Your own policy"));
}

TEST(KnownServersTest, KeepsAKeyForEachServer) {
  KnownServers servers;
  EXPECT_FALSE(servers.find("https://a.example"));
  servers.set("https://a.example", test::manifest_hash(1));
  servers.set("https://b.example", test::manifest_hash(2));
  servers.set("https://a.example", test::manifest_hash(3));
  servers.set("not an origin", test::manifest_hash(1));
  const KnownServers read = KnownServers::parse("\nnonsense\n" + servers.text() + "c AAAA\n");
  EXPECT_EQ(read.find("https://a.example"), test::manifest_hash(3));
  EXPECT_EQ(read.find("https://b.example"), test::manifest_hash(2));
  EXPECT_FALSE(read.find("c"));
  EXPECT_FALSE(read.changed());
  EXPECT_EQ(servers.take_changes().size(), 2u);
  EXPECT_FALSE(servers.changed());
}

}  // namespace
}  // namespace alcove::client
