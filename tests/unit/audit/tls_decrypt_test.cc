#include "audit/tls_decrypt.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "audit/packet.h"
#include "support/capture_builder.h"
#include "support/tls_session.h"

namespace alcove::audit {
namespace {

const auto kClient = test::at("198.51.100.10", 40'000);
const auto kServer = test::at("198.51.100.20", 443);

class PlaintextRecorder final : public Inspector {
 public:
  void handle_decrypted(Flow&, Direction direction, const StreamPiece& piece) override {
    std::string& side = text[direction == Direction::kForward ? 0 : 1];
    EXPECT_EQ(piece.offset, side.size());
    EXPECT_GT(piece.number, 3U);
    side += base::as_text(piece.bytes);
  }
  std::array<std::string, 2> text;
};

struct Audited {
  Findings findings;
  KeyLog keys;
  PlaintextRecorder recorder;
  TlsDecrypt::Counters counters;

  // leave_out: the index of a piece of the wire that the capture lacks.
  void go(const test::TlsTranscript& transcript, std::size_t leave_out = SIZE_MAX) {
    test::CaptureBuilder builder;
    test::CaptureBuilder::Tcp tcp(builder, kClient, kServer);
    std::vector<std::uint64_t> missing;
    for (std::size_t i = 0; i < transcript.wire.size(); ++i) {
      const std::uint64_t number = transcript.wire[i].from_client
                                       ? tcp.send(transcript.wire[i].bytes)
                                       : tcp.receive(transcript.wire[i].bytes);
      if (i == leave_out) missing.push_back(number);
    }
    tcp.close();
    TlsDecrypt decrypt(findings, keys);
    FlowTable table({&decrypt, &recorder});
    decrypt.set_flow_table(&table);
    PacketDecoder decoder;
    for (const Frame& frame : builder.frames()) {
      if (std::ranges::find(missing, frame.number) != missing.end()) continue;
      if (const Packet* packet = decoder.decode(frame)) table.handle_packet(*packet);
    }
    table.finish();
    counters = decrypt.counters();
  }
  bool has(FindingCode code) const {
    return std::ranges::any_of(findings.sorted(), [&](const auto& f) { return f.code == code; });
  }
};

const std::vector<std::string> kMessages = {"GET /room/42 HTTP/1.1\r\n\r\n",
                                            "HTTP/1.1 200 OK\r\n\r\n",
                                            "second question",
                                            "second answer",
                                            "third question",
                                            "third answer"};
const std::string kAsked = kMessages[0] + kMessages[2] + kMessages[4];
const std::string kAnswered = kMessages[1] + kMessages[3] + kMessages[5];

class TlsDecryptSuites : public testing::TestWithParam<test::TlsSettings> {};

TEST_P(TlsDecryptSuites, OpensWithTheKeyLog) {
  const auto transcript = test::tls_session(GetParam(), kMessages);
  Audited run;
  run.keys.add(transcript.key_log);
  run.go(transcript);
  EXPECT_EQ(run.recorder.text[0], kAsked);
  EXPECT_EQ(run.recorder.text[1], kAnswered);
  EXPECT_EQ(run.counters.sessions, 1U);
  EXPECT_EQ(run.counters.unopened_records, 0U);
  EXPECT_EQ(run.findings.size(), 0U);
}

TEST_P(TlsDecryptSuites, GoesOnAfterAHole) {
  const auto transcript = test::tls_session(GetParam(), kMessages);
  std::size_t second = 0;
  for (std::size_t i = 0, seen = 0; i < transcript.wire.size() && second == 0; ++i) {
    // The client's last message but one.
    const bool late = i + 6 >= transcript.wire.size();
    if (late && transcript.wire[i].from_client && seen++ == 0) second = i;
  }
  Audited run;
  run.keys.add(transcript.key_log);
  run.go(transcript, second);
  EXPECT_NE(run.recorder.text[0].find("question"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Suites, TlsDecryptSuites,
                         testing::Values(test::TlsSettings{true, "TLS_AES_128_GCM_SHA256"},
                                         test::TlsSettings{true, "TLS_AES_256_GCM_SHA384"},
                                         test::TlsSettings{true, "TLS_CHACHA20_POLY1305_SHA256"},
                                         test::TlsSettings{true, "TLS_AES_128_GCM_SHA256", true},
                                         test::TlsSettings{false, "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                         test::TlsSettings{false, "ECDHE-ECDSA-AES256-GCM-SHA384"},
                                         test::TlsSettings{false,
                                                           "ECDHE-ECDSA-CHACHA20-POLY1305"}));

TEST(TlsDecrypt, OpensWithTrafficSecretsAlone) {
  const auto transcript = test::tls_session({true, ""}, kMessages);
  Audited run;
  for (std::size_t at = 0; at < transcript.key_log.size();) {
    const std::size_t end = transcript.key_log.find('\n', at) + 1;
    const std::string line = transcript.key_log.substr(at, end - at);
    if (line.find("HANDSHAKE") == std::string::npos) run.keys.add(line);
    at = end;
  }
  run.go(transcript);
  EXPECT_EQ(run.recorder.text[0], kAsked);
  EXPECT_EQ(run.recorder.text[1], kAnswered);
}

TEST(TlsDecrypt, KeysOfAnotherSessionOpenNothing) {
  const auto transcript = test::tls_session({true, ""}, kMessages);
  Audited run;
  run.keys.add(test::tls_session({true, ""}, {}).key_log);
  run.go(transcript);
  EXPECT_EQ(run.recorder.text[0] + run.recorder.text[1], "");
  EXPECT_EQ(run.counters.sessions, 0U);
  EXPECT_EQ(run.findings.size(), 0U);
}

TEST(TlsDecrypt, TellsWhatTheKeysDoNotOpen) {
  // A suite that is not opened, and secrets that are wrong.
  const auto cbc = test::tls_session({false, "ECDHE-ECDSA-AES128-SHA"}, kMessages);
  Audited run;
  run.keys.add(cbc.key_log);
  run.go(cbc);
  EXPECT_TRUE(run.has(FindingCode::kUndecryptable));

  auto wrong = test::tls_session({true, ""}, kMessages);
  for (std::size_t at = 0; at < wrong.key_log.size(); ++at)
    if (wrong.key_log[at] == '\n') wrong.key_log[at - 1] = wrong.key_log[at - 1] == '0' ? '1' : '0';
  Audited second;
  second.keys.add(wrong.key_log);
  second.go(wrong);
  EXPECT_EQ(second.recorder.text[0] + second.recorder.text[1], "");
  EXPECT_TRUE(second.has(FindingCode::kUndecryptable));
}

}  // namespace
}  // namespace alcove::audit
