#pragma once
// SHA-256, HMAC (RFC 2104) and the comparison that goes with them. Any thread.

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace alcove::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha1Digest = std::array<std::uint8_t, 20>;

Sha256Digest sha256(base::Bytes message);

// Keys of any length, an empty one included. hmac_sha1 allocates nothing (STUN checks are packets);
// SHA-1 stays only because STUN (RFC 8489) and SRTP (RFC 3711) say so.
Sha1Digest hmac_sha1(base::Bytes key, base::Bytes message);
Sha256Digest hmac_sha256(base::Bytes key, base::Bytes message);

// The time depends on the lengths alone. Different lengths are unequal.
bool constant_time_equal(base::Bytes a, base::Bytes b);

}  // namespace alcove::crypto
