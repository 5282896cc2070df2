#pragma once
// The outcome of an audit as a value, and how it is written. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/capture_reader.h"
#include "audit/finding.h"
#include "audit/flow_table.h"
#include "audit/media_stream.h"
#include "audit/packet.h"
#include "policy/decide.h"

namespace alcove::audit {

struct FlowSummary {
  std::uint32_t id = 0;
  FlowKey key;
  std::array<FlowTraffic, 2> traffic;
  Application application = Application::kUnknown;
  std::string server_name;
  policy::Decision decision;  // of the remote end: the one that is not private, else the server
  bool denied = false;        // by the policy that was given; false without one
  bool in_manifest = false;
};

// The traffic with one country of destination, over all flows, those not kept one by one included.
// A country of which some addresses are denied and others not, by their owners for example, is two.
struct CountrySummary {
  policy::Country country;  // not known: unknown or private
  bool private_addresses = false;
  std::uint64_t flows = 0, packets = 0, bytes = 0;
  bool denied = false;
};

struct Timeline {  // at most 240 bins over the capture; a bin grows by doubling
  CaptureTime begin;
  std::chrono::nanoseconds bin{0};
  struct Bin {
    std::uint64_t packets = 0, bytes = 0, denied_packets = 0, media_packets = 0;
  };
  std::vector<Bin> bins;
};

// What was signed, for the reader to compare by another way.
struct ManifestFacts {
  std::string key_hash;  // hexadecimal, as the room link's genesis pins it
  std::string sha256;    // hexadecimal, as the transparency log has it
  std::uint64_t serial = 0;
  std::int64_t created_at_ms = 0;
  std::size_t endpoints = 0;
  std::string software;
};

struct Report {
  std::string tool;   // "alcove-audit 0.1.0"
  std::string input;  // the file's name without folders, or the interface
  std::string format;
  CaptureTime begin, end;
  CaptureReader::Counters capture;
  PacketDecoder::Counters packets;
  FlowTable::Counters flow_counters;
  bool has_policy = false, has_manifest = false, has_keys = false;
  std::size_t identifiers = 0;  // how many were sought
  policy::GeoDatabase::Id database;
  std::string policy_text;    // TOML; empty: none, or one without rules
  std::string policy_sha256;  // hexadecimal, as the transparency log has it
  ManifestFacts manifest;     // where has_manifest
  std::vector<FlowSummary>
      flows;  // the 2,000 with the most bytes, and all with a finding (to 4,000)
  std::uint64_t flows_left_out = 0;
  std::vector<CountrySummary> countries;
  Timeline timeline;
  std::vector<MediaStreamSummary> media;  // at most 500
  std::vector<Finding> findings;
  std::uint64_t findings_left_out = 0;

  bool clean() const;  // no finding above Severity::kInfo
};

enum class Language : std::uint8_t { kEnglish, kFrench };

std::string to_text(const Report& report, Language language);
// docs/audit-report.schema.json describes it.
std::string to_json(const Report& report, Language language);
std::string to_sarif(const Report& report, Language language);  // SARIF 2.1.0
// One file, no script from elsewhere, pictures as inline SVG; dark mode, screen reader.
std::string to_html(const Report& report, Language language);

}  // namespace alcove::audit
