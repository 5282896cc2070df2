// TLS, DTLS, QUIC, HTTP, WebSocket and STUN as they pass by: what is told, and what is not.

#include "audit/stun_attributes.h"
#include "base/random.h"
#include "names_harness.h"
#include "wire/stun.h"

namespace alcove::audit {
namespace {

using enum FindingCode;
using test::at;

const base::SocketAddress kPhone = at("192.168.1.23", 50000);
const base::SocketAddress kServer = at("198.51.100.7", 443);

void add16(base::Buffer& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void add_bytes(base::Buffer& out, base::Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
base::Buffer client_hello_body(std::string_view name, std::uint16_t version = 0x0303) {
  base::Buffer out;
  add16(out, version);
  out.resize(out.size() + 32, 7);
  out.push_back(0);                            // session id
  if (version >> 8 == 0xfe) out.push_back(0);  // cookie
  add16(out, 2);
  add16(out, 0xc02f);
  out.push_back(1);
  out.push_back(0);
  add16(out, 9 + name.size());
  add16(out, 0);
  add16(out, 5 + name.size());
  add16(out, 3 + name.size());
  out.push_back(0);
  add16(out, name.size());
  add_bytes(out, base::as_bytes(name));
  return out;
}
base::Buffer server_hello_body(std::uint16_t version, std::uint16_t suite,
                               base::Bytes extensions = {}) {
  base::Buffer out;
  add16(out, version);
  out.resize(out.size() + 32, 9);
  out.push_back(0);
  add16(out, suite);
  out.push_back(0);
  add16(out, extensions.size());
  add_bytes(out, extensions);
  return out;
}
base::Buffer tls(std::uint8_t message, const base::Buffer& body) {
  base::Buffer out = {22, 3, 1};
  add16(out, body.size() + 4);
  out.push_back(message);
  out.push_back(0);
  add16(out, body.size());
  add_bytes(out, body);
  return out;
}
base::Buffer dtls(std::uint8_t message, const base::Buffer& body, std::size_t from,
                  std::size_t to) {
  base::Buffer out = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0};
  add16(out, to - from + 12);
  out.push_back(message);
  for (const std::size_t number : {body.size(), from, to - from}) {
    out.push_back(0);
    add16(out, number);
    if (number == body.size() && out.size() == 17) add16(out, 0);  // message_seq
  }
  add_bytes(out, base::Bytes(body).subspan(from, to - from));
  return out;
}

struct WeakCase {
  std::uint16_t version;
  std::uint16_t suite;
  std::string_view what;  // "": none
};

TEST(TlsInspector, TellsWhatTheServerChoseWhenItIsWeak) {
  for (const WeakCase& weak :
       {WeakCase{0x0301, 0xc013, "TLS 1.0"}, WeakCase{0x0302, 0xc013, "TLS 1.1"},
        WeakCase{0x0303, 0x0005, "RC4"}, WeakCase{0x0303, 0xc012, "3DES"},
        WeakCase{0x0303, 0x0003, "EXPORT"}, WeakCase{0x0303, 0x0002, "NULL"},
        WeakCase{0x0303, 0xc018, "anonymous"}, WeakCase{0x0303, 0x002f, "static RSA"},
        WeakCase{0x0303, 0xc02f, ""}, WeakCase{0x0303, 0xc013, ""}, WeakCase{0x0303, 0xcca8, ""},
        WeakCase{0x0303, 0x1301, ""}}) {
    NamesHarness audit;
    test::CaptureBuilder capture;
    test::CaptureBuilder::Tcp tcp(capture, kPhone, kServer);
    tcp.send(tls(1, client_hello_body("Alcove.Example")));
    const auto answer = tcp.receive(tls(2, server_hello_body(weak.version, weak.suite)));
    audit.run(capture);
    if (weak.what.empty()) {
      EXPECT_EQ(audit.list(), "") << std::hex << weak.suite;
    } else {
      EXPECT_EQ(audit.packets(kWeakTls, "alcove.example: " + std::string(weak.what)),
                Packets{answer})
          << audit.list();
    }
  }
}

TEST(TlsInspector, Tls13IsNotItsLegacyVersion) {
  const base::Buffer supported = {0, 43, 0, 2, 3, 4};
  const auto hello = parse_server_hello(server_hello_body(0x0303, 0x1301, supported));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->version, 0x0304);
  const base::Buffer old = {0, 43, 0, 2, 3, 1};
  EXPECT_EQ(parse_server_hello(server_hello_body(0x0303, 0x1301, old))->version, 0x0301);
}

TEST(TlsInspector, ReadsHellosByteByByteAndOfTheRightPacket) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp tcp(capture, kPhone, kServer);
  for (const std::uint8_t byte : tls(1, client_hello_body("alcove.example")))
    tcp.send(base::Bytes(&byte, 1));
  const auto first = capture.size() + 1;
  for (const std::uint8_t byte : tls(2, server_hello_body(0x0301, 0xc013)))
    tcp.receive(base::Bytes(&byte, 1));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kWeakTls, "alcove.example: TLS 1.0"), Packets{first});
}

TEST(TlsInspector, ReadsFragmentedDtlsInAnyOrder) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  const base::SocketAddress relay = at("198.51.100.7", 7878);
  const base::Buffer body = server_hello_body(0xfeff, 0x000a);
  capture.udp(kPhone, relay, dtls(1, client_hello_body("x.example", 0xfeff), 0, 20));
  capture.udp(relay, kPhone, dtls(2, body, 30, body.size()));
  capture.udp(relay, kPhone, dtls(2, body, 10, 35));
  const auto last = capture.udp(relay, kPhone, dtls(2, body, 0, 12));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kWeakDtls, "198.51.100.7:7878/udp: DTLS 1.0"), Packets{last});
  EXPECT_EQ(audit.packets(kWeakDtls, "198.51.100.7:7878/udp: 3DES"), Packets{last});
}

TEST(TlsInspector, SrtpWithoutACipherIsWeak) {
  const base::Buffer null_profile = {0, 14, 0, 5, 0, 2, 0, 5, 0};
  const base::Buffer good_profile = {0, 14, 0, 5, 0, 2, 0, 7, 0};
  const base::SocketAddress relay = at("198.51.100.7", 7878);
  NamesHarness audit;
  test::CaptureBuilder capture;
  const base::Buffer good = server_hello_body(0xfefd, 0xc02b, good_profile);
  capture.udp(relay, kPhone, dtls(2, good, 0, good.size()));
  const base::Buffer bad = server_hello_body(0xfefd, 0xc02b, null_profile);
  const auto told = capture.udp(relay, at("192.168.1.23", 50001), dtls(2, bad, 0, bad.size()));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kWeakDtls), Packets{told}) << audit.list();
}

TEST(TlsInspector, KnowsQuicByItsLongHeader) {
  const base::Buffer initial = {0xc3, 0, 0, 0, 1, 4, 1, 2, 3, 4, 0, 0};
  EXPECT_TRUE(starts_like_quic(initial));
  base::Buffer other = initial;
  other[4] = 9;
  EXPECT_FALSE(starts_like_quic(other));
  EXPECT_FALSE(starts_like_quic(base::Bytes(initial).first(8)));
}

TEST(HttpInspector, TellsEachRequestWithoutItsQuery) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp tcp(capture, kPhone, at("198.51.100.7", 80));
  const auto first = tcp.send(
      "POST /join?k=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: App.Example:80\r\n"
      "Content-Length: 5\r\n\r\nGET /");
  tcp.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const auto second = tcp.send("GET /next HTTP/1.1\r\nHost: app.example\r\n\r\n");
  audit.run(capture);
  EXPECT_EQ(audit.packets(kCleartextHttp, "app.example"), (Packets{first, second}));
  EXPECT_EQ(audit.find(kCleartextHttp)->evidence[0].excerpt, "POST /join");
}

TEST(HttpInspector, UnmasksWhatAClientSaysOnAWebSocket) {
  for (const std::size_t step : {1U, 3U, 1000U}) {
    NamesHarness audit({"user-4000123457"});
    test::CaptureBuilder capture;
    test::CaptureBuilder::Tcp tcp(capture, kPhone, at("198.51.100.7", 80));
    std::string stream = "GET /ws HTTP/1.1\r\nHost: a.example\r\nUpgrade: WebSocket\r\n\r\n";
    const std::string text = R"({"id":"user-4000123457"})";
    const std::array<std::uint8_t, 4> mask = {0x9a, 0x3b, 0x5c, 0xd1};
    stream += "\x81";
    stream += static_cast<char>(0x80 | text.size());
    for (const std::uint8_t byte : mask) stream += static_cast<char>(byte);
    for (std::size_t i = 0; i < text.size(); ++i)
      stream += static_cast<char>(static_cast<std::uint8_t>(text[i]) ^ mask[i % 4]);
    for (std::size_t begin = 0; begin < stream.size(); begin += step)
      tcp.send(stream.substr(begin, step));
    tcp.close();
    audit.run(capture);
    ASSERT_TRUE(audit.find(kKnownIdentifier, "user-4000123457")) << audit.list();
    EXPECT_EQ(audit.find(kKnownIdentifier)->count, 1U);
    const std::size_t place = stream.size() - text.size() + text.find("user");
    EXPECT_EQ(audit.packets(kKnownIdentifier), Packets{4 + place / step});
  }
}

TEST(HttpInspector, HeadsThatNeverEndDoNotFillTheMemory) {
  NamesHarness audit;
  const std::string head = "GET / HTTP/1.1\r\nX: " + std::string(16'000, ' ');
  std::vector<std::unique_ptr<Flow>> flows;
  const auto open = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Flow& flow = *flows.emplace_back(std::make_unique<Flow>());
      flow.key = {kPhone, kServer, ip_protocol::kTcp};
      StreamPiece piece;
      piece.bytes = base::as_bytes(head);
      audit.http.slot = 0;
      audit.http.handle_stream(flow, Direction::kForward, piece);
    }
  };
  open(1000);
  EXPECT_FALSE(audit.find(kLimitReached));
  for (const auto& flow : flows) audit.http.handle_flow_end(*flow);
  flows.clear();
  open(1000);  // what ended is free again
  EXPECT_FALSE(audit.find(kLimitReached));
  open(1000);
  EXPECT_TRUE(audit.find(kLimitReached, "HTTP heads"));
}

TEST(HttpInspector, OtherStreamsAreNotHttp) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp tcp(capture, kPhone, at("198.51.100.7", 80));
  tcp.send("GETTING there is half of it\r\n\r\n");
  test::CaptureBuilder::Tcp ssh(capture, kPhone, at("198.51.100.7", 22));
  ssh.send("SSH-2.0-OpenSSH_9.2\r\n");
  audit.run(capture);
  EXPECT_EQ(audit.list(), "");
}

base::Buffer binding(std::string_view username, std::uint16_t type = 1,
                     std::initializer_list<std::pair<std::uint16_t, std::string>> more = {}) {
  base::Buffer attributes;
  const auto add = [&](std::uint16_t kind, std::string_view value) {
    add16(attributes, kind);
    add16(attributes, value.size());
    add_bytes(attributes, base::as_bytes(value));
    attributes.resize((attributes.size() + 3) / 4 * 4);
  };
  if (!username.empty()) add(6, username);
  for (const auto& [kind, value] : more) add(kind, value);
  base::Buffer out;
  add16(out, type);
  add16(out, attributes.size());
  add_bytes(out, std::array<std::uint8_t, 4>{0x21, 0x12, 0xa4, 0x42});
  out.resize(20, 0x55);
  add_bytes(out, attributes);
  return out;
}

TEST(StunInspector, FreshCredentialsOfEachSessionAreNoFinding) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  const base::SocketAddress relay = at("198.51.100.7", 7878);
  for (const char* name : {"relayAAAAAAAAAAAAAAAA1:abcd", "relayBBBBBBBBBBBBBBBB2:efgh"}) {
    for (std::uint16_t port = 50000; port < 50004; ++port)  // candidate pairs of one session
      capture.udp(at("192.168.1.23", port), relay, binding(name));
    for (int i = 0; i < 60; ++i) {  // consent
      capture.wait(std::chrono::seconds(5));
      capture.udp(at("192.168.1.23", 50000), relay, binding(name));
    }
    capture.udp(at("192.168.1.23", 50005), relay, binding(name));  // a pair that comes late
    // Another device that drew the same four letters.
    capture.udp(at("192.168.1.99", 50000), relay,
                binding(std::string("other") + name[5] + ":" + (name + 23)));
  }
  audit.run(capture);
  EXPECT_EQ(audit.list(), "");
}

TEST(StunInspector, AnIceNameOfSeveralSessionsIsTold) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  const base::SocketAddress relay = at("198.51.100.7", 7878);
  const auto first = capture.udp(kPhone, relay, binding("serverOne:clientname"));
  const auto second =
      capture.udp(at("192.168.1.23", 50001), relay, binding("serverTwo:clientname"));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kStunAttribute, "USERNAME of the client: cli…(10 characters)"),
            (Packets{first, second}))
      << audit.list();
  NamesHarness later;
  test::CaptureBuilder again;
  const auto early = again.udp(kPhone, relay, binding("same:name"));
  again.wait(std::chrono::hours(1));
  const auto late = again.udp(at("192.168.1.23", 50001), relay, binding("same:name"));
  later.run(again);
  EXPECT_EQ(later.packets(kStunAttribute, "USERNAME of the client: n…(4 characters)"),
            (Packets{early, late}))
      << later.list();
}

TEST(StunInspector, TurnUsersSoftwareAndPrivateAddresses) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  const base::SocketAddress turn = at("198.51.100.7", 3478);
  const auto allocate =
      capture.udp(kPhone, turn, binding("1613088000:anna", 3, {{0x14, "turn.example"}}));
  const auto software = capture.udp(kPhone, turn, binding("", 1, {{0x8022, "App 3.0.1"}}));
  capture.udp(turn, kPhone, binding("", 0x0101, {{0x8022, "Server 4.6"}}));
  // 192.168.1.9, port 5000, with the cookie over it.
  const std::string peer = {0,
                            1,
                            0x32,
                            static_cast<char>(0x9a),
                            static_cast<char>(0xe1),
                            static_cast<char>(0xba),
                            static_cast<char>(0xa5),
                            0x4b};
  const auto told = capture.udp(kPhone, turn, binding("", 0x0016, {{0x0012, peer}}));
  audit.run(capture);
  EXPECT_EQ(audit.packets(kStunAttribute, "USERNAME of TURN at 198.51.100.7:3478/udp"),
            Packets{allocate});
  EXPECT_EQ(audit.packets(kStunAttribute, "SOFTWARE App 3.0.1"), Packets{software});
  EXPECT_EQ(audit.packets(kStunAttribute, "XOR-PEER-ADDRESS 192.168.1.9"), Packets{told});
  EXPECT_EQ(audit.packets(kStunAttribute).size(), 3U) << audit.list();
}

TEST(StunInspector, ReadsFramesOverTcp) {
  NamesHarness audit;
  test::CaptureBuilder capture;
  test::CaptureBuilder::Tcp tcp(capture, kPhone, at("198.51.100.7", 7878));
  base::Buffer stream;
  for (const char* name : {"serverOne:clientname", "serverTwo:clientname"}) {
    const base::Buffer message = binding(name);
    add16(stream, message.size());
    add_bytes(stream, message);
  }
  tcp.send(base::Bytes(stream).first(40));
  tcp.send(base::Bytes(stream).subspan(40));
  audit.run(capture);
  EXPECT_TRUE(audit.find(kStunAttribute)) << audit.list();
}

TEST(StunAttributes, AgreesWithTheWireWriter) {
  std::array<std::uint8_t, 512> buffer{};
  wire::StunWriter writer(buffer);
  writer.begin(wire::StunClass::kSuccess, wire::kStunBinding, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  writer.add_software("x 1");
  writer.add_xor_mapped_address(at("2001:db8::7", 4711));
  const auto read = read_stun_attributes(writer.finish());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->request);
  EXPECT_EQ(read->method, 1);
  EXPECT_EQ(read->software, "x 1");
  EXPECT_EQ(read->mapped_address, at("2001:db8::7", 4711));
}

}  // namespace
}  // namespace alcove::audit
