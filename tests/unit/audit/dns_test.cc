// DNS: what messages say, and what the inspector makes of it.

#include "audit/dns.h"

#include "names_harness.h"

namespace alcove::audit {
namespace {

using enum FindingCode;
using test::at;

const base::SocketAddress kPhone = at("192.168.1.23", 50000);
const base::SocketAddress kResolver = at("192.168.1.1", 53);

void add16(base::Buffer& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void add_name(base::Buffer& out, std::string_view name) {
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.push_back(static_cast<std::uint8_t>(dot));
    out.insert(out.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(0);
}
base::Buffer header(bool response, unsigned questions, unsigned answers) {
  base::Buffer out;
  add16(out, 7);
  add16(out, response ? 0x8180 : 0x0100);
  add16(out, questions);
  add16(out, answers);
  add16(out, 0);
  add16(out, 0);
  return out;
}
base::Buffer query(std::string_view name, unsigned type = 1) {
  base::Buffer out = header(false, 1, 0);
  add_name(out, name);
  add16(out, type);
  add16(out, 1);
  return out;
}
void add_record(base::Buffer& out, std::string_view name, unsigned type, base::Bytes data) {
  add_name(out, name);
  add16(out, type);
  add16(out, 1);
  add16(out, 0);
  add16(out, 60);
  add16(out, static_cast<unsigned>(data.size()));
  out.insert(out.end(), data.begin(), data.end());
}
base::Buffer answer(std::string_view name, std::string_view address) {
  base::Buffer out = header(true, 1, 1);
  add_name(out, name);
  add16(out, 1);
  add16(out, 1);
  add_record(out, name, 1, base::IpAddress::parse(address)->bytes());
  return out;
}

v1::Manifest one_house() {
  v1::Manifest manifest;
  auto& house = *manifest.add_endpoints();
  house.set_purpose(v1::ManifestEndpoint::PURPOSE_HOUSE);
  house.set_host("alcove.example");
  house.add_addresses("198.51.100.10");
  house.add_ports(443);
  house.set_protocol(v1::ManifestEndpoint::PROTOCOL_TCP);
  return manifest;
}

TEST(Dns, ReadsQuestionsAliasesAndHints) {
  base::Buffer out = header(true, 1, 4);
  add_name(out, "WWW.Example");
  add16(out, 1);
  add16(out, 1);
  const base::Buffer pointer = {0xc0, 12};
  base::Buffer alias;
  add_name(alias, "edge.example");
  add_record(out, "www.example", dns_type::kCname, alias);
  const std::array<std::uint8_t, 4> four = {198, 51, 100, 1};
  add_record(out, "edge.example", dns_type::kA, four);
  add_record(out, "edge.example", dns_type::kAaaa, base::IpAddress::parse("2001:db8::1")->bytes());
  base::Buffer service = {0, 1, 0, 0, 4, 0, 4, 198, 51, 100, 2};
  add_record(out, "edge.example", dns_type::kHttps, service);
  const auto message = parse_dns(out);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->response);
  EXPECT_EQ(message->questions[0].name, "www.example");
  ASSERT_EQ(message->records.size(), 4U);
  EXPECT_EQ(message->records[0].target, "edge.example");
  const auto addresses = addresses_of(*message, "www.example");
  ASSERT_EQ(addresses.size(), 3U);
  EXPECT_EQ(addresses[0].text(), "198.51.100.1");
  EXPECT_EQ(addresses[1].text(), "2001:db8::1");
  EXPECT_EQ(addresses[2].text(), "198.51.100.2");
}

TEST(Dns, FollowsPointersBackwardsOnly) {
  base::Buffer out = header(true, 1, 1);
  add_name(out, "a.example");
  add16(out, 1);
  add16(out, 1);
  out.insert(out.end(), {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 198, 51, 100, 1});
  const auto message = parse_dns(out);
  ASSERT_TRUE(message);
  ASSERT_EQ(message->records.size(), 1U);
  EXPECT_EQ(message->records[0].name, "a.example");
  base::Buffer loop = header(false, 1, 0);
  loop.insert(loop.end(), {0xc0, 12, 0, 1, 0, 1});
  EXPECT_FALSE(parse_dns(loop));
  base::Buffer forward = header(false, 1, 0);
  forward.insert(forward.end(), {0xc0, 18, 0, 1, 0, 1, 1, 'a', 0});
  EXPECT_FALSE(parse_dns(forward));
  base::Buffer ring = header(false, 1, 0);  // a label, then a pointer to it
  ring.insert(ring.end(), {1, 'a', 0xc0, 12, 0, 1, 0, 1});
  EXPECT_FALSE(parse_dns(ring));
}

TEST(Dns, EveryCutMessageIsRefusedOrRead) {
  const base::Buffer whole = answer("alcove.example", "198.51.100.10");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto message = parse_dns(base::Bytes(whole).first(size));
    EXPECT_TRUE(!message || message->records.empty());
  }
}

TEST(DnsInspector, QuestionsAreToldAndHeldAgainstTheManifest) {
  const v1::Manifest manifest = one_house();
  NamesHarness audit({}, nullptr, &manifest);
  test::CaptureBuilder capture;
  const auto listed = capture.udp(kPhone, kResolver, query("alcove.example"));
  capture.udp(kResolver, kPhone, answer("alcove.example", "198.51.100.10"));
  const auto other = capture.udp(kPhone, kResolver, query("qos.example.com"));
  const auto again = capture.udp(kPhone, kResolver, query("qos.example.com", 28));
  capture.udp(kPhone, kResolver, query("1.1.168.192.in-addr.arpa", 12));
  capture.udp(kPhone, kResolver, query("printer.lan"));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kCleartextDns, "alcove.example"), Packets{listed});
  EXPECT_EQ(audit.packets(kDnsNotInManifest), (Packets{other, again})) << audit.list();
  EXPECT_EQ(audit.packets(kManifestNameElsewhere), Packets{});
}

TEST(DnsInspector, AListedNameElsewhereIsTold) {
  const v1::Manifest manifest = one_house();
  NamesHarness audit({}, nullptr, &manifest);
  test::CaptureBuilder capture;
  const auto where = capture.udp(kResolver, kPhone, answer("alcove.example", "203.0.113.1"));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kManifestNameElsewhere, "alcove.example"), Packets{where});
}

TEST(DnsInspector, AnswersNameTheFlowsThatFollow) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  capture.udp(kPhone, kResolver, query("qos-america.agoralab.co"));
  capture.udp(kResolver, kPhone, answer("qos-america.agoralab.co", "198.51.100.77"));
  const auto ping = capture.udp(kPhone, at("198.51.100.77", 25000), "x");
  audit.run(capture);
  EXPECT_EQ(audit.packets(kVendorProtocol, "qos-america.agoralab.co"), Packets{ping});
}

TEST(DnsInspector, ReadsDnsOverTcpInAnyPieces) {
  const v1::Manifest manifest = one_house();
  NamesHarness audit({}, nullptr, &manifest);
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp tcp(capture, kPhone, kResolver);
  base::Buffer framed;
  for (const char* name : {"one.example.com", "two.example.com"}) {
    const base::Buffer message = query(name);
    add16(framed, static_cast<unsigned>(message.size()));
    framed.insert(framed.end(), message.begin(), message.end());
  }
  const std::uint64_t first = capture.size() + 1;
  for (const std::uint8_t byte : framed) tcp.send(base::Bytes(&byte, 1));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kDnsNotInManifest, "one.example.com"), Packets{first});
  EXPECT_EQ(audit.packets(kDnsNotInManifest, "two.example.com"),
            Packets{first + framed.size() / 2});
}

TEST(DnsInspector, NamesOnTheLocalNetworkAreToldButNotRandomOnes) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  const base::SocketAddress group = at("224.0.0.251", 5353);
  const auto device = capture.udp(at("192.168.1.23", 5353), group, query("Annas-iPhone.local"));
  capture.udp(at("192.168.1.23", 5353), group, query("0d6f0bb2-8f1f-4b3f-9f3e-6a0c3a1b2c3d.local"));
  capture.udp(at("192.168.1.23", 5353), group, query("_googlecast._tcp.local", 12));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kMdnsName, "annas-iphone.local"), Packets{device});
  EXPECT_EQ(audit.findings.size(), 1U) << audit.list();
  EXPECT_EQ(audit.grave(), "");
}

}  // namespace
}  // namespace alcove::audit
