#pragma once
// The attributes of STUN and TURN messages (RFC 8489, RFC 8656) that anybody on the way can read.
// More lenient than wire/stun.h, which serves those who take part: nothing is authenticated here.
// Any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::audit {

struct StunAttributes {
  std::uint16_t method = 0;  // 1 Binding, 3 Allocate, ...
  bool request = false;      // or an indication
  std::optional<std::string_view> username;
  std::optional<std::string_view> realm;
  std::optional<std::string_view> software;
  std::optional<base::SocketAddress> mapped_address;  // XOR or not
  std::optional<base::SocketAddress> peer_address;    // the first XOR-PEER-ADDRESS
};

// By the magic cookie.
bool starts_like_stun(base::Bytes datagram);
// Reads as far as it is well-formed; nullopt when it is not STUN at all.
std::optional<StunAttributes> read_stun_attributes(base::Bytes datagram);

}  // namespace alcove::audit
