#include "policy/manifest.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <functional>

namespace alcove::policy {
namespace {

using testing::HasSubstr;
using Endpoint = v1::ManifestEndpoint;

const crypto::Ed25519PrivateKey& test_key() {
  static const auto key = crypto::Ed25519PrivateKey::from_seed({1, 2, 3});
  return key;
}

base::IpAddress ip(std::string_view text) { return *base::IpAddress::parse(text); }

v1::Manifest test_manifest() {
  v1::Manifest manifest;
  manifest.set_version(1);
  manifest.set_serial(7);
  manifest.set_created_at_ms(1'700'000'000'000);
  manifest.set_software("alcove 0.1.0");
  Endpoint& house = *manifest.add_endpoints();
  house.set_purpose(Endpoint::PURPOSE_HOUSE);
  house.set_host("alcove.example");
  house.add_addresses("198.51.100.7");
  house.add_addresses("2001:db8:de::7");
  house.add_ports(443);
  house.set_protocol(Endpoint::PROTOCOL_TCP);
  Endpoint& open_house = *manifest.add_endpoints();
  open_house.set_purpose(Endpoint::PURPOSE_HOUSE);
  open_house.set_host("moving.example");
  open_house.add_ports(443);
  open_house.set_protocol(Endpoint::PROTOCOL_TCP);
  Endpoint& relay = *manifest.add_endpoints();
  relay.set_purpose(Endpoint::PURPOSE_RELAY);
  relay.add_addresses("198.51.100.8");
  relay.add_ports(7878);
  relay.set_protocol(Endpoint::PROTOCOL_UDP);
  relay.set_country("DE");
  v1::WebFile& file = *manifest.add_web_files();
  file.set_path("/index.html");
  file.set_sha256(std::string(32, 'h'));
  return manifest;
}

std::string error_of(const std::function<void(v1::Manifest&)>& change) {
  v1::Manifest manifest = test_manifest();
  change(manifest);
  const auto verified = verify_manifest(sign_manifest(manifest, test_key()));
  return verified ? std::string() : verified.error().message;
}

TEST(Manifest, IsSignedAsDocumented) {
  const v1::SignedManifest manifest = sign_manifest(test_manifest(), test_key());
  std::string bytes = "alcove manifest v1";
  bytes.push_back('\0');
  bytes += manifest.manifest();
  const crypto::Ed25519Signature expected = test_key().sign(base::as_bytes(bytes));
  EXPECT_EQ(manifest.signature(), base::as_text(expected));
  const auto verified = verify_manifest(manifest);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->manifest.serial(), 7U);
  EXPECT_EQ(verified->key, test_key().public_key());
  EXPECT_EQ(verified->sha256, crypto::sha256(base::as_bytes(manifest.manifest())));
  EXPECT_EQ(manifest_key_hash(verified->key), crypto::sha256(test_key().public_key()));
}

TEST(Manifest, ChangedInFlightIsRefused) {
  const v1::SignedManifest good = sign_manifest(test_manifest(), test_key());
  for (std::size_t at = 0; at < good.manifest().size(); ++at) {
    v1::SignedManifest changed = good;
    (*changed.mutable_manifest())[at] ^= 1;
    EXPECT_FALSE(verify_manifest(changed)) << at;
  }
  v1::SignedManifest other = good;
  const auto other_key = crypto::Ed25519PrivateKey::from_seed({9});
  other.set_key(std::string(base::as_text(other_key.public_key())));
  EXPECT_THAT(verify_manifest(other).error().message, HasSubstr("signature does not fit"));
  other.set_key("short");
  EXPECT_THAT(verify_manifest(other).error().message, HasSubstr("32 bytes"));
  other = good;
  other.mutable_signature()->pop_back();
  EXPECT_THAT(verify_manifest(other).error().message, HasSubstr("64 bytes"));
}

TEST(Manifest, BoundsHoldForWhatIsSignedWell) {
  EXPECT_EQ(error_of([](v1::Manifest&) {}), "");
  EXPECT_THAT(error_of([](v1::Manifest& m) { m.set_version(2); }), HasSubstr("version"));
  EXPECT_THAT(error_of([](v1::Manifest& m) {
                for (int i = 0; i < 254; ++i) *m.add_endpoints() = m.endpoints(0);
              }),
              HasSubstr("256 endpoints"));
  EXPECT_THAT(error_of([](v1::Manifest& m) {
                for (int i = 0; i < 63; ++i) m.mutable_endpoints(0)->add_addresses("::1");
              }),
              HasSubstr("64 addresses"));
  EXPECT_THAT(error_of([](v1::Manifest& m) {
                for (int i = 0; i < 64; ++i) m.mutable_endpoints(0)->add_ports(1);
              }),
              HasSubstr("64 ports"));
  EXPECT_THAT(error_of([](v1::Manifest& m) {
                for (int i = 0; i < 4096; ++i) *m.add_web_files() = m.web_files(0);
              }),
              HasSubstr("4096 web files"));
  EXPECT_THAT(error_of([](v1::Manifest& m) { m.set_policy_toml(std::string(300'000, 'x')); }),
              HasSubstr("policy"));
  EXPECT_THAT(error_of([](v1::Manifest& m) {
                for (int i = 0; i < 4000; ++i) {
                  v1::WebFile& file = *m.add_web_files();
                  file.set_path("/" + std::string(400, 'x'));
                  file.set_sha256(std::string(32, 'h'));
                }
              }),
              HasSubstr("1 MiB"));
}

TEST(Manifest, EndpointsAreExact) {
  const auto endpoint = [](const std::function<void(Endpoint&)>& change) {
    return error_of([&](v1::Manifest& m) { change(*m.mutable_endpoints(0)); });
  };
  for (const char* bad : {"alcove.example.", "Alcove.example", "a..b", ".a", "a b", "a/b"})
    EXPECT_THAT(endpoint([&](Endpoint& e) { e.set_host(bad); }), HasSubstr("host")) << bad;
  EXPECT_EQ(endpoint([](Endpoint& e) { e.set_host("2001:db8::1"); }), "");
  for (const char* bad : {"localhost", "198.51.100.300", "fe80::1%eth0", "[::1]", ""})
    EXPECT_THAT(endpoint([&](Endpoint& e) { e.set_addresses(0, bad); }), HasSubstr("literal"))
        << bad;
  for (const std::uint32_t bad : {0U, 65'536U})
    EXPECT_THAT(endpoint([&](Endpoint& e) { e.set_ports(0, bad); }), HasSubstr("port"));
  EXPECT_THAT(endpoint([](Endpoint& e) { e.set_country("de"); }), HasSubstr("country"));
  EXPECT_THAT(endpoint([](Endpoint& e) { e.set_owner("a\nb"); }), HasSubstr("owner"));
  EXPECT_THAT(endpoint([](Endpoint& e) {
                e.clear_host();
                e.clear_addresses();
              }),
              HasSubstr("neither"));
}

TEST(Manifest, IsReadAsJsonAndAsProtobuf) {
  const v1::SignedManifest manifest = sign_manifest(test_manifest(), test_key());
  const std::string binary = manifest.SerializeAsString();
  EXPECT_TRUE(read_manifest(base::as_bytes(binary)));
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(manifest, &json).ok());
  EXPECT_TRUE(read_manifest(base::as_bytes("\n  " + json)));
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("{"),
                                 std::string("<html>"), binary.substr(0, binary.size() - 1),
                                 json.substr(0, json.size() - 2), std::string(2 << 20, ' ')})
    EXPECT_FALSE(read_manifest(base::as_bytes(bad)));
}

TEST(Manifest, FindsRelaysByAddressPortAndProtocol) {
  const v1::Manifest m = test_manifest();
  const auto relay = Endpoint::PURPOSE_RELAY;
  EXPECT_NE(find_endpoint(m, relay, {ip("198.51.100.8"), 7878}, Transport::kUdp), nullptr);
  EXPECT_NE(find_endpoint(m, relay, {ip("::ffff:198.51.100.8"), 7878}, Transport::kUdp), nullptr);
  EXPECT_EQ(find_endpoint(m, relay, {ip("198.51.100.8"), 7879}, Transport::kUdp), nullptr);
  EXPECT_EQ(find_endpoint(m, relay, {ip("198.51.100.9"), 7878}, Transport::kUdp), nullptr);
  EXPECT_EQ(find_endpoint(m, relay, {ip("198.51.100.8"), 7878}, Transport::kTcp), nullptr);
  EXPECT_EQ(find_endpoint(m, Endpoint::PURPOSE_HOUSE, {ip("198.51.100.8"), 7878}, Transport::kUdp),
            nullptr);
}

TEST(Manifest, FindsTheHouseByNameAndLiteral) {
  const v1::Manifest m = test_manifest();
  const Endpoint* house = find_house(m, "Alcove.Example.");
  ASSERT_NE(house, nullptr);
  EXPECT_EQ(find_house(m, "198.51.100.7"), house);
  EXPECT_EQ(find_house(m, "2001:DB8:de:0::7"), house);
  for (const char* other : {"", ".", "example", "alcove.example.org", "198.51.100.8", "::1"})
    EXPECT_EQ(find_house(m, other), nullptr) << other;
  EXPECT_TRUE(lists_address(*house, ip("198.51.100.7")));
  EXPECT_FALSE(lists_address(*house, ip("203.0.113.7")));
  const Endpoint* moving = find_house(m, "moving.example");
  ASSERT_NE(moving, nullptr);
  EXPECT_TRUE(lists_address(*moving, ip("203.0.113.7")));
  Endpoint literal;
  literal.set_host("::1");
  EXPECT_TRUE(lists_address(literal, ip("::1")));
  EXPECT_FALSE(lists_address(literal, ip("::2")));
}

}  // namespace
}  // namespace alcove::policy
