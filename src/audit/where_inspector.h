#pragma once
// Where packets went: the remote end of every flow against the policy and the manifest. One thread.
//
// The remote end is the one with a global address, else the server. Every packet to or from a
// denied one counts with its number: a ping, a SYN, a fragment. What stays on the local link
// (multicast, broadcast, link-local, unspecified) has no jurisdiction and is never denied.
//
// Not endpoints of an app, and so not held against the manifest: local link traffic, DHCP, mDNS,
// LLMNR, IGMP, neighbour discovery, ICMP errors, what stays on the loopback interface, and DNS to a
// resolver at a private address. DNS to a public resolver is.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alcove/v1/manifest.pb.h"
#include "audit/finding.h"
#include "audit/inspector.h"
#include "audit/name_table.h"
#include "policy/decide.h"

namespace alcove::audit {

class WhereInspector final : public Inspector {
 public:
  // All outlive it; policy and manifest may be null.
  WhereInspector(const policy::Policy* policy, const policy::GeoDatabase& database,
                 const v1::Manifest* manifest, const NameTable& names, Findings& findings);

  void handle_flow(Flow& flow) override;
  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_flow_end(Flow& flow) override;

  // Of a flow that has not ended. The decision is valid as long as the flow.
  const policy::Decision& decision(const Flow& flow) const;
  bool denied(const Flow& flow) const;
  bool in_manifest(const Flow& flow) const;

 private:
  enum class Listed : std::uint8_t {
    kYes,
    kNo,
    kNotAsked,  // no manifest, or no endpoint of an app
    kPending,   // a listed name without addresses may be behind it
  };
  struct State final : FlowState {
    std::shared_ptr<const policy::Decision> decision;
    FindingCode code{};  // when denied
    bool denied = false;
    Listed listed = Listed::kNotAsked;
    bool found = false;  // in the manifest, whether asked or not
    std::uint64_t told = 0;
    std::string subject;
    std::vector<Evidence> waiting;  // of a pending flow, the first kMaxWaiting
    std::uint64_t waiting_packets = 0;
    std::uint64_t last_packet = 0;
  };
  State& state_of(Flow& flow) const { return static_cast<State&>(*flow.states[slot]); }
  std::shared_ptr<const policy::Decision> decide(const base::IpAddress& address);
  // Of two global addresses the one whose denial counts: a ping from outside is one, too. The
  // captured device's own address, an end of most flows, is not what it talks to.
  const base::SocketAddress& judged_end(const Flow& flow);
  bool is_listed(const Flow& flow) const;
  bool name_may_decide(const Flow& flow) const;
  bool name_is_listed(const Flow& flow, std::string_view name, const State& state) const;
  void judge_manifest(Flow& flow, State& state, const Packet& packet);
  void give_up_waiting(State& state);

  const policy::Policy no_policy_;
  const policy::Policy& policy_;
  const policy::GeoDatabase& database_;
  const v1::Manifest* manifest_;
  const NameTable& names_;
  Findings& findings_;
  std::map<base::IpAddress, std::shared_ptr<const policy::Decision>> decisions_;  // kMaxDecisions
  // In how many flows each global address was an end; kMaxDecisions.
  std::map<base::IpAddress, std::uint64_t> ends_;
};

}  // namespace alcove::audit
