#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "crypto/hmac_key.h"

namespace alcove::crypto {

Sha256Digest sha256(base::Bytes message) {
  Sha256Digest digest;
  SHA256(message.data(), message.size(), digest.data());
  return digest;
}

Sha1Digest hmac_sha1(base::Bytes key, base::Bytes message) {
  return HmacSha1Key(key).mac({message});
}

Sha256Digest hmac_sha256(base::Bytes key, base::Bytes message) {
  static constexpr std::uint8_t kNoBytes = 0;  // HMAC takes a null key for "as before"
  Sha256Digest digest;
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), key.empty() ? &kNoBytes : key.data(), static_cast<int>(key.size()),
             message.data(), message.size(), digest.data(), &size) != nullptr);
  return digest;
}

bool constant_time_equal(base::Bytes a, base::Bytes b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace alcove::crypto
