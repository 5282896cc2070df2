#pragma once
// What was looked up, and whether the manifest lists it: DNS over UDP and TCP (port 53), mDNS
// (5353) and LLMNR (5355). Fills the table of names for all others, so it comes first. One thread.
//
// A name that the manifest does not list is a finding as soon as it is asked for: the question
// itself goes somewhere and tells something. Not counted: reverse lookups, and names of the local
// network (.local, .lan, .internal, home.arpa, single labels).

#include <memory>
#include <set>
#include <string>

#include "alcove/v1/manifest.pb.h"
#include "audit/dns.h"
#include "audit/finding.h"
#include "audit/held_bytes.h"
#include "audit/inspector.h"
#include "audit/name_table.h"
#include "policy/geo_database.h"
#include "policy/policy.h"

namespace alcove::audit {

class DnsInspector final : public Inspector {
 public:
  // All outlive it; policy and manifest may be null.
  DnsInspector(const policy::Policy* policy, const policy::GeoDatabase& database,
               const v1::Manifest* manifest, NameTable& names, Findings& findings);

  void handle_flow(Flow& flow) override;
  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;

 private:
  struct State final : FlowState {
    std::array<base::Buffer, 2> held;  // TCP: messages that are not whole
    std::array<std::uint64_t, 2> number{};
    std::array<bool, 2> ended{};  // too much was kept: what a length is is lost
  };
  void judge(Flow& flow, const DnsMessage& message, const Evidence& where);
  void judge_question(const DnsQuestion& question, const Evidence& where);
  void judge_answer(const DnsMessage& message, const DnsQuestion& question, const Evidence& where);
  void judge_local(const DnsMessage& message, const Evidence& where);
  bool may_resolve_to(std::string_view name, const base::IpAddress& address) const;

  const policy::Policy* policy_;
  const policy::GeoDatabase& database_;
  const v1::Manifest* manifest_;
  NameTable& names_;
  Findings& findings_;
  std::set<std::string, std::less<>> listed_;
  HeldBytes held_bytes_;
};

}  // namespace alcove::audit
