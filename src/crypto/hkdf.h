#pragma once
// HKDF-SHA256 (RFC 5869). Any thread.

#include "base/bytes.h"
#include "crypto/hash.h"

namespace alcove::crypto {

// An empty salt is 32 zero bytes.
Sha256Digest hkdf_extract(base::Bytes salt, base::Bytes input_key);
// Fills out, at most 255 * 32 bytes (CHECK).
void hkdf_expand(base::Bytes pseudorandom_key, base::Bytes info, base::MutableBytes out);

}  // namespace alcove::crypto
