#include "crypto/dtls.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/random.h"
#include "dtls_network.h"

namespace alcove::crypto {
namespace {

using base::Buffer;
using base::Bytes;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DtlsNetwork;
using testing::NetworkConditions;

constexpr base::WallTime kToday{std::chrono::sys_days{std::chrono::year(2026) / 3 / 9}};
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kAlertRecord = 21;

Certificate make_certificate() {
  SystemRandom random;
  return Certificate::generate(random, kToday);
}

// One certificate and context for the many handshakes of this file, as in the relay.
struct Side {
  explicit Side(DtlsSrtpProfiles profiles = DtlsSrtpProfiles::kGcmThenCm)
      : context(make_certificate(), profiles) {}
  DtlsContext context;
};

const Side& client_side() {
  static const Side side;
  return side;
}
const Side& server_side() {
  static const Side side;
  return side;
}

DtlsSession make_client(const DtlsContext& context = client_side().context) {
  return {context, DtlsRole::kClient, server_side().context.fingerprint()};
}
DtlsSession make_server(const Fingerprint& expected = client_side().context.fingerprint()) {
  return {server_side().context, DtlsRole::kServer, expected};
}

void expect_same(const SrtpKeyMaterial& a, const SrtpKeyMaterial& b) {
  EXPECT_EQ(a.profile, b.profile);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.salt, b.salt);
}

void expect_connected(const DtlsSession& client, const DtlsSession& server) {
  ASSERT_EQ(client.state(), DtlsState::kConnected);
  ASSERT_EQ(server.state(), DtlsState::kConnected);
  expect_same(client.srtp_keys().local, server.srtp_keys().remote);
  expect_same(client.srtp_keys().remote, server.srtp_keys().local);
  EXPECT_NE(client.srtp_keys().local.key, client.srtp_keys().remote.key);
}

TEST(Dtls, HandshakeWithoutLoss) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  EXPECT_EQ(client.next_deadline(), base::kNever);
  EXPECT_EQ(server.next_deadline(), base::kNever);
  DtlsNetwork network(client, server);
  network.start();
  const auto took = network.run_until_settled(seconds(1));
  expect_connected(client, server);
  EXPECT_EQ(client.srtp_keys().local.profile, SrtpProfile::kAeadAes128Gcm);
  EXPECT_EQ(took, milliseconds(20));  // two round trips, no timer
  EXPECT_EQ(network.sent(), 4);       // each flight is one datagram
  EXPECT_LE(network.largest(), 1200U);
  EXPECT_EQ(client.next_deadline(), base::kNever);
  EXPECT_NE(server.next_deadline(), base::kNever);
}

TEST(Dtls, TellsItsSecretsToAKeyLog) {
  struct Lines final : base::TlsKeyLog {
    void add_line(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
  } log;
  const DtlsContext context(make_certificate(), DtlsSrtpProfiles::kGcmThenCm, &log);
  DtlsSession client = make_client(context);
  DtlsSession server = make_server(context.fingerprint());
  DtlsNetwork network(client, server);
  network.start();
  network.run_until_settled(seconds(1));
  expect_connected(client, server);
  ASSERT_EQ(log.lines.size(), 1u);
  // Of NSS: 32 bytes of the client's random, 48 of the master secret.
  constexpr std::string_view kName = "CLIENT_RANDOM ";
  EXPECT_TRUE(log.lines[0].starts_with(kName));
  EXPECT_EQ(log.lines[0].size(), kName.size() + 64 + 1 + 96);
}

TEST(Dtls, KeysProtectSrtp) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  DtlsNetwork network(client, server);
  network.start();
  network.run_until_settled(seconds(1));
  SrtpSender sender(client.srtp_keys().local);
  SrtpReceiver receiver(server.srtp_keys().remote);
  Buffer packet(12 + 3 + kMaxSrtpOverhead);
  packet[0] = 0x80;
  packet.resize(sender.protect_rtp(Bytes(packet).first(12), base::as_bytes("abc"), 0, packet));
  const auto info = receiver.unprotect_rtp(packet);
  ASSERT_TRUE(info);
  EXPECT_EQ(base::as_text(Bytes(packet).subspan(info->payload_offset, info->payload_size)), "abc");
}

TEST(Dtls, EveryHandshakeHasItsOwnKeys) {
  std::vector<std::array<std::uint8_t, kSrtpKeySize>> keys;
  for (int i = 0; i < 2; ++i) {
    DtlsSession client = make_client();
    DtlsSession server = make_server();
    DtlsNetwork network(client, server);
    network.start();
    network.run_until_settled(seconds(1));
    expect_connected(client, server);
    keys.push_back(client.srtp_keys().local.key);
  }
  EXPECT_NE(keys[0], keys[1]);
}

TEST(Dtls, ClientWithoutAeadGetsCounterMode) {
  const Side old_client(DtlsSrtpProfiles::kCmOnly);
  DtlsSession client = make_client(old_client.context);
  DtlsSession server = make_server(old_client.context.fingerprint());
  DtlsNetwork network(client, server);
  network.start();
  network.run_until_settled(seconds(1));
  expect_connected(client, server);
  EXPECT_EQ(client.srtp_keys().local.profile, SrtpProfile::kAes128CmHmacSha1_80);
}

TEST(Dtls, ContextMayGoBeforeItsSessions) {
  auto context = std::make_unique<DtlsContext>(make_certificate());
  DtlsSession client = make_client(*context);
  DtlsSession server = make_server(context->fingerprint());
  context.reset();
  DtlsNetwork network(client, server);
  network.start();
  network.run_until_settled(seconds(1));
  expect_connected(client, server);
}

// The longest time that a handshake took; each has to connect within 30 s.
void connect_over_seeds(const NetworkConditions& conditions, std::uint64_t seeds) {
  base::Duration longest{};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    DtlsSession client = make_client();
    DtlsSession server = make_server();
    DtlsNetwork network(client, server, conditions, seed);
    network.start();
    const auto took = network.run_until_settled(seconds(30));
    ASSERT_TRUE(took) << "seed " << seed;
    expect_connected(client, server);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
    longest = std::max(longest, *took);
  }
  ::testing::Test::RecordProperty("longest_ms", static_cast<int>(longest / milliseconds(1)));
}

TEST(Dtls, LossReorderingAndDuplicationOverManySeeds) {
  connect_over_seeds(
      {.loss_percent = 30, .duplicate_percent = 20, .least_delay_ms = 5, .most_delay_ms = 120},
      200);
}

// A ChangeCipherSpec that comes before the message ahead of it is thrown away by OpenSSL and has to
// be accepted when it is sent again.
TEST(Dtls, RecordsOfAFlightInAnyOrder) {
  connect_over_seeds({.least_delay_ms = 5, .most_delay_ms = 60, .record_per_datagram = true}, 100);
  connect_over_seeds({.loss_percent = 15,
                      .duplicate_percent = 10,
                      .least_delay_ms = 5,
                      .most_delay_ms = 60,
                      .record_per_datagram = true},
                     100);
}

// Splits a datagram with one handshake record of one message into two datagrams with a fragment
// each, as browsers do with a ClientHello of 1.5 KB.
std::pair<Buffer, Buffer> split_message(Bytes datagram) {
  constexpr std::size_t kRecordHeader = 13;
  constexpr std::size_t kMessageHeader = 12;
  const Bytes record = datagram.first(kRecordHeader);
  const Bytes message = datagram.subspan(kRecordHeader, kMessageHeader);
  const Bytes body = datagram.subspan(kRecordHeader + kMessageHeader);
  const std::size_t half = body.size() / 2;
  const auto make = [&](std::size_t offset, std::size_t size, std::uint8_t number) {
    Buffer out(kRecordHeader + kMessageHeader + size);
    base::ByteWriter writer(out);
    writer.write_bytes(record.first(10));
    writer.write_u8(number);
    writer.write_u16(static_cast<std::uint16_t>(kMessageHeader + size));
    writer.write_bytes(message.first(6));  // type, length of the whole, message number
    writer.write_u24(static_cast<std::uint32_t>(offset));
    writer.write_u24(static_cast<std::uint32_t>(size));
    writer.write_bytes(body.subspan(offset, size));
    return out;
  };
  return {make(0, half, 0), make(half, body.size() - half, 1)};
}

TEST(Dtls, ClientHelloInTwoDatagramsInEitherOrder) {
  for (const bool swapped : {false, true}) {
    DtlsSession client = make_client();
    DtlsSession server = make_server();
    DtlsNetwork network(client, server);
    client.start(network.now());
    const std::vector<Buffer> flight = client.take_outgoing();
    ASSERT_EQ(flight.size(), 1U);
    const auto [first, second] = split_message(flight[0]);
    server.handle_datagram(network.now(), swapped ? second : first);
    EXPECT_TRUE(server.take_outgoing().empty());
    server.handle_datagram(network.now(), swapped ? first : second);
    network.run_for(seconds(1));
    expect_connected(client, server);
  }
}

TEST(Dtls, RepeatedClientHelloIsAnsweredOnceWithTheSameFlight) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  base::Instant now{seconds(5)};
  client.start(now);
  const Buffer hello = client.take_outgoing().at(0);
  server.handle_datagram(now, hello);
  const std::vector<Buffer> flight = server.take_outgoing();
  ASSERT_EQ(flight.size(), 1U);
  server.handle_datagram(now + milliseconds(1), hello);  // doubled by the network
  EXPECT_TRUE(server.take_outgoing().empty());
  const auto [first, second] = split_message(hello);  // repeated by the peer, in two datagrams
  now += milliseconds(30);
  server.handle_datagram(now, first);
  server.handle_datagram(now, second);
  const std::vector<Buffer> again = server.take_outgoing();
  ASSERT_EQ(again.size(), 1U);
  // Only the number of the record (bytes 5 to 10) is new: RFC 6347, section 4.1.
  constexpr std::size_t kAfterNumber = 11;
  EXPECT_EQ(base::to_hex(Bytes(again[0]).subspan(kAfterNumber, 40)),
            base::to_hex(Bytes(flight[0]).subspan(kAfterNumber, 40)));
  EXPECT_NE(again[0], flight[0]);
}

TEST(Dtls, TimerDoublesAndGivesUp) {
  DtlsSession client = make_client();
  base::Instant now{seconds(5)};
  const base::Instant begin = now;
  client.start(now);
  EXPECT_EQ(client.take_outgoing().size(), 1U);
  std::vector<std::int64_t> gaps;
  while (client.state() == DtlsState::kHandshaking) {
    const base::Instant next = client.next_deadline();
    ASSERT_NE(next, base::kNever);
    client.handle_timeout(next - milliseconds(1));  // early: nothing
    ASSERT_TRUE(client.take_outgoing().empty());
    gaps.push_back((next - now) / milliseconds(1));
    now = next;
    client.handle_timeout(now);
    if (client.state() == DtlsState::kHandshaking) {
      EXPECT_EQ(client.take_outgoing().size(), 1U);
    }
  }
  EXPECT_EQ(now - begin, seconds(30));
  EXPECT_EQ(client.failure(), DtlsFailure::kTimeout);
  ASSERT_GE(gaps.size(), 7U);
  gaps.resize(7);
  EXPECT_EQ(gaps, (std::vector<std::int64_t>{50, 100, 200, 400, 800, 1600, 1600}));
  EXPECT_EQ(client.next_deadline(), base::kNever);
}

TEST(Dtls, WrongClientCertificateFailsBeforeAnyKey) {
  DtlsSession client = make_client();
  DtlsSession server = make_server(Fingerprint{1, 2, 3});
  DtlsNetwork network(client, server);
  network.start();
  ASSERT_TRUE(network.run_until_settled(seconds(5)));
  EXPECT_EQ(server.state(), DtlsState::kFailed);
  EXPECT_EQ(server.failure(), DtlsFailure::kFingerprint);
  EXPECT_EQ(client.state(), DtlsState::kFailed);
  EXPECT_EQ(client.failure(), DtlsFailure::kPeerAlert);
}

TEST(Dtls, WrongServerCertificateFails) {
  DtlsSession client(client_side().context, DtlsRole::kClient, Fingerprint{});
  DtlsSession server = make_server();
  DtlsNetwork network(client, server);
  network.start();
  ASSERT_TRUE(network.run_until_settled(seconds(5)));
  EXPECT_EQ(client.failure(), DtlsFailure::kFingerprint);
  EXPECT_EQ(server.failure(), DtlsFailure::kPeerAlert);
}

TEST(Dtls, LostLastFlightIsRepeatedUntilThePeerShowsThatItHasIt) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  DtlsNetwork network(client, server);
  int lost = 0;
  network.set_filter([&](DtlsRole from, Buffer&) {
    const bool last_flight = from == DtlsRole::kServer && server.state() == DtlsState::kConnected;
    return !last_flight || ++lost > 2;
  });
  network.start();
  ASSERT_TRUE(network.run_until_settled(seconds(5)));
  expect_connected(client, server);
  EXPECT_EQ(lost, 3);
  server.confirm_peer_received();
  EXPECT_EQ(server.next_deadline(), base::kNever);
}

TEST(Dtls, LastFlightIsForgottenAfterAMinute) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  DtlsNetwork network(client, server);
  network.start();
  network.run_until_settled(seconds(1));
  Buffer repeat(13 + 8);
  base::ByteWriter writer(repeat);
  writer.write_u8(kHandshakeRecord);
  writer.write_u16(0xfefd);
  writer.write_u16(1);  // epoch 1: the encrypted Finished
  writer.write_zeros(6);
  writer.write_u16(8);
  server.handle_datagram(network.now() + seconds(1), repeat);
  EXPECT_EQ(server.take_outgoing().size(), 1U);
  server.handle_timeout(network.now() + seconds(61));
  EXPECT_EQ(server.next_deadline(), base::kNever);
  server.handle_datagram(network.now() + seconds(62), repeat);
  EXPECT_TRUE(server.take_outgoing().empty());
  EXPECT_EQ(server.state(), DtlsState::kConnected);
}

TEST(Dtls, AfterTheHandshakeNothingHurts) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  DtlsNetwork network(client, server);
  std::vector<Buffer> seen;
  network.set_filter([&](DtlsRole, Buffer& datagram) {
    seen.push_back(datagram);
    return true;
  });
  network.start();
  network.run_until_settled(seconds(1));
  Buffer alert(13 + 26, 0x55);
  alert[0] = kAlertRecord;
  alert[1] = 0xfe;
  alert[2] = 0xfd;
  seen.push_back(alert);
  seen.push_back({});
  seen.push_back(Buffer(1500, 0xff));
  seen.push_back(Buffer(70000, 22));
  base::Instant now = network.now();
  for (const Buffer& datagram : seen) {
    now += seconds(1);
    client.handle_datagram(now, datagram);
    server.handle_datagram(now, datagram);
    client.handle_timeout(now);
  }
  expect_connected(client, server);
  EXPECT_TRUE(client.take_outgoing().empty());
}

TEST(Dtls, NoiseStartsNoHandshake) {
  DtlsSession server = make_server();
  base::SeededRandom random(7);
  base::Instant now{seconds(1)};
  for (int i = 0; i < 2000; ++i) {
    Buffer noise(random.below(200));
    random.fill(noise);
    if (!noise.empty()) noise[0] = static_cast<std::uint8_t>(20 + random.below(44));
    server.handle_datagram(now, noise);
    now += milliseconds(1);
  }
  EXPECT_EQ(server.state(), DtlsState::kHandshaking);
  EXPECT_EQ(server.next_deadline(), base::kNever);  // nothing was set up
  EXPECT_TRUE(server.take_outgoing().empty());
}

TEST(Dtls, NoiseDuringTheHandshakeIsDropped) {
  DtlsSession client = make_client();
  DtlsSession server = make_server();
  base::SeededRandom random(8);
  DtlsNetwork network(client, server);
  network.start();
  for (int i = 0; i < 300; ++i) {
    Buffer noise(1 + random.below(100));
    random.fill(noise);
    client.handle_datagram(network.now(), noise);
    server.handle_datagram(network.now(), noise);
  }
  network.run_for(seconds(2));
  expect_connected(client, server);
}

}  // namespace
}  // namespace alcove::crypto
