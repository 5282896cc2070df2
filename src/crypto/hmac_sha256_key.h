#pragma once
// A key of HMAC-SHA256 as the two states after its blocks, for the many short messages of HKDF and
// HPKE. Private to src/crypto. Any thread.

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace alcove::crypto {

class HmacSha256Key {
 public:
  explicit HmacSha256Key(base::Bytes key);
  HmacSha256Key(const HmacSha256Key&) = delete;
  HmacSha256Key& operator=(const HmacSha256Key&) = delete;
  ~HmacSha256Key();

  // Over the parts joined.
  Sha256Digest mac(std::initializer_list<base::Bytes> parts) const;

 private:
  using ChainingValue = std::array<std::uint32_t, 8>;
  ChainingValue inner_;
  ChainingValue outer_;
};

}  // namespace alcove::crypto
