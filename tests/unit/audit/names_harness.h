#pragma once
// Runs a capture through the inspectors of addresses, names and readable bytes.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/content_inspector.h"
#include "audit/dns_inspector.h"
#include "audit/flow_table.h"
#include "audit/http_inspector.h"
#include "audit/stun_inspector.h"
#include "audit/tls_inspector.h"
#include "audit/where_inspector.h"
#include "support/capture_builder.h"

namespace alcove::audit {

struct NamesHarness {
  explicit NamesHarness(std::vector<std::string> identifiers = {},
                        const policy::Policy* policy = nullptr,
                        const v1::Manifest* manifest = nullptr,
                        const policy::GeoDatabase* geo = nullptr)
      : database(geo != nullptr ? *geo : *empty),
        where(policy, database, manifest, names, findings),
        dns(policy, database, manifest, names, findings),
        tls(findings),
        stun(findings),
        content(identifiers, findings),
        http(content, findings),
        table({&where, &dns, &tls, &stun, &http, &content}) {}

  void run(const test::CaptureBuilder& capture) {
    PacketDecoder decoder;
    for (const Frame& frame : capture.frames())
      if (const Packet* packet = decoder.decode(frame)) table.handle_packet(*packet);
    table.finish();
  }
  std::optional<Finding> find(FindingCode code, std::string_view subject = {}) const {
    for (const Finding& finding : findings.sorted())
      if (finding.code == code && (subject.empty() || finding.subject == subject)) return finding;
    return std::nullopt;
  }
  std::vector<std::uint64_t> packets(FindingCode code, std::string_view subject = {}) const {
    std::vector<std::uint64_t> result;
    for (const Finding& finding : findings.sorted())
      if (finding.code == code && (subject.empty() || finding.subject == subject))
        for (const Evidence& evidence : finding.evidence) result.push_back(evidence.packet);
    return result;
  }
  std::string list() const {
    std::string result;
    for (const Finding& finding : findings.sorted()) {
      result +=
          code_text(finding.code) + " " + finding.subject + " x" + std::to_string(finding.count);
      for (const Evidence& evidence : finding.evidence)
        result += " #" + std::to_string(evidence.packet) + " \"" + evidence.excerpt + "\"";
      result += "\n";
    }
    return result;
  }
  // Every finding that fails an audit.
  std::string grave() const {
    std::string result;
    for (const Finding& finding : findings.sorted())
      if (severity_of(finding.code) != Severity::kInfo)
        result += code_text(finding.code) + " " + finding.subject + "\n";
    return result;
  }

  const std::unique_ptr<policy::GeoDatabase> empty = policy::GeoDatabase::empty();
  const policy::GeoDatabase& database;
  Findings findings;
  NameTable names;
  WhereInspector where;
  DnsInspector dns;
  TlsInspector tls;
  StunInspector stun;
  ContentInspector content;
  HttpInspector http;
  FlowTable table;
};

using Packets = std::vector<std::uint64_t>;

}  // namespace alcove::audit
