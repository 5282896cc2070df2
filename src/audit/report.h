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
  bool in_manifest = false;
};

// The traffic with one country of destination, over all flows, those not kept one by one included.
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
