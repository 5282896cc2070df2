// Whole audits: a capture in, a report out.

#include "audit/auditor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "policy/manifest.h"
#include "support/capture_builder.h"
#include "support/leaky_captures.h"
#include "support/test_geo.h"

namespace alcove::audit {
namespace {

using alcove::test::at;
using alcove::test::CaptureBuilder;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::string_view kHouse = "198.51.100.10";
constexpr std::string_view kDenied = "203.0.113.10";
constexpr std::string_view kDeniedOwner = "192.0.2.10";

class AuditorTest : public ::testing::Test {
 protected:
  AuditorOptions options() const {
    AuditorOptions options;
    options.database = database_.get();
    options.policy = alcove::test::test_policy();
    options.tool = "alcove-audit test";
    options.input = "test.pcap";
    return options;
  }
  // As a file, in pieces that fit nothing.
  static Report run(AuditorOptions options, const CaptureBuilder& capture) {
    Auditor auditor(std::move(options));
    CaptureReader reader(auditor);
    const base::Buffer file = capture.pcap();
    constexpr std::size_t kPiece = 997;
    for (std::size_t at = 0; at < file.size(); at += kPiece)
      EXPECT_TRUE(reader.feed(base::Bytes(file).subspan(at, std::min(kPiece, file.size() - at))));
    EXPECT_TRUE(reader.finish());
    return auditor.finish(&reader.counters(), reader.format());
  }
  static const Finding* find(const Report& report, FindingCode code) {
    for (const Finding& finding : report.findings)
      if (finding.code == code) return &finding;
    return nullptr;
  }

  std::unique_ptr<policy::GeoDatabase> database_ = alcove::test::open_test_geo();
};

TEST_F(AuditorTest, OnePingToADeniedCountryIsFoundCountedAndDrawn) {
  CaptureBuilder capture;
  for (int i = 0; i < 100; ++i)
    capture.udp(at("198.51.100.50", 5000), at(kHouse, 7878), std::string(160, 'x'));
  const std::uint64_t ping =
      capture.udp(at("198.51.100.50", 5001), at(kDenied, 4000), std::string(8, 'x'));
  const Report report = run(options(), capture);
  EXPECT_FALSE(report.clean());
  const Finding* finding = find(report, FindingCode::kDeniedCountry);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->count, 1);
  EXPECT_EQ(finding->evidence.at(0).packet, ping);
  ASSERT_EQ(report.countries.size(), 2);
  EXPECT_EQ(report.countries[0].country.code(), "CN");
  EXPECT_TRUE(report.countries[0].denied);
  EXPECT_EQ(report.countries[1].country.code(), "DE");
  EXPECT_EQ(report.countries[1].packets, 100);
  EXPECT_EQ(report.timeline.bins.at(100).denied_packets, 1);
  EXPECT_EQ(report.flow_counters.flows, 2);
  ASSERT_EQ(report.flows.size(), 2);
  EXPECT_FALSE(report.flows[0].denied);  // by bytes
  EXPECT_TRUE(report.flows[1].denied);
  EXPECT_EQ(report.capture.frames, 101);
  EXPECT_EQ(report.database.name, "test.mmdb");
}

TEST_F(AuditorTest, ACountryOfTwoKindsOfOwnersIsTwo) {
  CaptureBuilder capture;
  capture.udp(at("198.51.100.50", 5000), at(kHouse, 7878), "to a German company");
  capture.udp(at("198.51.100.50", 5000), at(kDeniedOwner, 7878), "to another's");
  const Report report = run(options(), capture);
  ASSERT_EQ(report.countries.size(), 2);
  for (const CountrySummary& country : report.countries) EXPECT_EQ(country.country.code(), "DE");
  EXPECT_TRUE(report.countries[0].denied);
  EXPECT_FALSE(report.countries[1].denied);
}

TEST_F(AuditorTest, WithoutAPolicyNothingIsDenied) {
  CaptureBuilder capture;
  capture.udp(at("198.51.100.50", 5000), at(kDenied, 7878), "x");
  AuditorOptions options = this->options();
  options.policy.reset();
  const Report report = run(std::move(options), capture);
  EXPECT_TRUE(report.clean());
  EXPECT_FALSE(report.has_policy);
  EXPECT_FALSE(report.countries.at(0).denied);
  EXPECT_EQ(report.countries.at(0).country.code(), "CN");
}

TEST_F(AuditorTest, FindingsAreToldAsTheyCome) {
  CaptureBuilder capture;
  capture.udp(at("198.51.100.50", 5000), at(kDenied, 7878), "x");
  capture.udp(at("198.51.100.50", 5000), at(kDenied, 7878), "x");
  std::vector<FindingCode> told;
  AuditorOptions options = this->options();
  options.on_finding = [&](const Finding& finding) { told.push_back(finding.code); };
  Auditor auditor(std::move(options));
  const auto frames = capture.frames();
  auditor.handle_frame(frames[0]);
  EXPECT_THAT(told, Contains(FindingCode::kDeniedCountry));
  const std::size_t before = told.size();
  auditor.handle_frame(frames[1]);
  EXPECT_EQ(told.size(), before);
  EXPECT_EQ(auditor.progress().frames, 2);
  EXPECT_EQ(auditor.progress().flows, 1);
  const Report report = auditor.finish(nullptr);
  EXPECT_EQ(report.capture.frames, 2);
  EXPECT_EQ(find(report, FindingCode::kDeniedCountry)->count, 2);
}

policy::VerifiedManifest make_manifest(std::string_view relay, std::string policy) {
  policy::VerifiedManifest manifest;
  v1::ManifestEndpoint& endpoint = *manifest.manifest.add_endpoints();
  endpoint.set_purpose(v1::ManifestEndpoint::PURPOSE_RELAY);
  endpoint.add_addresses(std::string(relay));
  endpoint.add_ports(7878);
  endpoint.set_protocol(v1::ManifestEndpoint::PROTOCOL_UDP);
  manifest.manifest.set_policy_toml(std::move(policy));
  manifest.manifest.set_serial(7);
  return manifest;
}

TEST_F(AuditorTest, TheManifestsOwnPolicyIsUsedAndItsEndpointsAreJudged) {
  AuditorOptions options = this->options();
  options.policy.reset();
  options.manifest = make_manifest(kDenied, "[location]\ndeny = [\"CN\"]\n");
  CaptureBuilder capture;
  capture.udp(at("198.51.100.50", 5000), at(kHouse, 7878), "x");
  const Report report = run(std::move(options), capture);
  EXPECT_TRUE(report.has_policy);
  EXPECT_EQ(report.manifest.serial, 7);
  const Finding* finding = find(report, FindingCode::kManifestAgainstPolicy);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->subject, kDenied);
  EXPECT_NE(find(report, FindingCode::kNotInManifest), nullptr);
  EXPECT_FALSE(report.flows.at(0).in_manifest);
}

TEST_F(AuditorTest, AManifestThatCannotBeUsedIsAFinding) {
  CaptureBuilder capture;
  capture.udp(at("198.51.100.50", 5000), at(kHouse, 7878), "x");
  AuditorOptions options = this->options();
  options.manifest_fault_en = "Changed.";
  options.manifest_fault_fr = "Changé.";
  const Report report = run(std::move(options), capture);
  ASSERT_NE(find(report, FindingCode::kManifestInvalid), nullptr);
  EXPECT_FALSE(report.has_manifest);
  options = this->options();
  options.policy.reset();
  options.manifest = make_manifest(kHouse, "[location]\nrefuse = 1\n");
  const Report other = run(std::move(options), capture);
  EXPECT_NE(find(other, FindingCode::kManifestInvalid), nullptr);
  EXPECT_FALSE(other.has_policy);
}

TEST_F(AuditorTest, CutFramesAreCountedWithTheirNumbers) {
  CaptureBuilder capture;
  for (int i = 0; i < 5; ++i)
    capture.udp(at("198.51.100.50", 5000), at(kHouse, 7878), std::string(100, 'x'));
  Auditor auditor(options());
  std::vector<Frame> frames = capture.frames();
  for (const std::size_t index : {1U, 3U}) frames[index].bytes = frames[index].bytes.first(80);
  for (const Frame& frame : frames) auditor.handle_frame(frame);
  const Report report = auditor.finish(nullptr);
  const Finding* finding = find(report, FindingCode::kCutFrames);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->count, 2);
  EXPECT_EQ(finding->evidence.at(0).packet, 2);
  EXPECT_EQ(finding->last_packet, 4);
}

TEST_F(AuditorTest, WhatTheFileSaysOfItselfIsTold) {
  CaptureBuilder capture;
  capture.udp(at("198.51.100.50", 5000), at(kHouse, 7878), "x");
  Auditor auditor(options());
  for (const Frame& frame : capture.frames()) auditor.handle_frame(frame);
  const CaptureReader::Counters counters{
      .frames = 1, .dropped_by_capture = 17, .bad_blocks = 1, .ended_early = true};
  const Report report = auditor.finish(&counters, "pcapng 1.0");
  EXPECT_NE(find(report, FindingCode::kDroppedByCapture), nullptr);
  EXPECT_NE(find(report, FindingCode::kEndedEarly), nullptr);
  EXPECT_THAT(find(report, FindingCode::kDroppedByCapture)->detail_en, HasSubstr("17"));
}

TEST_F(AuditorTest, FlowsAreBoundedAndThoseWithFindingsAreKept) {
  CaptureBuilder capture;
  constexpr std::uint16_t kFlows = 6000;
  for (std::uint16_t port = 1; port <= kFlows; ++port)
    capture.udp(at("198.51.100.50", static_cast<std::uint16_t>(10000 + port)), at(kHouse, 7878),
                std::string(100, 'x'));
  capture.udp(at("198.51.100.50", 9999), at(kDenied, 4000), "a small one");
  const Report report = run(options(), capture);
  EXPECT_EQ(report.flows.size(), 2001);
  EXPECT_EQ(report.flows_left_out, kFlows - 2000);
  EXPECT_THAT(report.flows, Contains(::testing::Field(&FlowSummary::denied, true)));
  EXPECT_EQ(report.countries.at(1).flows, kFlows);
  EXPECT_EQ(std::accumulate(report.timeline.bins.begin(), report.timeline.bins.end(), 0UL,
                            [](auto sum, const Timeline::Bin& bin) { return sum + bin.packets; }),
            kFlows + 1UL);
}

TEST_F(AuditorTest, ReportsOfTheLeakyAppHoldTogether) {
  const alcove::test::LeakyCapture leaky = alcove::test::make_leaky_app();
  AuditorOptions options = this->options();
  options.identifiers = leaky.identifiers;
  options.manifest.emplace().manifest = alcove::test::twin_manifest();
  const Report report = run(std::move(options), leaky.capture);
  EXPECT_FALSE(report.clean());
  EXPECT_EQ(report.identifiers, leaky.identifiers.size());
  // Each leak, with all the packets that a right audit counts.
  for (const alcove::test::Leak& leak : leaky.leaks) {
    std::uint64_t count = 0;
    for (const Finding& finding : report.findings)
      if (finding.code == leak.code) count += finding.count;
    EXPECT_GE(count, leak.packets.size()) << code_text(leak.code) << " " << leak.what;
  }
  EXPECT_FALSE(report.media.empty());
  for (const Language language : {Language::kEnglish, Language::kFrench}) {
    EXPECT_THAT(to_html(report, language), HasSubstr("AUD-101"));
    EXPECT_THAT(to_text(report, language), HasSubstr("AUD-101"));
    EXPECT_EQ(nlohmann::json::parse(to_json(report, language))["findings"].size(),
              report.findings.size());
    EXPECT_EQ(nlohmann::json::parse(to_sarif(report, language))["runs"][0]["results"].size(),
              report.findings.size());
  }
}

TEST_F(AuditorTest, TheCleanTwinIsClean) {
  const alcove::test::LeakyCapture twin = alcove::test::make_clean_twin();
  AuditorOptions options = this->options();
  options.identifiers = twin.identifiers;
  options.manifest.emplace().manifest = alcove::test::twin_manifest();
  const Report report = run(std::move(options), twin.capture);
  EXPECT_TRUE(report.clean()) << to_text(report, Language::kEnglish);
  EXPECT_FALSE(report.media.empty());
  for (const FlowSummary& flow : report.flows) EXPECT_TRUE(flow.in_manifest) << flow.id;
}

TEST_F(AuditorTest, AnEmptyCaptureIsAReport) {
  Auditor auditor(options());
  const Report report = auditor.finish(nullptr);
  EXPECT_TRUE(report.clean());
  EXPECT_THAT(to_text(report, Language::kEnglish), HasSubstr("no packet"));
  EXPECT_FALSE(to_html(report, Language::kFrench).empty());
}

}  // namespace
}  // namespace alcove::audit
