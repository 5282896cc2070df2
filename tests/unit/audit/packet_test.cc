#include "audit/packet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "audit/link_layer.h"
#include "base/random.h"
#include "base/text.h"
#include "support/capture_builder.h"

namespace alcove::audit {
namespace {

using test::at;

const base::SocketAddress kSource = at("198.51.100.2", 40000);
const base::SocketAddress kTarget = at("203.0.113.7", 3478);
const base::SocketAddress kSource6 = at("2001:db8:de::2", 40000);
const base::SocketAddress kTarget6 = at("2001:db8:c::7", 3478);

base::Buffer join(std::initializer_list<base::Bytes> parts) {
  base::Buffer out;
  for (const base::Bytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}
base::Buffer hex(std::string_view text) { return *base::from_hex(text); }

class PacketTest : public testing::Test {
 protected:
  const Packet* decode(LinkType type, base::Bytes bytes, std::uint32_t sent = 0) {
    Frame frame;
    frame.number = ++number_;
    frame.time = time_;
    frame.link_type = type;
    frame.bytes = bytes;
    frame.wire_length = std::max(sent, static_cast<std::uint32_t>(bytes.size()));
    return decoder_.decode(frame);
  }
  const Packet* decode_ip(base::Bytes bytes, std::uint32_t sent = 0) {
    return decode(LinkType::kRaw, bytes, sent);
  }
  const PacketDecoder::Counters& counters() const { return decoder_.counters(); }

  PacketDecoder decoder_;
  std::uint64_t number_ = 0;
  CaptureTime time_{std::chrono::seconds(1000)};
  base::Buffer udp_ = test::udp_packet(kSource, kTarget, base::as_bytes("hello"));
  base::Buffer udp6_ = test::udp_packet(kSource6, kTarget6, base::as_bytes("hello"));
};

TEST_F(PacketTest, EveryLinkLayer) {
  const base::Buffer macs = hex("020000000001020000000002");
  struct Case {
    const char* name;
    LinkType type;
    base::Buffer header;
    bool v6 = false;
  };
  const std::vector<Case> cases = {
      {"Ethernet", LinkType::kEthernet, join({macs, hex("0800")})},
      {"Ethernet, IPv6", LinkType::kEthernet, join({macs, hex("86dd")}), true},
      {"802.1Q", LinkType::kEthernet, join({macs, hex("8100000a0800")})},
      {"802.1ad", LinkType::kEthernet, join({macs, hex("88a800058100000a86dd")}), true},
      {"three old tags", LinkType::kEthernet, join({macs, hex("9100000191000002910000030800")})},
      {"MPLS", LinkType::kEthernet, join({macs, hex("88470001004000010140")})},
      {"PPPoE", LinkType::kEthernet, join({macs, hex("88641100000100230021")})},
      {"PPPoE, IPv6", LinkType::kEthernet, join({macs, hex("88641100000100370057")}), true},
      {"SNAP", LinkType::kEthernet, join({macs, hex("0029aaaa030000000800")})},
      {"cooked", LinkType::kLinuxCooked, hex("00000001000602000000000100000800")},
      {"cooked, 802.1Q", LinkType::kLinuxCooked, hex("00000001000602000000000100008100000a86dd"),
       true},
      {"cooked 2", LinkType::kLinuxCooked2, hex("86dd000000000002000100060200000000010000"), true},
      {"raw", LinkType::kRaw, {}},
      {"raw", LinkType::kRawBsd12, {}, true},
      {"raw", LinkType::kRawBsd14, {}},
      {"IPv4", LinkType::kIpv4, {}},
      {"IPv6", LinkType::kIpv6, {}, true},
      {"null, little-endian", LinkType::kNull, hex("02000000")},
      {"null, big-endian", LinkType::kNull, hex("00000002")},
      {"null, FreeBSD", LinkType::kNull, hex("1c000000"), true},
      {"null, macOS", LinkType::kNull, hex("1e000000"), true},
      {"null, OpenBSD", LinkType::kNull, hex("00000018"), true},
      {"loop", LinkType::kLoop, hex("00000002")},
  };
  for (const Case& c : cases) {
    const base::Buffer frame = join({c.header, c.v6 ? udp6_ : udp_, hex("00000000")});
    const Packet* packet = decode(c.type, frame);
    ASSERT_NE(packet, nullptr) << c.name;
    EXPECT_EQ(packet->source, c.v6 ? kSource6 : kSource) << c.name;
    EXPECT_EQ(packet->destination, c.v6 ? kTarget6 : kTarget) << c.name;
    EXPECT_EQ(packet->protocol, ip_protocol::kUdp);
    EXPECT_EQ(base::as_text(packet->payload), "hello") << c.name;
    EXPECT_EQ(packet->wire_length, c.v6 ? 53u : 33u);
    EXPECT_EQ(packet->payload_length, 5u);
    EXPECT_FALSE(packet->cut);
    // Every beginning of it is refused, or told to be cut.
    for (std::size_t size = 0; size < c.header.size() + 20; ++size)
      EXPECT_EQ(decode(c.type, base::Bytes(frame).first(size)), nullptr) << c.name << size;
  }
}

TEST_F(PacketTest, WhatIsNotIp) {
  EXPECT_EQ(decode(LinkType::kEthernet, hex("ffffffffffff0200000000010806000108000604")), nullptr);
  EXPECT_EQ(decode(LinkType::kEthernet, hex("0180c20000000200000000010026424203000000")), nullptr);
  EXPECT_EQ(decode(LinkType::kNull, hex("0500000045")), nullptr);
  EXPECT_EQ(counters().not_ip, 3u);
  EXPECT_EQ(decode(static_cast<LinkType>(147), udp_), nullptr);
  EXPECT_EQ(counters().unknown_link_type, 1u);
  base::Buffer tags = hex("020000000001020000000002");
  for (int i = 0; i < 1000; ++i) tags = join({tags, hex("81000001")});
  EXPECT_EQ(decode(LinkType::kEthernet, tags), nullptr);
  EXPECT_EQ(decode_ip(hex("50")), nullptr);
  EXPECT_EQ(counters().malformed, 2u);
  EXPECT_EQ(counters().packets, 0u);
}

TEST_F(PacketTest, Ipv4Options) {
  base::Buffer packet = udp_;
  packet[0] = 0x46;
  packet[3] += 4;
  const base::Buffer options = hex("94040000");  // router alert
  packet.insert(packet.begin() + 20, options.begin(), options.end());
  const Packet* decoded = decode_ip(packet);
  ASSERT_NE(decoded, nullptr);
  EXPECT_EQ(base::as_text(decoded->payload), "hello");
  EXPECT_EQ(decoded->wire_length, 37u);
}

TEST_F(PacketTest, LengthsLeftToTheNetworkCard) {
  base::Buffer packet = udp_;
  packet[2] = packet[3] = 0;
  packet[24] = packet[25] = 0;
  EXPECT_EQ(base::as_text(decode_ip(packet)->payload), "hello");
  base::Buffer packet6 = udp6_;
  packet6[4] = packet6[5] = 0;
  EXPECT_EQ(base::as_text(decode_ip(packet6)->payload), "hello");
  // What the file says of the length on the wire may be anything.
  EXPECT_LE(decode_ip(packet, 0xffffffff)->payload_length, 1U << 20);
}

TEST_F(PacketTest, Ipv6ExtensionHeaders) {
  const base::Buffer headers = join({
      hex("2b00010401000000"),                                    // hop by hop
      hex("3c00000000000000"),                                    // routing
      hex("3301010c000000000000000000000000"),                    // destination options of 16 bytes
      hex("11040000000000010000000200000000000000000000000000"),  // authentication, 24 bytes
  });
  base::Buffer packet = base::to_buffer(base::Bytes(udp6_).first(40));
  packet[6] = 0;
  packet[5] = static_cast<std::uint8_t>(13 + 8 + 8 + 16 + 24);
  const base::Buffer whole =
      join({packet, base::Bytes(headers).first(56), base::Bytes(udp6_).subspan(40)});
  const Packet* decoded = decode_ip(whole);
  ASSERT_NE(decoded, nullptr);
  EXPECT_EQ(decoded->protocol, ip_protocol::kUdp);
  EXPECT_EQ(decoded->destination, kTarget6);
  EXPECT_EQ(base::as_text(decoded->payload), "hello");
  EXPECT_EQ(decoded->wire_length, 109u);
  // One that is longer than the packet: it still went somewhere.
  base::Buffer bad = whole;
  bad[41] = 200;
  decoded = decode_ip(bad);
  ASSERT_NE(decoded, nullptr);
  EXPECT_EQ(decoded->destination.ip, kTarget6.ip);
  EXPECT_TRUE(decoded->payload.empty());
  EXPECT_EQ(counters().malformed, 1u);
}

TEST_F(PacketTest, CutShort) {
  const base::Buffer tcp = test::tcp_packet(kSource, kTarget, 77, 0, 0x18, base::Buffer(1000, 'x'));
  for (std::size_t size = 20; size < tcp.size(); ++size) {
    const Packet* packet = decode_ip(base::Bytes(tcp).first(size), 1040);
    ASSERT_NE(packet, nullptr);
    EXPECT_EQ(packet->wire_length, 1040u);
    EXPECT_TRUE(packet->cut) << size;
    EXPECT_EQ(packet->payload_length, 1000u) << size;
    EXPECT_EQ(packet->payload.size(), size < 40 ? 0 : size - 40);
    EXPECT_EQ(packet->source.port, size < 24 ? 0 : 40000);
    EXPECT_EQ(packet->sequence, size < 40 ? 0u : 77u);
  }
  for (std::size_t size = 20; size < udp_.size(); ++size) {
    const Packet* packet = decode_ip(base::Bytes(udp_).first(size), 33);
    EXPECT_TRUE(packet->cut);
    EXPECT_EQ(packet->payload_length, 5u);
    EXPECT_EQ(packet->payload.size(), size < 28 ? 0 : size - 28);
  }
  EXPECT_EQ(counters().malformed, 0u);
}

TEST_F(PacketTest, MalformedPacketsStillWentSomewhere) {
  base::Buffer udp = udp_;
  udp[25] = 200;  // longer than the packet
  base::Buffer tcp = test::tcp_packet(kSource, kTarget, 1, 0, 0x18, base::as_bytes("x"));
  tcp[32] = 0x40;  // a header of 16 bytes
  base::Buffer ip = udp_;
  ip[0] = 0x44;
  for (const base::Buffer& bad : {udp, tcp, ip}) {
    const Packet* packet = decode_ip(bad);
    ASSERT_NE(packet, nullptr);
    EXPECT_EQ(packet->destination.ip, kTarget.ip);
    EXPECT_TRUE(packet->payload.empty());
  }
  EXPECT_EQ(counters().malformed, 3u);
  EXPECT_EQ(counters().packets, 3u);
}

TEST_F(PacketTest, OtherProtocols) {
  const Packet* icmp =
      decode_ip(test::ip_packet(kSource.ip, kTarget.ip, ip_protocol::kIcmp, hex("0800f7ff")));
  EXPECT_EQ(icmp->payload.size(), 4u);
  EXPECT_EQ(icmp->source.port, 0);
  for (const std::uint8_t protocol : {4, 41, 47, 50})
    EXPECT_NE(decode_ip(test::ip_packet(kSource.ip, kTarget.ip, protocol, udp_)), nullptr);
  EXPECT_EQ(counters().tunnelled, 4u);
}

// The parts of a packet, each of at most size bytes (a multiple of 8).
std::vector<base::Buffer> fragments(base::Bytes packet, std::size_t size, std::uint32_t id = 9) {
  std::vector<base::Buffer> parts;
  const bool v6 = packet[0] >> 4 == 6;
  const base::Bytes header = packet.first(v6 ? 40 : 20);
  const base::Bytes payload = packet.subspan(header.size());
  for (std::size_t begin = 0; begin < payload.size(); begin += size) {
    const base::Bytes part = payload.subspan(begin, std::min(size, payload.size() - begin));
    const bool more = begin + part.size() < payload.size();
    base::Buffer out = base::to_buffer(header);
    const std::size_t length = part.size() + (v6 ? 8 : 20);
    out[v6 ? 4 : 2] = static_cast<std::uint8_t>(length >> 8);
    out[v6 ? 5 : 3] = static_cast<std::uint8_t>(length);
    if (v6) {
      const std::uint8_t next = out[6];
      out[6] = 44;
      const auto field = static_cast<std::uint16_t>(begin | (more ? 1 : 0));
      out = join({out, base::Buffer{next, 0, static_cast<std::uint8_t>(field >> 8),
                                    static_cast<std::uint8_t>(field), 0, 0, 0,
                                    static_cast<std::uint8_t>(id)}});
    } else {
      const auto field = static_cast<std::uint16_t>(begin / 8 | (more ? 0x2000 : 0));
      out[4] = 0;
      out[5] = static_cast<std::uint8_t>(id);
      out[6] = static_cast<std::uint8_t>(field >> 8);
      out[7] = static_cast<std::uint8_t>(field);
    }
    parts.push_back(join({out, part}));
  }
  return parts;
}

TEST_F(PacketTest, FragmentsInAnyOrder) {
  base::SeededRandom random(3);
  base::Buffer payload(3000);
  random.fill(payload);
  for (const bool v6 : {false, true}) {
    const base::Buffer packet = v6 ? test::udp_packet(kSource6, kTarget6, payload)
                                   : test::udp_packet(kSource, kTarget, payload);
    for (int round = 0; round < 50; ++round) {
      auto parts = fragments(packet, 8 * (1 + random.below(100)), round);
      for (std::size_t i = parts.size(); i > 1; --i)
        std::swap(parts[i - 1], parts[random.below(static_cast<std::uint32_t>(i))]);
      const std::uint64_t first = number_ + 1;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const Packet* decoded = decode_ip(parts[i]);
        ASSERT_NE(decoded, nullptr);
        ASSERT_EQ(decoded->wire_length, parts[i].size());
        ASSERT_EQ(decoded->fragment, i + 1 < parts.size());
        if (!decoded->fragment) {
          ASSERT_EQ(base::to_buffer(decoded->payload), payload);
          ASSERT_EQ(decoded->source, v6 ? kSource6 : kSource);
          ASSERT_EQ(decoded->first_number, first);
          ASSERT_EQ(decoded->number, number_);
        } else {
          ASSERT_EQ(decoded->source.port, 0);
          ASSERT_TRUE(decoded->payload.empty());
          // Once more changes nothing.
          ASSERT_TRUE(decode_ip(parts[i])->fragment);
        }
      }
    }
  }
  EXPECT_EQ(counters().fragments_given_up, 0u);
}

TEST_F(PacketTest, OverlappingFragmentsDropTheWhole) {
  const base::Buffer packet = test::udp_packet(kSource, kTarget, base::Buffer(64, 'a'));
  auto parts = fragments(packet, 24);
  ASSERT_EQ(parts.size(), 3u);
  base::Buffer other = parts[1];
  other[7] = 2;  // over the end of the first
  EXPECT_TRUE(decode_ip(parts[0])->fragment);
  EXPECT_TRUE(decode_ip(other)->fragment);
  EXPECT_TRUE(decode_ip(parts[1])->fragment);
  EXPECT_TRUE(decode_ip(parts[2])->fragment);
  EXPECT_EQ(counters().fragments_given_up, 4u);
  // The same place with other bytes is an overlap, too.
  parts = fragments(packet, 24, 10);
  other = parts[0];
  other.back() ^= 1;
  for (const base::Buffer& part : {parts[0], other, parts[1], parts[2]})
    EXPECT_TRUE(decode_ip(part)->fragment);
  EXPECT_EQ(counters().fragments_given_up, 8u);
}

TEST_F(PacketTest, FragmentsGrowOldAndAreBounded) {
  const auto parts = fragments(test::udp_packet(kSource, kTarget, base::Buffer(64, 'a')), 40);
  decode_ip(parts[0]);
  time_ += std::chrono::seconds(31);
  EXPECT_TRUE(decode_ip(parts[1])->fragment);
  EXPECT_EQ(counters().fragments_given_up, 1u);
  const base::Buffer large = test::udp_packet(kSource, kTarget, base::Buffer(1400, 'a'));
  const int count = 5000;
  for (int i = 0; i < count; ++i) {
    auto part = fragments(large, 1024, 0)[0];
    part[4] = static_cast<std::uint8_t>(i >> 8);
    part[5] = static_cast<std::uint8_t>(i);
    decode_ip(part);
  }
  // 4 MiB hold fewer than 4,096 of them.
  EXPECT_GT(counters().fragments_given_up, 1000u);
  EXPECT_LT(counters().fragments_given_up, 3000u);
}

TEST_F(PacketTest, FragmentsThatPassTheEnd) {
  base::Buffer part = fragments(test::udp_packet(kSource, kTarget, base::Buffer(64, 'a')), 40)[0];
  part[6] = 0x1f;
  part[7] = 0xff;  // the last, at 65,528, and longer than what is left
  EXPECT_TRUE(decode_ip(part)->fragment);
  EXPECT_EQ(counters().fragments_given_up, 1u);
}

TEST_F(PacketTest, AFragmentThatIsTheWhole) {
  auto parts = fragments(udp6_, 64);
  ASSERT_EQ(parts.size(), 1u);
  const Packet* packet = decode_ip(parts[0]);
  EXPECT_FALSE(packet->fragment);
  EXPECT_EQ(base::as_text(packet->payload), "hello");
}

}  // namespace
}  // namespace alcove::audit
