#pragma once
// HMAC-SHA1 with the key's two blocks hashed beforehand. Private to src/crypto. Any thread.

#include <array>
#include <cstdint>
#include <initializer_list>

#include "crypto/hash.h"

namespace alcove::crypto {

// 40 bytes a key, and no allocation a message: EVP_MAC allocates for each.
class HmacSha1Key {
 public:
  HmacSha1Key() = default;  // not a key yet; assign before use
  explicit HmacSha1Key(base::Bytes key);
  // Over the parts in this order.
  Sha1Digest mac(std::initializer_list<base::Bytes> parts) const;

 private:
  using ChainingValue = std::array<std::uint32_t, 5>;
  ChainingValue inner_{};
  ChainingValue outer_{};
};

}  // namespace alcove::crypto
