// The leaky app of 2021 through the whole auditor: each leak is found, with the packets that leak;
// its clean twin is clean.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "audit/auditor.h"
#include "audit/capture_reader.h"
#include "support/leaky_captures.h"
#include "support/test_geo.h"
#include "wire/rtp.h"

namespace alcove::audit {
namespace {

using test::Leak;
using test::LeakyCapture;

AuditorOptions options_for(const LeakyCapture& leaky, const policy::GeoDatabase& database) {
  AuditorOptions options;
  options.database = &database;
  options.policy = *policy::parse_policy(
      "unknown = \"deny\"\n[location]\ndeny = [\"CN\"]\n[owner]\ndeny = [\"CN\"]\n");
  options.manifest.emplace();
  options.manifest->manifest = test::twin_manifest();
  options.identifiers = leaky.identifiers;
  return options;
}

Report audit(const LeakyCapture& leaky, AuditorOptions options) {
  Auditor auditor(std::move(options));
  CaptureReader reader(auditor);
  EXPECT_TRUE(reader.feed(leaky.capture.pcap()));
  EXPECT_TRUE(reader.finish());
  return auditor.finish(&reader.counters());
}

std::string list_of(const Report& report) {
  std::string result;
  for (const Finding& finding : report.findings) {
    result +=
        code_text(finding.code) + " " + finding.subject + " x" + std::to_string(finding.count);
    for (const Evidence& evidence : finding.evidence)
      result += " #" + std::to_string(evidence.packet);
    result += "\n";
  }
  return result;
}

// Whether the report names the packet for the code: in the evidence, or counted behind what the
// evidence has room for.
bool names(const Report& report, FindingCode code, std::uint64_t packet) {
  return std::ranges::any_of(report.findings, [&](const Finding& finding) {
    if (finding.code != code) return false;
    const bool in_evidence = std::ranges::any_of(
        finding.evidence, [&](const Evidence& evidence) { return evidence.packet == packet; });
    const bool behind = finding.evidence.size() >= Findings::kMaxEvidence &&
                        packet > finding.evidence.back().packet && packet <= finding.last_packet;
    return in_evidence || behind;
  });
}

class LeakyApp : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::opus_speech(1).empty()) GTEST_SKIP() << "needs the recordings of alsa-utils";
  }
  const std::unique_ptr<policy::GeoDatabase> database_ = test::open_test_geo();
};

TEST_F(LeakyApp, EachLeakIsFoundWithItsPackets) {
  const LeakyCapture leaky = test::make_leaky_app();
  const Report report = audit(leaky, options_for(leaky, *database_));
  for (const Leak& leak : leaky.leaks) {
    const auto code = code_text(leak.code);
    // Of a stream the evidence may begin once it is long enough to be recognised.
    const bool stream = leak.packets.size() > 100;
    const std::uint64_t packet = stream ? leak.packets[100] : leak.packets.front();
    EXPECT_TRUE(names(report, leak.code, packet))
        << code << " " << leak.what << ": packet " << packet << " is not named\n"
        << list_of(report);
  }
}

TEST_F(LeakyApp, WhereItWentIsCountedToThePacket) {
  const LeakyCapture leaky = test::make_leaky_app();
  const Report report = audit(leaky, options_for(leaky, *database_));
  for (const FindingCode code : {FindingCode::kDeniedCountry, FindingCode::kDeniedOwner}) {
    std::set<std::uint64_t> expected;
    for (const Leak& leak : leaky.leaks)
      if (leak.code == code) expected.insert(leak.packets.begin(), leak.packets.end());
    std::uint64_t counted = 0;
    for (const Finding& finding : report.findings) {
      if (finding.code != code) continue;
      counted += finding.count;
      for (const Evidence& evidence : finding.evidence)
        EXPECT_TRUE(expected.contains(evidence.packet)) << code_text(code) << evidence.packet;
    }
    EXPECT_EQ(counted, expected.size()) << code_text(code) << "\n" << list_of(report);
  }
}

TEST_F(LeakyApp, NothingIsBlamedOnOtherPackets) {
  const LeakyCapture leaky = test::make_leaky_app();
  const Report report = audit(leaky, options_for(leaky, *database_));
  for (const FindingCode code :
       {FindingCode::kKnownIdentifier, FindingCode::kDeviceString, FindingCode::kVendorProtocol,
        FindingCode::kToken, FindingCode::kRtpInClear, FindingCode::kOpusReadable,
        FindingCode::kPcmuReadable, FindingCode::kRtcpName, FindingCode::kAnycast}) {
    std::set<std::uint64_t> expected;
    for (const Leak& leak : leaky.leaks)
      if (leak.code == code) expected.insert(leak.packets.begin(), leak.packets.end());
    for (const Finding& finding : report.findings) {
      if (finding.code != code) continue;
      for (const Evidence& evidence : finding.evidence)
        EXPECT_TRUE(expected.contains(evidence.packet))
            << code_text(code) << " " << finding.subject << " packet " << evidence.packet << " \""
            << evidence.excerpt << "\"";
    }
  }
}

TEST_F(LeakyApp, SecretsAreCutInExcerpts) {
  const LeakyCapture leaky = test::make_leaky_app();
  const Report report = audit(leaky, options_for(leaky, *database_));
  const std::string text = to_json(report, Language::kEnglish);
  EXPECT_EQ(text.find("IABx0nU5bMp2Qm8c1rT0Wq6zvYkz5uY3sYl7V0oQe3G1CMhOQb"), std::string::npos);
  EXPECT_EQ(text.find("7c1e0f93a5b84d62c7d19e0fa3b58264c1d7e9f0"), std::string::npos);
}

TEST_F(LeakyApp, AudioIsFoundAmongDecoys) {
  test::CaptureBuilder capture;
  capture.set_step(std::chrono::microseconds(500));
  std::mt19937 random(7);
  std::uint16_t sequence = 100;
  const auto from = test::at("192.168.1.23", 50010), to = test::at("198.51.100.9", 4000);
  const auto send = [&](std::uint8_t type, std::uint16_t number, std::uint32_t timestamp,
                        std::uint32_t ssrc, base::Bytes payload) {
    base::Buffer packet(wire::kRtpHeaderSize + payload.size());
    wire::write_rtp_header(std::span(packet).first<wire::kRtpHeaderSize>(),
                           {false, type, number, timestamp, ssrc});
    std::ranges::copy(payload, packet.begin() + wire::kRtpHeaderSize);
    capture.udp(from, to, packet);
  };
  // Sources that go on for two packets and never again hold no place for good.
  for (std::uint32_t i = 0; i < 512; ++i) {
    const auto number = static_cast<std::uint16_t>(1 + i % 2);
    send(0, number, number * 160U, 0x70000000 + i / 2, base::Buffer(20, 0x55));
  }
  for (const base::Buffer& frame : test::pcmu_speech(300)) {
    for (int i = 0; i < 39; ++i) {
      const base::Buffer noise{static_cast<std::uint8_t>(random()), 1, 2, 3, 4, 5, 6, 7};
      send(0, static_cast<std::uint16_t>(random()), random(), random(), noise);
    }
    send(0, sequence, sequence * 160U, 0x12345678, frame);
    ++sequence;
  }
  AuditorOptions options;
  options.database = database_.get();
  Auditor auditor(std::move(options));
  CaptureReader reader(auditor);
  ASSERT_TRUE(reader.feed(capture.pcap()));
  ASSERT_TRUE(reader.finish());
  const Report report = auditor.finish(&reader.counters());
  EXPECT_TRUE(std::ranges::any_of(report.findings, [](const Finding& finding) {
    return finding.code == FindingCode::kPcmuReadable;
  })) << list_of(report);
}

TEST_F(LeakyApp, TheCleanTwinIsClean) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const LeakyCapture twin = test::make_clean_twin(seed);
    const Report report = audit(twin, options_for(twin, *database_));
    EXPECT_TRUE(report.clean()) << "seed " << seed << "\n" << list_of(report);
    EXPECT_FALSE(report.media.empty());
    for (const MediaStreamSummary& stream : report.media)
      EXPECT_EQ(stream.protection, Protection::kEncrypted);
  }
}

}  // namespace
}  // namespace alcove::audit
