// Where packets went: each finding with the packets that it names, and the twin without it.

#include "audit/where_inspector.h"

#include "names_harness.h"
#include "support/test_geo.h"

namespace alcove::audit {
namespace {

using enum FindingCode;
using test::at;

const base::SocketAddress kPhone = at("192.168.1.23", 50000);

class Where : public ::testing::Test {
 protected:
  NamesHarness audit(const v1::Manifest* manifest = nullptr) {
    return NamesHarness({}, &policy_, manifest, geo_.get());
  }
  static v1::Manifest manifest() {
    v1::Manifest manifest;
    auto& house = *manifest.add_endpoints();
    house.set_purpose(v1::ManifestEndpoint::PURPOSE_HOUSE);
    house.set_host("alcove.example");
    house.add_addresses("198.51.100.10");
    house.add_ports(443);
    house.set_protocol(v1::ManifestEndpoint::PROTOCOL_TCP);
    auto& relay = *manifest.add_endpoints();
    relay.set_purpose(v1::ManifestEndpoint::PURPOSE_RELAY);
    relay.add_addresses("198.51.100.11");
    relay.add_ports(7878);
    relay.set_protocol(v1::ManifestEndpoint::PROTOCOL_UDP);
    auto& named = *manifest.add_endpoints();
    named.set_purpose(v1::ManifestEndpoint::PURPOSE_HOUSE);
    named.set_host("cdn.example");
    named.add_ports(8443);
    named.set_protocol(v1::ManifestEndpoint::PROTOCOL_TCP);
    return manifest;
  }

  const policy::Policy policy_ = test::test_policy();
  const std::unique_ptr<policy::GeoDatabase> geo_ = test::open_test_geo();
};

base::Buffer icmp(std::uint8_t type) { return {type, 0, 0, 0, 0, 1, 0, 1}; }

base::Buffer fragment_of(std::string_view source, std::string_view destination) {
  const base::Buffer part(64, 7);
  base::Buffer packet = test::ip_packet(*base::IpAddress::parse(source),
                                        *base::IpAddress::parse(destination), 17, part);
  packet[4] = 0x12;  // identification
  packet[6] = 0x20;  // more fragments
  return packet;
}

TEST_F(Where, EveryPacketToADeniedCountryCounts) {
  NamesHarness names = audit();
  test::CaptureBuilder capture;
  capture.udp(kPhone, at("198.51.100.7", 4000), "fine");
  const auto ping = capture.ip(test::ip_packet(kPhone.ip, *base::IpAddress::parse("203.0.113.5"),
                                               ip_protocol::kIcmp, icmp(8)));
  const auto pong = capture.ip(test::ip_packet(*base::IpAddress::parse("203.0.113.5"), kPhone.ip,
                                               ip_protocol::kIcmp, icmp(0)));
  const auto syn = capture.ip(test::tcp_packet(kPhone, at("203.0.113.6", 443), 1, 0, 0x02, {}));
  const auto part = capture.ip(fragment_of("192.168.1.23", "203.0.113.7"));
  const auto six = capture.udp(at("fd00::2", 5000), at("2001:db8:c::9", 8000), "x");
  names.run(capture);
  EXPECT_EQ(names.packets(kDeniedCountry, "203.0.113.5/icmp"), (Packets{ping, pong}));
  EXPECT_EQ(names.packets(kDeniedCountry, "203.0.113.6:443/tcp"), Packets{syn});
  EXPECT_EQ(names.packets(kDeniedCountry, "203.0.113.7/udp"), Packets{part});
  EXPECT_EQ(names.packets(kDeniedCountry, "[2001:db8:c::9]:8000/udp"), Packets{six});
  EXPECT_EQ(names.findings.size(), 4U) << names.list();
  const auto finding = names.find(kDeniedCountry, "203.0.113.6:443/tcp");
  EXPECT_EQ(finding->evidence[0].excerpt, "TCP SYN");
  EXPECT_NE(finding->detail_en.find("China"), std::string::npos) << finding->detail_en;
  EXPECT_FALSE(finding->detail_fr.empty());
}

TEST_F(Where, WhatComesFromADeniedCountryCountsForADeviceWithAPublicAddress) {
  NamesHarness names = audit();
  test::CaptureBuilder capture;
  const base::SocketAddress device = at("198.51.100.50", 50000);
  capture.udp(device, at("198.51.100.7", 4000), "fine");
  const auto called = capture.udp(at("203.0.113.5", 9000), device, "hello");
  const auto error = capture.ip(test::ip_packet(*base::IpAddress::parse("203.0.113.6"), device.ip,
                                                ip_protocol::kIcmp, icmp(3)));
  names.run(capture);
  EXPECT_EQ(names.packets(kDeniedCountry), (Packets{called, error})) << names.list();
}

TEST_F(Where, ADevicesOwnAddressIsNotWhatItTalksTo) {
  NamesHarness names = audit();
  test::CaptureBuilder capture;
  const base::SocketAddress device = at("203.0.113.50", 50000);
  const auto first = capture.udp(device, at("198.51.100.7", 4000), "fine");
  capture.udp(device, at("198.51.100.8", 4000), "fine");
  capture.udp(device, at("198.51.100.9", 4000), "fine");
  names.run(capture);
  // Of the first flow nobody can say which end is the device's: the denied one is told.
  EXPECT_EQ(names.packets(kDeniedCountry), Packets{first}) << names.list();
}

TEST_F(Where, OwnersAnycastAndUnknownHaveTheirOwnCodes) {
  NamesHarness names = audit();
  test::CaptureBuilder capture;
  const auto owner = capture.udp(kPhone, at("192.0.2.10", 4000), "a");
  const auto anycast = capture.udp(kPhone, at("192.0.2.140", 4000), "a");
  const auto unknown = capture.udp(kPhone, at("100.200.1.1", 4000), "a");
  names.run(capture);
  EXPECT_EQ(names.packets(kDeniedOwner, "192.0.2.10:4000/udp"), Packets{owner});
  EXPECT_EQ(names.packets(kAnycast, "192.0.2.140:4000/udp"), Packets{anycast});
  EXPECT_EQ(names.packets(kDeniedUnknown, "100.200.1.1:4000/udp"), Packets{unknown});
}

TEST_F(Where, CountsBeyondTheEvidence) {
  NamesHarness names = audit();
  test::CaptureBuilder capture;
  for (int i = 0; i < 100; ++i) capture.udp(kPhone, at("203.0.113.5", 25000), "ping");
  names.run(capture);
  const auto finding = names.find(kDeniedCountry);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->count, 100U);
  EXPECT_EQ(finding->evidence.size(), Findings::kMaxEvidence);
  EXPECT_EQ(finding->last_packet, 100U);
}

TEST_F(Where, TheLocalLinkHasNoJurisdiction) {
  const v1::Manifest listed = manifest();
  NamesHarness names = audit(&listed);
  test::CaptureBuilder capture;
  capture.udp(at("0.0.0.0", 68), at("255.255.255.255", 67), "dhcp");
  capture.udp(at("192.168.1.23", 68), at("192.168.1.1", 67), "dhcp");
  capture.udp(kPhone, at("239.255.255.250", 1900), "ssdp");
  capture.udp(at("fe80::1", 5000), at("ff02::fb", 5353), "mdns");
  capture.udp(at("169.254.1.1", 5000), at("169.254.1.2", 5000), "link");
  capture.udp(kPhone, at("192.168.1.1", 53), "dns");
  capture.udp(at("127.0.0.1", 5000), at("127.0.0.1", 6000), "loop");
  capture.ip(test::ip_packet(*base::IpAddress::parse("fe80::1"), *base::IpAddress::parse("ff02::1"),
                             ip_protocol::kIcmp6, icmp(135)));
  capture.ip(test::ip_packet(*base::IpAddress::parse("198.51.100.99"), kPhone.ip,
                             ip_protocol::kIcmp, icmp(11)));  // a router on the way
  names.run(capture);
  EXPECT_EQ(names.list(), "");
}

TEST_F(Where, EndpointsOutsideTheManifestAreTold) {
  const v1::Manifest listed = manifest();
  NamesHarness names = audit(&listed);
  test::CaptureBuilder capture;
  capture.udp(kPhone, at("198.51.100.11", 7878), "listed");
  capture.udp(at("198.51.100.11", 7878), kPhone, "listed");
  const auto port = capture.udp(kPhone, at("198.51.100.11", 7879), "another port");
  const auto protocol =
      capture.ip(test::tcp_packet(kPhone, at("198.51.100.11", 7878), 1, 0, 2, {}));
  const auto host = capture.udp(kPhone, at("198.51.100.12", 7878), "another host");
  const auto home = capture.udp(kPhone, at("192.168.1.50", 7878), "next door");
  const auto resolver = capture.udp(kPhone, at("198.51.100.53", 53), "public resolver");
  const auto ping = capture.ip(test::ip_packet(kPhone.ip, *base::IpAddress::parse("198.51.100.13"),
                                               ip_protocol::kIcmp, icmp(8)));
  capture.ip(test::ip_packet(kPhone.ip, *base::IpAddress::parse("198.51.100.11"),
                             ip_protocol::kIcmp, icmp(8)));
  names.run(capture);
  EXPECT_EQ(names.packets(kNotInManifest, "198.51.100.11:7879/udp"), Packets{port});
  EXPECT_EQ(names.packets(kNotInManifest, "198.51.100.11:7878/tcp"), Packets{protocol});
  EXPECT_EQ(names.packets(kNotInManifest, "198.51.100.12:7878/udp"), Packets{host});
  EXPECT_EQ(names.packets(kNotInManifest, "192.168.1.50:7878/udp"), Packets{home});
  EXPECT_EQ(names.packets(kNotInManifest, "198.51.100.53:53/udp"), Packets{resolver});
  EXPECT_EQ(names.packets(kNotInManifest, "198.51.100.13/icmp"), Packets{ping});
  EXPECT_EQ(names.packets(kNotInManifest).size(), 6U) << names.list();
}

TEST_F(Where, ANameWithoutAddressesIsJudgedByTheNameThatWasUsed) {
  const v1::Manifest listed = manifest();
  NamesHarness names = audit(&listed);
  names.names.learn(*base::IpAddress::parse("198.51.100.20"), "cdn.example");
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp good(capture, at("192.168.1.23", 50001), at("198.51.100.20", 8443));
  good.send("hello");
  const auto first = capture.size() + 1;
  for (int i = 0; i < 4; ++i) {
    test::CaptureBuilder::Tcp bad(capture, at("192.168.1.23", 50002), at("198.51.100.21", 8443));
    bad.close();
  }
  const auto last = capture.size();
  names.run(capture);
  const auto finding = names.find(kNotInManifest, "198.51.100.21:8443/tcp");
  ASSERT_TRUE(finding) << names.list();
  EXPECT_EQ(finding->count, last - first + 1);
  EXPECT_EQ(finding->evidence.front().packet, first);
  EXPECT_EQ(finding->last_packet, last);
  EXPECT_EQ(names.packets(kNotInManifest, "198.51.100.20:8443/tcp"), Packets{});
}

TEST_F(Where, AListedNameAtADeniedAddressIsNotListed) {
  const v1::Manifest listed = manifest();
  NamesHarness names = audit(&listed);
  names.names.learn(*base::IpAddress::parse("203.0.113.20"), "cdn.example");
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp bad(capture, at("192.168.1.23", 50001), at("203.0.113.20", 8443));
  names.run(capture);
  EXPECT_EQ(names.packets(kNotInManifest), (Packets{1, 2, 3}));
  EXPECT_EQ(names.packets(kDeniedCountry), (Packets{1, 2, 3}));
}

TEST_F(Where, ACaptureAtTheServerKnowsItsOwnEndpoint) {
  const v1::Manifest listed = manifest();
  NamesHarness names = audit(&listed);
  test::CaptureBuilder capture;
  // The relay's packet comes first: which end is the client cannot be told from it.
  capture.udp(at("198.51.100.11", 7878), at("198.51.100.200", 40000), "media");
  capture.udp(at("198.51.100.200", 40000), at("198.51.100.11", 7878), "media");
  names.run(capture);
  EXPECT_EQ(names.list(), "");
}

}  // namespace
}  // namespace alcove::audit
