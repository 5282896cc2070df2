#pragma once
// What a member's offer must be and what the relay answers (docs/protocol/media.md). Any thread.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "crypto/certificate.h"
#include "relay/shard.h"
#include "wire/sdp.h"

namespace alcove::relay {

struct AcceptedOffer {
  wire::SdpDescription description;
  wire::IceCredentials ice;
  crypto::Fingerprint fingerprint{};
  std::uint8_t send_payload_type = 0;  // Opus on the m-line that sends
  std::vector<std::uint8_t>
      slot_payload_types;  // Opus on the first receive-only m-lines, one a slot
};

// Exactly one audio m-line that sends, at least `slots` that only receive, all with Opus and in one
// bundle, no address anywhere. What is not audio is answered with port 0. The error says which line
// and why, and quotes nothing of it.
std::expected<AcceptedOffer, std::string> accept_offer(std::string_view sdp, unsigned slots);

// The candidates of the answer: UDP before TCP, in the given order.
std::vector<wire::IceCandidate> make_candidates(const std::vector<Candidate>& candidates);

// One character of the user name fragment says which shard an endpoint is on.
char ufrag_prefix(unsigned shard);
// The shard of a fragment; kMaxShards or more for one that no shard has made.
unsigned shard_of_ufrag(std::string_view ufrag);

}  // namespace alcove::relay
