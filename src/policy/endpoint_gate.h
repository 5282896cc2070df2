#pragma once
// The one place where an endpoint is judged before anybody is told of it: the local relay's
// candidates, those of any further relay that registers or is cascaded to, and the addresses of
// the house. A gate belongs to one policy; another policy is another gate. One thread.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "policy/decide.h"
#include "policy/geo_database.h"
#include "policy/manifest.h"
#include "policy/policy.h"

namespace alcove::policy {

// Where a relay says that it can be reached.
struct RelayCandidate {
  base::SocketAddress address;
  Transport transport = Transport::kUdp;
  bool operator==(const RelayCandidate&) const = default;
};

enum class AnswerFault : std::uint8_t {
  kMalformed,     // a line about candidates that this gate cannot read: a browser might
  kNotAnAddress,  // a name: it may resolve to anything
  kDenied,
  kNotAdmitted,  // allowed, but no relay that was let in announced it
};

class EndpointGate {
 public:
  EndpointGate(Policy policy, std::unique_ptr<GeoDatabase> database);

  const Policy& policy() const { return policy_; }
  const GeoDatabase& database() const { return *database_; }

  Decision check(const base::IpAddress& address) const;
  // A literal, IPv6 with or without brackets. Anything else is denied with kNotAnAddress.
  Decision check_literal(std::string_view text) const;
  OfferDecision decide_offer(const base::IpAddress& visitor) const;

  // Takes what a relay announces: all of it, or nothing and the first decision against it.
  std::optional<Decision> admit(std::span<const RelayCandidate> candidates);
  const std::vector<RelayCandidate>& admitted() const { return admitted_; }

  // Whether an SDP answer of a relay names nothing but what was admitted. Looks at the lines
  // themselves, in any spelling that some client reads, not at what our own parser makes of them.
  std::optional<AnswerFault> check_answer(std::string_view sdp) const;

 private:
  std::optional<AnswerFault> check_line(std::string_view line) const;
  std::optional<AnswerFault> check_candidate(std::string_view value) const;
  std::optional<AnswerFault> check_connection(std::string_view value) const;

  const Policy policy_;
  const std::unique_ptr<GeoDatabase> database_;
  std::vector<RelayCandidate> admitted_;
};

}  // namespace alcove::policy
