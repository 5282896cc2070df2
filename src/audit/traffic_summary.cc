#include "audit/traffic_summary.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace alcove::audit {

namespace {

std::uint64_t bytes_of(const FlowSummary& flow) {
  return flow.traffic[0].bytes + flow.traffic[1].bytes;
}
bool has_more_bytes(const FlowSummary& a, const FlowSummary& b) {
  return std::pair(bytes_of(a), b.id) > std::pair(bytes_of(b), a.id);
}

bool is_media(Application application) {
  return application == Application::kRtp || application == Application::kSrtp;
}

}  // namespace

void TrafficSummary::handle_packet(Flow& flow, Direction, const Packet& packet) {
  timeline_.add(packet.time, packet.wire_length, where_.denied(flow), is_media(flow.application));
}

void TrafficSummary::handle_flow_end(Flow& flow) {
  const policy::Decision& decision = where_.decision(flow);
  const bool denied = where_.denied(flow);
  const bool is_private = decision.address_class != policy::AddressClass::kGlobal;
  CountrySummary& country = countries_[{!denied, decision.record.country, is_private}];
  country.country = decision.record.country;
  country.private_addresses = is_private;
  country.denied = denied;
  ++country.flows;
  country.packets += flow.packets();
  country.bytes += flow.bytes();
  ++ended_;
  keep(flow);
}

FlowSummary TrafficSummary::summarise(const Flow& flow) const {
  return {.id = flow.id,
          .key = flow.key,
          .traffic = flow.traffic,
          .application = flow.application,
          .server_name = flow.server_name,
          .decision = where_.decision(flow),
          .denied = where_.denied(flow),
          .in_manifest = where_.in_manifest(flow)};
}

void TrafficSummary::keep(const Flow& flow) {
  if (findings_.concerns(flow.id) && with_findings_.size() < kMaxFlows - kMaxLargest) {
    with_findings_.push_back(summarise(flow));
    return;
  }
  if (largest_.size() == kMaxLargest) {
    if (flow.bytes() <= bytes_of(largest_.front())) return;
    std::ranges::pop_heap(largest_, has_more_bytes);
    largest_.pop_back();
  }
  largest_.push_back(summarise(flow));
  std::ranges::push_heap(largest_, has_more_bytes);
}

void TrafficSummary::write(Report& report) {
  report.timeline = timeline_.take();
  for (const auto& [key, country] : countries_) report.countries.push_back(country);
  std::ranges::sort(report.countries, [](const CountrySummary& a, const CountrySummary& b) {
    return std::tuple(b.denied, b.bytes, a.country, a.private_addresses) <
           std::tuple(a.denied, a.bytes, b.country, b.private_addresses);
  });
  report.flows = std::move(largest_);
  std::ranges::move(with_findings_, std::back_inserter(report.flows));
  std::ranges::sort(report.flows, has_more_bytes);
  report.flows_left_out = ended_ - report.flows.size();
}

}  // namespace alcove::audit
