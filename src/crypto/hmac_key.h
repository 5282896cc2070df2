#pragma once
// A key of HMAC with its two blocks hashed beforehand, for SRTP's packets and the many short
// messages of HKDF and HPKE: EVP_MAC allocates for each. Private to src/crypto. Any thread.

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace alcove::crypto {

// Whoever has the two states can make every tag: each copy overwrites its own.
template <typename Digest>
class HmacKey {
 public:
  HmacKey() = default;  // not a key yet; assign before use
  explicit HmacKey(base::Bytes key);
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;
  ~HmacKey();

  // Over the parts joined. No allocation.
  Digest mac(std::initializer_list<base::Bytes> parts) const;

 private:
  // The hash's state after one block. SHA-1 and SHA-256 give it out whole as their digest.
  using ChainingValue = std::array<std::uint32_t, std::tuple_size_v<Digest> / 4>;
  ChainingValue inner_{};
  ChainingValue outer_{};
};

using HmacSha1Key = HmacKey<Sha1Digest>;
using HmacSha256Key = HmacKey<Sha256Digest>;

extern template class HmacKey<Sha1Digest>;
extern template class HmacKey<Sha256Digest>;

}  // namespace alcove::crypto
