// What was readable in payloads and streams: each finding with its packets, and the twin without.

#include "audit/content_inspector.h"

#include "audit/token_rules.h"
#include "base/random.h"
#include "base/text.h"
#include "names_harness.h"

namespace alcove::audit {
namespace {

using enum FindingCode;
using test::at;

const base::SocketAddress kPhone = at("192.168.1.23", 50000);
const base::SocketAddress kServer = at("198.51.100.7", 4000);

TEST(Content, IdentifiersInEveryFormAreFound) {
  const std::string id = "user-4000123457";
  test::CaptureBuilder capture;
  const auto plain = capture.udp(kPhone, kServer, "\x01\x02" + id + "\x03");
  const auto hex = capture.udp(kPhone, kServer, base::to_hex(base::as_bytes(id)));
  const auto base64 =
      capture.udp(kPhone, kServer, base::to_base64url(base::as_bytes("xy" + id + "z")));
  capture.udp(kPhone, kServer, "user-4000123458");
  NamesHarness audit({id});
  audit.run(capture);
  EXPECT_EQ(audit.packets(kKnownIdentifier, id), Packets{plain});
  EXPECT_EQ(audit.packets(kKnownIdentifier, id + " (hexadecimal)"), Packets{hex});
  EXPECT_EQ(audit.packets(kKnownIdentifier, id + " (base64)"), Packets{base64});
}

TEST(Content, WhatCrossesSegmentsIsFoundInThePacketWhereItBegins) {
  const std::string id = "user-4000123457";
  for (std::size_t split = 1; split < id.size(); ++split) {
    test::CaptureBuilder capture;
    test::CaptureBuilder::Tcp tcp(capture, kPhone, kServer);
    tcp.send(std::string(3000, ' '));
    const auto begin = tcp.send("... " + id.substr(0, split));
    tcp.send(id.substr(split) + " ...");
    tcp.send(std::string(3000, ' '));
    tcp.close();
    NamesHarness audit({id});
    audit.run(capture);
    EXPECT_EQ(audit.packets(kKnownIdentifier), Packets{begin}) << split;
    EXPECT_EQ(audit.find(kKnownIdentifier)->count, 1U);
  }
}

TEST(Content, ByteByByteNothingIsFoundTwiceOrNever) {
  const std::string text =
      "GET /x?user_id=4000123457 HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer "
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MDAwMTIzNDU3In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ\r\n\r\n";
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp tcp(capture, kPhone, kServer);
  for (const char c : text) tcp.send(std::string(1, c));
  tcp.close();
  NamesHarness audit({"4000123457"});
  audit.run(capture);
  EXPECT_EQ(audit.find(kKnownIdentifier, "4000123457")->count, 1U) << audit.list();
  EXPECT_EQ(audit.packets(kKnownIdentifier, "4000123457"), Packets{4 + text.find("4000123457")});
  EXPECT_EQ(audit.find(kIdentifierField)->count, 1U);
  EXPECT_EQ(audit.packets(kIdentifierField, "user_id"), Packets{4 + text.find("user_id")});
  std::uint64_t tokens = 0;
  for (const Finding& finding : audit.findings.sorted())
    if (finding.code == kToken) tokens += finding.count;
  EXPECT_EQ(tokens, 2U) << audit.list();  // the header, and the JWT in it
  EXPECT_EQ(audit.packets(kCleartextHttp, "a.example"), Packets{4});
}

TEST(Content, TokensOfKnownKinds) {
  const std::string agora = "006" + std::string(8, 'a') + "0123456789abcdef01234567" +
                            "IABx0nU5bMp2Qm8c1rT0Wq6z/Ykz5uY3sYl7V0oQe3G1CMhOQbcAAAA=";
  test::CaptureBuilder capture;
  const auto first = capture.udp(kPhone, kServer, std::string("\x07\x00\x70\x00", 4) + agora);
  const auto key = capture.udp(kPhone, kServer, "k=AKIAIOSFODNN7EXAMPLE;");
  const auto bearer = capture.udp(kPhone, kServer, "Bearer abcdefghijklmnop1234");
  const auto named = capture.udp(kPhone, kServer, R"({"token":"abcdefgh12345678"})");
  capture.udp(kPhone, kServer, "006 is a number, Bearer is a word, AKIA is not a key");
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kToken), (Packets{first, key, bearer, named})) << audit.list();
  EXPECT_EQ(audit.list().find(agora.substr(0, 20)), std::string::npos);
}

TEST(Content, ATokenThatComesBackInAnotherFlowIsTold) {
  const std::string token = "Zk3Q9xPq7LmW2sVt8RbY4nHc";
  test::CaptureBuilder capture;
  const auto first = capture.udp(kPhone, kServer, "a " + token + " b");
  capture.udp(kPhone, kServer, "a " + token + " b");  // the same flow
  const auto second = capture.udp(kPhone, at("198.51.100.8", 4001), "c " + token);
  // Long words, and what only servers repeat.
  for (const char* server : {"198.51.100.9", "198.51.100.10"}) {
    capture.udp(kPhone, at(server, 1), "application-language-preferences curve25519-sha256");
    capture.udp(at(server, 1), kPhone, "asset aB3dE5fG7hJ9kL1mN3pQ");
  }
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kRepeatedToken), (Packets{first, second})) << audit.list();
  EXPECT_EQ(audit.grave(), "AUD-203 Zk3Q9xPq…(24 characters)\n");
}

TEST(Content, FieldsThatNameSomebody) {
  test::CaptureBuilder capture;
  const auto header = capture.udp(kPhone, kServer, "CH-UserID: 4000123457\r\n");
  const auto json = capture.udp(kPhone, kServer, R"({"room_id" : "mWvXQ9ab"})");
  const auto query = capture.udp(kPhone, kServer, "/x?uid=77&deviceId=a1b2");
  capture.udp(kPhone, kServer, "the user said: in this room there is a channel: no");
  capture.udp(kPhone, kServer, R"(function(userId){return userId:e})");
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kIdentifierField, "CH-UserID"), Packets{header});
  EXPECT_EQ(audit.packets(kIdentifierField, "room_id"), Packets{json});
  EXPECT_EQ(audit.packets(kIdentifierField, "uid"), Packets{query});
  EXPECT_EQ(audit.packets(kIdentifierField, "deviceId"), Packets{query});
  EXPECT_EQ(audit.packets(kIdentifierField).size(), 4U) << audit.list();
  EXPECT_EQ(audit.list().find("\"CH-UserID: 4000123457"), std::string::npos);
}

TEST(Content, DevicesButNotEveryBrowser) {
  test::CaptureBuilder capture;
  const auto phone = capture.udp(kPhone, kServer, "\x19iPhone/iPhone9,3/iOS/14.2");
  capture.udp(kPhone, kServer,
              "Mozilla/5.0 (iPhone; CPU iPhone OS 14_2 like Mac OS X) AppleWebKit/605.1.15");
  capture.udp(kPhone, kServer, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36");
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kDeviceString, "iPhone/iPhone9,3/iOS/14.2"), Packets{phone});
  EXPECT_EQ(audit.findings.size(), 1U) << audit.list();
}

TEST(Content, ThePrivateAddressOfTheClientGoesOutside) {
  test::CaptureBuilder capture;
  const auto out = capture.udp(kPhone, kServer, "ip=192.168.1.23;");
  capture.udp(kPhone, at("192.168.1.50", 80), "ip=192.168.1.23;");  // stays inside
  capture.udp(kPhone, kServer, "version 10.0.0.1, 192.168.1.230, 192.168.1.2");
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kPrivateAddress, "192.168.1.23"), Packets{out});
  EXPECT_EQ(audit.findings.size(), 1U) << audit.list();
}

TEST(Content, DescriptionsAndTheirKeys) {
  test::CaptureBuilder capture;
  const auto sdp = capture.udp(kPhone, kServer,
                               "v=0\r\nm=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                               "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n");
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kCleartextSdp), Packets{sdp});
  EXPECT_EQ(audit.packets(kSrtpKeyInClear), Packets{sdp});
  EXPECT_EQ(audit.list().find("WVNfX19zZW1jdGwg"), std::string::npos) << audit.list();
}

TEST(Content, VendorPackets) {
  const std::string list(
      "\x77\x01\x00\x00\x0f\x00\x01\x00\x07\x00"
      "3.0.1.1\x02\x00\x04\x00WIFI",
      6 + 4 + 7 + 4 + 4);
  test::CaptureBuilder capture;
  const auto udp = capture.udp(kPhone, kServer, list + std::string(100, '\0'));
  const auto message =
      capture.udp(kPhone, kServer, "\x80\x81{\"rtc.user_set_channel_profile\":1}X\x01");
  test::CaptureBuilder::Tcp tcp(capture, kPhone, kServer);
  const auto over_tcp = tcp.send(list);
  base::SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) {
    base::Buffer noise(163);
    random.fill(noise);
    noise[0] = 0x77;
    noise[1] = 0x01;
    capture.udp(kPhone, kServer, noise);
  }
  NamesHarness audit;
  audit.run(capture);
  EXPECT_EQ(audit.packets(kVendorProtocol), (Packets{udp, message, over_tcp})) << audit.list();
}

TEST(Content, WhatKeysOpenedIsToldAsSuch) {
  test::CaptureBuilder capture;
  NamesHarness audit({"user-4000123457"});
  Flow flow;
  flow.id = 9;
  flow.key = {kPhone, at("198.51.100.7", 443), ip_protocol::kTcp};
  StreamPiece piece;
  piece.number = 12;
  const std::string text = "POST / HTTP/1.1\r\nCH-UserID: user-4000123457\r\n\r\n";
  piece.bytes = base::as_bytes(text);
  audit.content.handle_flow(flow);
  audit.content.handle_decrypted(flow, Direction::kForward, piece);
  audit.content.handle_flow_end(flow);
  EXPECT_EQ(audit.packets(kIdentifierInsideTls, "user-4000123457"), Packets{12});
  EXPECT_EQ(audit.findings.size(), 1U) << audit.list();
  EXPECT_EQ(audit.grave(), "");
}

// 64 MiB of datagrams and streams of random bytes under all rules.
TEST(Content, RandomBytesHaveNoFindings) {
  base::SeededRandom random(5);
  std::vector<std::string> identifiers;
  for (int i = 0; i < 500; ++i) identifiers.push_back("u" + std::to_string(100 + i));
  NamesHarness audit(identifiers);
  Flow datagrams;
  datagrams.id = 1;
  datagrams.key = {kPhone, kServer, ip_protocol::kUdp};
  Flow stream;
  stream.id = 2;
  stream.key = {kPhone, kServer, ip_protocol::kTcp};
  audit.content.slot = 0;
  audit.content.handle_flow(datagrams);
  audit.content.handle_flow(stream);
  base::Buffer bytes(1024);
  Packet packet;
  packet.protocol = ip_protocol::kUdp;
  StreamPiece piece;
  for (int i = 0; i < 32 * 1024; ++i) {
    random.fill(bytes);
    packet.number = piece.number = static_cast<std::uint64_t>(i) + 1;
    packet.payload = piece.bytes = bytes;
    audit.content.handle_packet(datagrams, Direction::kForward, packet);
    random.fill(bytes);
    audit.content.handle_stream(stream, Direction::kForward, piece);
    piece.offset += bytes.size();
  }
  audit.content.handle_flow_end(stream);
  EXPECT_EQ(audit.list(), "");
}

TEST(TokenRules, EveryRunOfSixteenIsFound) {
  for (std::size_t begin = 0; begin < 40; ++begin)
    for (std::size_t size = 14; size < 40; ++size) {
      std::string text(begin, ' ');
      text += std::string(size, 'x');
      text += std::string(20, ' ');
      int found = 0;
      for_each_token(base::as_bytes(text), 0, text.size(), [&](Span run) {
        ++found;
        EXPECT_EQ(run.begin, begin);
        EXPECT_EQ(run.size(), size);
      });
      EXPECT_EQ(found, size >= kMinToken ? 1 : 0) << begin << " " << size;
    }
}

TEST(TokenRules, RandomIsNotWords) {
  for (const char* token : {"8f14e45f-ceea-467f-a3b0-1c2d9e5f7a61", "7c1e0f93a5b84d62c7d19e0f",
                            "Zk3Q9xPq7LmW2sVt8RbY4nHc"})
    EXPECT_TRUE(looks_random(token)) << token;
  for (const char* words :
       {"diffie-hellman-group14-sha256", "curve25519-sha256", "aaaaaaaaaaaaaaaaaaaa",
        "1234567890123456", "Content-Security-Policy", "UUUUUUUUUUUUUUUU55UUUUUU"})
    EXPECT_FALSE(looks_random(words)) << words;
}

}  // namespace
}  // namespace alcove::audit
