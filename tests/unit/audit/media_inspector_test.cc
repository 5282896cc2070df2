#include "audit/media_inspector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "audit/flow_table.h"
#include "audit/packet.h"
#include "support/audio_streams.h"
#include "support/capture_builder.h"
#include "support/tls_session.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

namespace alcove::audit {
namespace {

const auto kClient = test::at("198.51.100.10", 40'000);
const auto kRelay = test::at("203.0.113.7", 4000);
constexpr std::uint32_t kSsrc = 0xabcd1234;

base::Buffer rtp(const wire::RtpFields& fields, base::Bytes payload, base::Bytes extension = {}) {
  base::Buffer packet(wire::kRtpHeaderSize);
  wire::write_rtp_header(std::span<std::uint8_t, 12>(packet.data(), 12), fields);
  if (!extension.empty()) packet[0] |= 0x10;
  packet.insert(packet.end(), extension.begin(), extension.end());
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

// Packets of a stream as whoever sends them makes them: give(packet) for each, in time.
template <typename Give>
void send(test::CaptureBuilder& builder, const test::Payloads& stream, Give&& give,
          std::size_t clock = 48'000) {
  std::uint32_t timestamp = 77;
  builder.set_step(std::chrono::nanoseconds(0));
  for (std::size_t i = 0; i < stream.payloads.size(); ++i) {
    give(wire::RtpFields{.payload_type = stream.payload_type,
                         .sequence = static_cast<std::uint16_t>(65'500 + i),
                         .timestamp = timestamp,
                         .ssrc = kSsrc},
         stream.payloads[i]);
    timestamp += stream.steps[i];
    builder.wait(std::chrono::microseconds(std::uint64_t{stream.steps[i]} * 1'000'000 / clock));
  }
}

test::Pcm speech(double seconds) {
  test::Pcm pcm = test::recordings();
  pcm.resize(std::min(pcm.size(), static_cast<std::size_t>(seconds * 48'000)));
  return pcm;
}

test::Payloads random_stream(std::size_t packets, std::size_t size, std::uint32_t step = 960) {
  std::mt19937_64 random(4);
  test::Payloads stream;
  for (std::size_t i = 0; i < packets; ++i) {
    stream.payloads.push_back(test::random_bytes(random, size));
    stream.steps.push_back(step);
  }
  return stream;
}

struct Audited {
  Findings findings;
  KeyLog keys;
  std::vector<MediaStreamSummary> media;
  MediaInspector::Counters counters;
  std::vector<Application> applications;

  class Watch final : public Inspector {
   public:
    explicit Watch(std::vector<Application>& out) : out_(out) {}
    void handle_flow_end(Flow& flow) override { out_.push_back(flow.application); }

   private:
    std::vector<Application>& out_;
  };

  void go(const test::CaptureBuilder& builder) {
    MediaInspector inspector(findings, keys);
    Watch watch(applications);
    FlowTable table({&inspector, &watch});
    PacketDecoder decoder;
    for (const Frame& frame : builder.frames())
      if (const Packet* packet = decoder.decode(frame)) table.handle_packet(*packet);
    table.finish();
    media = inspector.summaries();
    counters = inspector.counters();
  }
  const Finding* find(FindingCode code) {
    sorted = findings.sorted();
    const auto found = std::ranges::find(sorted, code, &Finding::code);
    return found == sorted.end() ? nullptr : &*found;
  }
  bool has(FindingCode code) { return find(code) != nullptr; }
  std::vector<Finding> sorted;
};

TEST(MediaInspector, OpusInClearIsHeard) {
  test::CaptureBuilder builder;
  builder.udp(kClient, kRelay, "something else");
  send(builder, test::opus_payloads(speech(4), {}), [&](const auto& fields, const auto& payload) {
    builder.udp(kClient, kRelay, rtp(fields, payload));
  });
  Audited run;
  run.go(builder);
  ASSERT_EQ(run.media.size(), 1U);
  const MediaStreamSummary& stream = run.media[0];
  EXPECT_EQ(stream.codec, Codec::kOpus);
  EXPECT_TRUE(stream.speech);
  EXPECT_EQ(stream.protection, Protection::kNone);
  EXPECT_EQ(stream.ssrc, kSsrc);
  EXPECT_EQ(stream.direction, Direction::kForward);
  EXPECT_GT(stream.packets, 190U);
  EXPECT_EQ(stream.last_packet, builder.size());
  EXPECT_EQ(run.applications[0], Application::kRtp);
  for (const FindingCode code : {FindingCode::kRtpInClear, FindingCode::kOpusReadable,
                                 FindingCode::kSpeechReadable, FindingCode::kSizesTellSpeech})
    EXPECT_TRUE(run.has(code)) << code_text(code);
  const Finding* finding = run.find(FindingCode::kOpusReadable);
  EXPECT_EQ(finding->subject, "203.0.113.7:4000/udp");
  // Frame 1 was something else.
  EXPECT_EQ(finding->evidence.front().packet, 2U);
  EXPECT_EQ(finding->evidence.size(), Findings::kMaxEvidence);
  EXPECT_EQ(finding->count, builder.size() - 1);
  EXPECT_EQ(finding->last_packet, builder.size());
  EXPECT_FALSE(run.has(FindingCode::kMediaUnopened));
}

TEST(MediaInspector, ConstantEncryptedStreamIsClean) {
  test::CaptureBuilder builder;
  send(builder, random_stream(400, 96), [&](const auto& fields, const auto& payload) {
    builder.udp(kClient, kRelay, rtp(fields, payload));
  });
  Audited run;
  run.go(builder);
  ASSERT_EQ(run.media.size(), 1U);
  EXPECT_EQ(run.media[0].protection, Protection::kEncrypted);
  EXPECT_EQ(run.media[0].distinct_sizes, 1U);
  EXPECT_EQ(run.media[0].size_entropy, 0);
  EXPECT_EQ(run.media[0].sizes[3], run.media[0].packets);
  EXPECT_GT(run.media[0].byte_entropy, 7.98);
  EXPECT_EQ(run.applications[0], Application::kSrtp);
  EXPECT_EQ(run.findings.size(), 0U);
}

TEST(MediaInspector, SizesOfAnEncryptedVoiceTell) {
  std::mt19937_64 random(1);
  test::Payloads stream = test::opus_payloads(speech(5), {.dtx = true});
  for (base::Buffer& payload : stream.payloads)
    payload = test::random_bytes(random, payload.size() + 16);
  test::CaptureBuilder builder;
  send(builder, stream, [&](const auto& fields, const auto& payload) {
    builder.udp(kClient, kRelay, rtp(fields, payload));
  });
  Audited run;
  run.go(builder);
  EXPECT_TRUE(run.has(FindingCode::kSizesTellSpeech));
  EXPECT_FALSE(run.has(FindingCode::kRtpInClear));
}

TEST(MediaInspector, ShortBurstsTellSilence) {
  test::Payloads stream = random_stream(400, 96);
  for (std::size_t i = 19; i < 400; i += 20) stream.steps[i] = 960 * 15;  // 0.4 s on, 0.3 s off
  test::CaptureBuilder builder;
  send(builder, stream, [&](const auto& fields, const auto& payload) {
    builder.udp(kClient, kRelay, rtp(fields, payload));
  });
  Audited run;
  run.go(builder);
  EXPECT_TRUE(run.has(FindingCode::kSilenceTold));

  // With 1.2 s of going on after each word nothing is told.
  test::Payloads calm = random_stream(600, 96);
  for (std::size_t i = 69; i < 600; i += 70) calm.steps[i] = 960 * 15;
  test::CaptureBuilder second;
  send(second, calm, [&](const auto& fields, const auto& payload) {
    second.udp(kClient, kRelay, rtp(fields, payload));
  });
  Audited other;
  other.go(second);
  EXPECT_EQ(other.findings.size(), 0U);
}

TEST(MediaInspector, WaveformCodecsInTcpAndTurn) {
  const test::Pcm narrow = test::resample(speech(4), 48'000, 8'000);
  test::CaptureBuilder framed;
  test::CaptureBuilder::Tcp tcp(framed, kClient, kRelay);
  send(
      framed, test::mu_law_payloads(narrow),
      [&](const auto& fields, const auto& payload) {
        const base::Buffer packet = rtp(fields, payload);
        base::Buffer bytes = {static_cast<std::uint8_t>(packet.size() >> 8),
                              static_cast<std::uint8_t>(packet.size())};
        bytes.insert(bytes.end(), packet.begin(), packet.end());
        tcp.send(base::Bytes(bytes).first(50));  // cut where it falls
        tcp.send(base::Bytes(bytes).subspan(50));
      },
      8'000);
  Audited run;
  run.go(framed);
  EXPECT_TRUE(run.has(FindingCode::kPcmuReadable));
  EXPECT_EQ(run.find(FindingCode::kPcmuReadable)->subject, "203.0.113.7:4000/tcp");

  test::CaptureBuilder turn;
  send(
      turn, test::a_law_payloads(narrow),
      [&](const auto& fields, const auto& payload) {
        const base::Buffer packet = rtp(fields, payload);
        base::Buffer bytes = {0x40, 0x01, static_cast<std::uint8_t>(packet.size() >> 8),
                              static_cast<std::uint8_t>(packet.size())};
        bytes.insert(bytes.end(), packet.begin(), packet.end());
        turn.udp(kClient, kRelay, bytes);
      },
      8'000);
  Audited second;
  second.go(turn);
  EXPECT_TRUE(second.has(FindingCode::kPcmaReadable));
  EXPECT_TRUE(second.has(FindingCode::kSpeechReadable));
}

TEST(MediaInspector, SendIndicationsAreUnwrapped) {
  const test::Payloads stream = test::g722_payloads(test::resample(speech(4), 48'000, 16'000));
  test::CaptureBuilder builder;
  send(
      builder, stream,
      [&](const auto& fields, const auto& payload) {
        base::Buffer packet = rtp(fields, payload);
        base::Buffer bytes = {0x00, 0x16, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2,    3, 4,
                              5,    6,    7, 8, 9,    10,   11,   12,   0, 0x12, 0, 8,
                              0,    1,    1, 1, 2,    2,    2,    2,    0, 0x13};
        bytes.push_back(static_cast<std::uint8_t>(packet.size() >> 8));
        bytes.push_back(static_cast<std::uint8_t>(packet.size()));
        bytes[3] = static_cast<std::uint8_t>(16 + packet.size());
        bytes.insert(bytes.end(), packet.begin(), packet.end());
        builder.udp(kClient, kRelay, bytes);
      },
      8'000);
  Audited run;
  run.go(builder);
  EXPECT_TRUE(run.has(FindingCode::kG722Readable));
}

TEST(MediaInspector, RtcpInClearAndItsNames) {
  std::array<std::uint8_t, 200> buffer;
  wire::RtcpWriter writer(buffer);
  writer.add_receiver_report(kSsrc, {});
  const wire::SourceName name{kSsrc, "anna@192.168.1.20"};
  writer.add_source_names(std::span(&name, 1));
  const base::Bytes compound = writer.finish();
  test::CaptureBuilder builder;
  builder.udp(kClient, kRelay, compound);
  // SRTCP of the same: encrypted after eight bytes, with index and tag.
  base::Buffer sealed = base::to_buffer(compound);
  std::mt19937_64 random(9);
  const base::Buffer pad = test::random_bytes(random, sealed.size());
  for (std::size_t i = 8; i < sealed.size(); ++i) sealed[i] ^= pad[i];
  for (const std::uint8_t byte : {0x80, 0, 0, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0})
    sealed.push_back(byte);
  builder.udp(kClient, test::at("198.51.100.99", 5000), sealed);
  Audited run;
  run.go(builder);
  ASSERT_TRUE(run.has(FindingCode::kUnencryptedRtcp));
  EXPECT_EQ(run.find(FindingCode::kUnencryptedRtcp)->count, 1U);
  ASSERT_TRUE(run.has(FindingCode::kRtcpName));
  EXPECT_EQ(run.find(FindingCode::kRtcpName)->subject, "anna@192.168.1.20");
  EXPECT_EQ(run.find(FindingCode::kRtcpName)->evidence[0].packet, 1U);
}

// level(i): the one-byte element's value of packet i.
template <typename Level>
bool tells_audio_level(Level&& level) {
  test::CaptureBuilder builder;
  std::size_t i = 0;
  send(builder, random_stream(300, 96), [&](const auto& fields, const auto& payload) {
    const base::Buffer extension = {0xbe, 0xde, 0, 1, 0x10, static_cast<std::uint8_t>(level(i++)),
                                    0,    0};
    builder.udp(kClient, kRelay, rtp(fields, payload, extension));
  });
  Audited run;
  run.go(builder);
  return run.has(FindingCode::kAudioLevelInClear);
}

TEST(MediaInspector, AudioLevelsAreKnownByTheirMovement) {
  std::mt19937 random(3);
  int walk = 40;
  EXPECT_TRUE(tells_audio_level([&](std::size_t i) {
    if (i % 60 > 40) return 127;
    walk = std::clamp(walk + static_cast<int>(random() % 9) - 4, 20, 80);
    return 0x80 | walk;
  }));
  EXPECT_FALSE(tells_audio_level([](std::size_t) { return '0'; }));              // a MID
  EXPECT_FALSE(tells_audio_level([](std::size_t i) { return i; }));              // a counter
  EXPECT_FALSE(tells_audio_level([&](std::size_t) { return random() & 255; }));  // RFC 6904
  EXPECT_FALSE(tells_audio_level([](std::size_t i) { return i / 100; }));        // an orientation
}

struct Srtp {
  explicit Srtp(const std::string& profile) : transcript(test::dtls_session(profile)) {
    for (const test::WireBytes& datagram : transcript.wire)
      builder.udp(datagram.from_client ? kClient : kRelay, datagram.from_client ? kRelay : kClient,
                  datagram.bytes);
  }
  void send_protected(const test::Payloads& stream, bool from_client) {
    crypto::SrtpSender sender(from_client ? transcript.client : transcript.server);
    std::uint32_t rollover = 0;
    std::uint16_t last = 0;
    send(builder, stream, [&](const wire::RtpFields& fields, const base::Buffer& payload) {
      base::Buffer out(wire::kRtpHeaderSize + payload.size() + 32);
      const base::Buffer header = rtp(fields, {});
      if (fields.sequence < last) ++rollover;
      last = fields.sequence;
      out.resize(sender.protect_rtp(header, payload, rollover, out));
      builder.udp(from_client ? kClient : kRelay, from_client ? kRelay : kClient, out);
    });
  }
  test::DtlsTranscript transcript;
  test::CaptureBuilder builder;
};

class MediaInspectorKeys : public testing::TestWithParam<const char*> {};

TEST_P(MediaInspectorKeys, PlainOpusBehindSrtpIsFound) {
  for (const bool from_client : {true, false}) {
    Srtp srtp(GetParam());
    srtp.send_protected(test::opus_payloads(speech(4), {}), from_client);
    Audited run;
    run.keys.add(srtp.transcript.key_log);
    run.go(srtp.builder);
    ASSERT_EQ(run.media.size(), 1U);
    EXPECT_EQ(run.media[0].protection, Protection::kOpenedPlain);
    EXPECT_EQ(run.media[0].codec, Codec::kOpus);
    EXPECT_TRUE(run.media[0].speech);
    EXPECT_TRUE(run.has(FindingCode::kNoInnerEncryption));
    EXPECT_FALSE(run.has(FindingCode::kOpusReadable));
    EXPECT_FALSE(run.has(FindingCode::kUndecryptable));
    EXPECT_GT(run.counters.opened_packets, 150U);
    EXPECT_EQ(run.applications[0], Application::kSrtp);

    // Without keys it is a sealed stream, and no more.
    Audited blind;
    blind.go(srtp.builder);
    EXPECT_EQ(blind.media[0].protection, Protection::kEncrypted);
    EXPECT_EQ(blind.media[0].codec, Codec::kNone);
    EXPECT_FALSE(blind.has(FindingCode::kRtpInClear));
  }
}

TEST_P(MediaInspectorKeys, SFrameBehindSrtpIsTold) {
  std::mt19937_64 random(5);
  test::Payloads stream;
  for (std::uint64_t i = 0; i < 300; ++i) {
    stream.payloads.push_back(test::sframe_like(0x1234567, i, test::random_bytes(random, 96)));
    stream.steps.push_back(960);
  }
  Srtp srtp(GetParam());
  srtp.send_protected(stream, true);
  Audited run;
  run.keys.add(srtp.transcript.key_log);
  run.go(srtp.builder);
  ASSERT_EQ(run.media.size(), 1U);
  EXPECT_EQ(run.media[0].protection, Protection::kOpenedInner);
  EXPECT_TRUE(run.has(FindingCode::kInnerEncryption));
  EXPECT_EQ(run.findings.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Profiles, MediaInspectorKeys,
                         testing::Values("SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"));

TEST(MediaInspector, TellsWhatKeysDidNotOpen) {
  // A profile that is not opened.
  const auto other = test::dtls_session("SRTP_AEAD_AES_256_GCM");
  test::CaptureBuilder builder;
  for (const test::WireBytes& datagram : other.wire)
    builder.udp(datagram.from_client ? kClient : kRelay, datagram.from_client ? kRelay : kClient,
                datagram.bytes);
  send(builder, random_stream(200, 96), [&](const auto& fields, const auto& payload) {
    builder.udp(kClient, kRelay, rtp(fields, payload));
  });
  Audited run;
  run.keys.add(other.key_log);
  run.go(builder);
  EXPECT_TRUE(run.has(FindingCode::kUndecryptable));

  // Keys of another session.
  Audited unopened;
  unopened.keys.add(test::dtls_session("SRTP_AEAD_AES_128_GCM").key_log);
  unopened.go(builder);
  EXPECT_TRUE(unopened.has(FindingCode::kMediaUnopened));
  EXPECT_FALSE(unopened.has(FindingCode::kUndecryptable));

  // The right session with a wrong secret: nothing is authentic.
  Srtp srtp("SRTP_AEAD_AES_128_GCM");
  srtp.send_protected(random_stream(200, 96), true);
  std::string log = srtp.transcript.key_log;
  log[log.size() - 2] = log[log.size() - 2] == '0' ? '1' : '0';
  Audited wrong;
  wrong.keys.add(log);
  wrong.go(srtp.builder);
  EXPECT_TRUE(wrong.has(FindingCode::kUndecryptable));
}

// Sources that never become streams, and more streams than are followed.
TEST(MediaInspector, IsBounded) {
  test::CaptureBuilder builder;
  std::mt19937_64 random(6);
  const base::Buffer payload = test::random_bytes(random, 40);
  for (std::uint32_t i = 0; i < 1000; ++i)
    builder.udp(kClient, kRelay, rtp({.sequence = 1, .ssrc = i}, payload));
  for (std::uint16_t sequence = 0; sequence < 5; ++sequence)
    for (std::uint32_t flow = 0; flow < 300; ++flow)
      for (std::uint32_t ssrc = 0; ssrc < 16; ++ssrc)
        builder.udp(
            test::at("198.51.100.10", static_cast<std::uint16_t>(10'000 + flow)), kRelay,
            rtp({.sequence = sequence, .timestamp = sequence * 960U, .ssrc = 77 + ssrc}, payload));
  Audited run;
  run.go(builder);
  EXPECT_EQ(run.media.size(), MediaInspector::kMaxSummaries);
  EXPECT_EQ(run.counters.streams, MediaInspector::kMaxStreams);
  EXPECT_EQ(run.counters.streams_left_out, 300U * 16U - MediaInspector::kMaxStreams);
  EXPECT_EQ(run.counters.summaries_left_out,
            MediaInspector::kMaxStreams - MediaInspector::kMaxSummaries);
  EXPECT_TRUE(run.has(FindingCode::kLimitReached));
}

}  // namespace
}  // namespace alcove::audit
