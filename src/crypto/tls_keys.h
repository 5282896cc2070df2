#pragma once
// The key schedules of TLS, as far as one needs them who has the secrets of a session: the PRF of
// TLS 1.2 (RFC 5246, section 5), which exporters use, too (RFC 5705), and HKDF-Expand-Label of TLS
// 1.3 (RFC 8446, section 7.1). Any thread.

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace alcove::crypto {

enum class TlsHash : std::uint8_t { kSha256, kSha384 };

// Fills out.
void tls12_prf(TlsHash hash, base::Bytes secret, std::string_view label, base::Bytes seed,
               base::MutableBytes out);

// With the label's prefix "tls13 ". context is at most 255 bytes, label at most 249, and out at
// most 255 digests (CHECK).
void tls13_expand_label(TlsHash hash, base::Bytes secret, std::string_view label,
                        base::Bytes context, base::MutableBytes out);

}  // namespace alcove::crypto
