#include "alcove/manifest_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/manifest.h"

namespace alcove::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Endpoint = v1::ManifestEndpoint;

base::IpAddress ip(std::string_view text) { return *base::IpAddress::parse(text); }

std::vector<base::IpAddress> machine() {
  return {ip("198.51.100.7"), ip("2001:db8:de::7"), ip("127.0.0.1"), ip("::1")};
}

v1::Manifest manifest_of(const Config& config, const std::vector<base::SocketAddress>& listen) {
  const policy::EndpointGate gate({}, policy::GeoDatabase::empty());
  ManifestContent content{.relays = {{{ip("198.51.100.7"), 7878}, policy::Transport::kUdp},
                                     {{ip("2001:db8:de::7"), 7878}, policy::Transport::kUdp},
                                     {{ip("198.51.100.7"), 7878}, policy::Transport::kTcp}},
                          .houses = make_houses(config, listen, machine(), "studio"),
                          .web_files = {},
                          .software = "alcove 0.1.0"};
  return make_manifest(content, gate);
}

bool is_house(const v1::Manifest& manifest, std::string_view host, std::uint32_t port) {
  const Endpoint* house = policy::find_house(manifest, host);
  return house != nullptr && std::ranges::find(house->ports(), port) != house->ports().end();
}

TEST(ManifestContent, ByDefaultThisMachineByAllItsNames) {
  const v1::Manifest local = manifest_of(Config(), {{ip("127.0.0.1"), 8080}, {ip("::1"), 8080}});
  for (const char* host : {"localhost", "127.0.0.1", "::1"})
    EXPECT_TRUE(is_house(local, host, 8080)) << host;
  for (const char* host : {"studio", "198.51.100.7"})
    EXPECT_FALSE(is_house(local, host, 8080)) << host << " is not listened to";
  const v1::Manifest open = manifest_of(Config(), {{ip("0.0.0.0"), 80}, {ip("::"), 80}});
  for (const char* host :
       {"localhost", "127.0.0.1", "::1", "studio", "198.51.100.7", "2001:db8:de::7"})
    EXPECT_TRUE(is_house(open, host, 80)) << host;
  EXPECT_TRUE(policy::lists_address(*policy::find_house(open, "studio"), ip("127.0.1.1")));
  EXPECT_FALSE(policy::lists_address(*policy::find_house(open, "studio"), ip("203.0.113.1")));
  EXPECT_FALSE(policy::lists_address(*policy::find_house(open, "localhost"), ip("198.51.100.7")));
  EXPECT_TRUE(policy::verify_manifest(
      policy::sign_manifest(open, crypto::Ed25519PrivateKey::from_seed({1}))));
}

TEST(ManifestContent, PublicHostsTakeThePlaceOfWhatIsFound) {
  Config config;
  ASSERT_TRUE(apply_setting(config, "http.public_hosts",
                            "alcove.example, alcove.example:8443, fixed.example=198.51.100.7, "
                            "fixed.example=[2001:db8:de::7], 198.51.100.7:443"));
  const v1::Manifest m = manifest_of(config, {{ip("0.0.0.0"), 8080}, {ip("::"), 8080}});
  EXPECT_TRUE(is_house(m, "alcove.example", 8443));
  EXPECT_TRUE(policy::lists_address(*policy::find_house(m, "alcove.example"), ip("192.0.2.1")));
  EXPECT_TRUE(is_house(m, "fixed.example", 443));
  EXPECT_TRUE(is_house(m, "fixed.example", 8080));
  EXPECT_THAT(policy::find_house(m, "fixed.example")->addresses(),
              ElementsAre("198.51.100.7", "2001:db8:de::7"));
  EXPECT_TRUE(is_house(m, "localhost", 8080));
  EXPECT_EQ(policy::find_house(m, "studio"), nullptr);
  Config literal;
  ASSERT_TRUE(apply_setting(literal, "http.public_hosts", "alcove.example"));
  const v1::Manifest bound = manifest_of(literal, {{ip("2001:db8:de::7"), 443}});
  EXPECT_TRUE(is_house(bound, "2001:db8:de::7", 443)) << "listened to by address";
  const v1::Manifest both =
      manifest_of(literal, {{ip("198.51.100.7"), 80}, {ip("198.51.100.7"), 443}});
  EXPECT_TRUE(is_house(both, "198.51.100.7", 80));
  EXPECT_TRUE(is_house(both, "198.51.100.7", 443));
}

TEST(ManifestContent, RelaysShareAnEndpointByPortAndProtocol) {
  const v1::Manifest m = manifest_of(Config(), {{ip("127.0.0.1"), 8080}});
  std::vector<int> sizes;
  for (const Endpoint& endpoint : m.endpoints())
    if (endpoint.purpose() == Endpoint::PURPOSE_RELAY) sizes.push_back(endpoint.addresses_size());
  EXPECT_THAT(sizes, ElementsAre(2, 1));
  EXPECT_NE(policy::find_endpoint(m, Endpoint::PURPOSE_RELAY, {ip("2001:db8:de::7"), 7878},
                                  policy::Transport::kUdp),
            nullptr);
  EXPECT_EQ(policy::find_endpoint(m, Endpoint::PURPOSE_RELAY, {ip("2001:db8:de::7"), 7878},
                                  policy::Transport::kTcp),
            nullptr);
}

TEST(ManifestContent, ChangesAreToldInWords) {
  const v1::Manifest last = manifest_of(Config(), {{ip("127.0.0.1"), 8080}});
  v1::Manifest next = last;
  next.set_serial(9);
  next.set_created_at_ms(9);
  EXPECT_THAT(changes_between(&last, next), IsEmpty());
  next.set_policy_toml("[location]\n");
  auto changes = changes_between(&last, next);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind(), v1::TransparencyEntry::KIND_POLICY);
  EXPECT_EQ(changes[0].summary(), "the policy changed");
  next.mutable_database()->set_date("2026-06-17");
  EXPECT_THAT(changes_between(&last, next)[0].summary(), HasSubstr("and the database"));
  Endpoint& relay = *next.add_endpoints();
  relay.set_purpose(Endpoint::PURPOSE_RELAY);
  relay.set_protocol(Endpoint::PROTOCOL_UDP);
  relay.add_addresses("198.51.100.9");
  relay.add_ports(7878);
  changes = changes_between(&last, next);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].kind(), v1::TransparencyEntry::KIND_MANIFEST);
  EXPECT_EQ(changes[1].summary(), "relay udp 198.51.100.9 port 7878 added");
  next = last;
  next.add_web_files()->set_path("/index.html");
  EXPECT_THAT(changes_between(&last, next)[0].summary(), HasSubstr("web files changed, now 1"));
  EXPECT_THAT(changes_between(&next, last)[0].summary(), HasSubstr("web files changed, now 0"));
  EXPECT_EQ(changes_between(nullptr, last).size(), 1U);
  for (std::uint32_t i = 1; i < 200; ++i) relay.add_ports(i);
  next = last;
  for (int i = 0; i < 200; ++i) {
    Endpoint& more = *next.add_endpoints();
    more.set_host("host" + std::to_string(i) + ".example");
    more.add_ports(443);
  }
  changes = changes_between(&last, next);
  EXPECT_LE(changes[0].summary().size(), 2000U);
  EXPECT_THAT(changes[0].summary(), HasSubstr("more"));
}

TEST(PublicHosts, AreExact) {
  const auto host = [](std::string_view text) { return parse_public_host(text); };
  EXPECT_EQ(host("Alcove.Example:8443")->host, "alcove.example");
  EXPECT_THAT(host("alcove.example:8443")->ports, ElementsAre(8443));
  EXPECT_EQ(host("[2001:DB8::1]:443")->host, "2001:db8::1");
  EXPECT_THAT(host("[2001:db8::1]")->addresses, ElementsAre(ip("2001:db8::1")));
  EXPECT_THAT(host("198.51.100.7")->addresses, ElementsAre(ip("198.51.100.7")));
  EXPECT_THAT(host("a.example:1=2001:db8::1")->addresses, ElementsAre(ip("2001:db8::1")));
  for (const char* bad :
       {"", ":443", "a.example:0", "a.example:x", "a.example:65536", "https://a.example", "a b",
        "a.example.", "a..b", "2001:db8::1", "[127.0.0.1]", "[::1", "[::1]443", "1.2.3",
        "a.example=", "a.example=b.example", "198.51.100.7=198.51.100.8", "a_\xc3\xa9.example"})
    EXPECT_FALSE(host(bad)) << bad;
  Config config;
  EXPECT_FALSE(apply_setting(config, "http.public_hosts", "a.example,http://b"));
  EXPECT_THAT(config.http.public_hosts, IsEmpty());
}

}  // namespace
}  // namespace alcove::app
