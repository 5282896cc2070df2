#pragma once
// A report made by hand, with names as an attacker would choose them.

#include "audit/report.h"
#include "base/text.h"

namespace alcove::audit::test {

inline constexpr std::string_view kHostile =
    "\"><script>alert(1)</script><img src=x onerror='a'>&\x1b[31m\r\n\xff\xe2\x80\xae";

inline Finding make_finding(FindingCode code, std::string subject, std::uint64_t packet) {
  Finding finding;
  finding.code = code;
  finding.subject = std::move(subject);
  finding.detail_en = "A detail.";
  finding.detail_fr = "Un détail.";
  finding.count = 1234;
  finding.last_packet = packet + 5000;
  finding.flows = {1};
  finding.evidence = {{.packet = packet,
                       .time = CaptureTime(std::chrono::seconds(1790000000)),
                       .flow = 1,
                       .excerpt = std::string(kHostile)}};
  return finding;
}

inline FlowSummary make_flow(std::uint32_t id, std::string_view server, std::uint64_t bytes) {
  FlowSummary flow;
  flow.id = id;
  flow.key.client = {*base::IpAddress::parse("198.51.100.50"), 50000};
  flow.key.server = {*base::IpAddress::parse(server), 4000};
  flow.key.protocol = ip_protocol::kUdp;
  flow.traffic[0] = {.packets = 12,
                     .bytes = bytes,
                     .payload_bytes = bytes / 2,
                     .first_number = 3,
                     .last_number = 77,
                     .first = CaptureTime(std::chrono::seconds(1790000000)),
                     .last = CaptureTime(std::chrono::seconds(1790000009))};
  flow.application = Application::kRtp;
  flow.server_name = kHostile;
  flow.decision.address = flow.key.server.ip;
  flow.denied = true;
  flow.decision.allowed = false;
  flow.decision.reason = policy::Reason::kDeniedOwnerCountry;
  flow.decision.record = {.country = *policy::Country::parse("DE"),
                          .asn = 64511,
                          .owner = std::string(kHostile),
                          .owner_country = *policy::Country::parse("CN"),
                          .anycast = false};
  return flow;
}

inline MediaStreamSummary make_stream(std::uint32_t ssrc, Protection protection) {
  MediaStreamSummary stream;
  stream.flow = 1;
  stream.ssrc = ssrc;
  stream.packets = 500;
  stream.protection = protection;
  stream.codec = protection == Protection::kNone ? Codec::kOpus : Codec::kNone;
  stream.speech = protection == Protection::kNone;
  stream.distinct_sizes = protection == Protection::kNone ? 60 : 1;
  stream.size_entropy = protection == Protection::kNone ? 4.25 : 0;
  stream.byte_entropy = 7.97;
  stream.sizes[5] = 500;
  if (protection == Protection::kNone)
    for (std::size_t i = 1; i < 12; ++i) stream.sizes[i] = static_cast<std::uint32_t>(i * 17 % 90);
  return stream;
}

inline Report make_report() {
  Report report;
  report.tool = "alcove-audit 0.1.0";
  report.input = std::string("capture ") + std::string(kHostile);
  report.format = "pcapng 1.0";
  report.begin = CaptureTime(std::chrono::seconds(1790000000));
  report.end = report.begin + std::chrono::seconds(3725);
  report.capture.frames = 1234567;
  report.capture.bytes = 2'500'000'000;
  report.packets.packets = 1234000;
  report.flow_counters.flows = 4321;
  report.has_policy = true;
  report.has_manifest = true;
  report.database = {.name = "geo.mmdb", .date = "2026-06-17", .sha256 = {1, 2, 3}};
  report.policy_text = "# <b>rules</b>\n[location]\ndeny = [\"CN\"]\n";
  report.policy_sha256 = std::string(64, 'a');
  report.manifest = {.key_hash = std::string(64, 'b'),
                     .sha256 = std::string(64, 'c'),
                     .serial = 7,
                     .created_at_ms = 1790000000000,
                     .endpoints = 3,
                     .software = std::string(kHostile)};
  report.identifiers = 2;
  report.flows = {make_flow(1, "192.0.2.10", 2'000'000), make_flow(2, "203.0.113.10", 100)};
  report.flows_left_out = 4319;
  report.countries = {{.country = *policy::Country::parse("CN"),
                       .private_addresses = false,
                       .flows = 1,
                       .packets = 5,
                       .bytes = 480,
                       .denied = true},
                      {.country = *policy::Country::parse("DE"),
                       .private_addresses = false,
                       .flows = 4319,
                       .packets = 1'233'000,
                       .bytes = 2'400'000'000,
                       .denied = false},
                      {.country = {},
                       .private_addresses = true,
                       .flows = 1,
                       .packets = 995,
                       .bytes = 90'000,
                       .denied = false}};
  report.timeline.begin = report.begin;
  report.timeline.bin = std::chrono::milliseconds(32768);
  for (std::uint64_t i = 0; i < 114; ++i) {
    report.timeline.bins.push_back({.packets = 5000 + i * i % 4000,
                                    .bytes = 900'000,
                                    .denied_packets = i % 40 == 3 ? 2U : 0U,
                                    .media_packets = i > 10 ? 4000U : 0U});
  }
  report.media = {make_stream(0x5eed1234, Protection::kNone),
                  make_stream(0xabcd, Protection::kEncrypted)};
  report.findings = {make_finding(FindingCode::kDeniedCountry, "China (CN)", 12),
                     make_finding(FindingCode::kKnownIdentifier, std::string(kHostile), 40),
                     make_finding(FindingCode::kOpusReadable, "192.0.2.10:4000/udp", 100),
                     make_finding(FindingCode::kCleartextDns, "198.51.100.80:53", 1)};
  report.findings_left_out = 3;
  return report;
}

}  // namespace alcove::audit::test
