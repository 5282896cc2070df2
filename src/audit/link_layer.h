#pragma once
// From a frame to the IP packet in it. Any thread.

#include "audit/frame.h"

namespace alcove::audit {

enum class LinkOutcome : std::uint8_t {
  kIp,
  kNotIp,        // ARP, control frames and the like
  kMalformed,    // ends before its headers do
  kUnknownType,  // a link type that is not read
};

struct LinkPayload {
  LinkOutcome outcome = LinkOutcome::kNotIp;
  // The IP packet and whatever pads the frame behind it; 1 byte or more for kIp.
  base::Bytes ip;
};

// Ethernet with 802.1Q, 802.1ad, MPLS, PPPoE and SNAP; Linux cooked v1 and v2 with the same behind
// them; raw IP; BSD loopback in both byte orders.
LinkPayload open_link_layer(LinkType type, base::Bytes frame);

}  // namespace alcove::audit
