#pragma once
// What the report says of traffic as a whole: its largest flows, its countries, its course over
// time. Comes last among the inspectors, so that the others have recognised a flow. One thread.

#include <map>
#include <vector>

#include "audit/finding.h"
#include "audit/inspector.h"
#include "audit/report.h"
#include "audit/timeline_builder.h"
#include "audit/where_inspector.h"

namespace alcove::audit {

class TrafficSummary final : public Inspector {
 public:
  static constexpr std::size_t kMaxLargest = 2000;
  static constexpr std::size_t kMaxFlows = 4000;  // with those that have findings

  // Both outlive it; where comes before it among the inspectors.
  TrafficSummary(const WhereInspector& where, const Findings& findings)
      : where_(where), findings_(findings) {}

  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_flow_end(Flow& flow) override;
  void write(Report& report);

 private:
  struct CountryKey {
    bool allowed;  // denied ones come first
    policy::Country country;
    bool private_addresses;
    auto operator<=>(const CountryKey&) const = default;
  };
  FlowSummary summarise(const Flow& flow) const;
  void keep(const Flow& flow);

  const WhereInspector& where_;
  const Findings& findings_;
  std::map<CountryKey, CountrySummary> countries_;
  TimelineBuilder timeline_;
  std::vector<FlowSummary> largest_;  // a heap, the smallest first
  std::vector<FlowSummary> with_findings_;
  std::uint64_t ended_ = 0;
};

}  // namespace alcove::audit
