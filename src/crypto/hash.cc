// The SHA-1 functions of OpenSSL are deprecated in favour of EVP, which allocates on every copy of
// a keyed state; SRTP and STUN need that copy for every packet.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "crypto/hmac_sha1_key.h"

namespace alcove::crypto {
namespace {

constexpr std::size_t kBlockSize = SHA_CBLOCK;
using Block = std::array<std::uint8_t, kBlockSize>;

// A state after exactly one block, from its chaining value.
SHA_CTX resume(const std::array<std::uint32_t, 5>& value) {
  SHA_CTX state{};
  state.h0 = value[0];
  state.h1 = value[1];
  state.h2 = value[2];
  state.h3 = value[3];
  state.h4 = value[4];
  state.Nl = kBlockSize * 8;
  return state;
}

std::array<std::uint32_t, 5> hash_block(const Block& block) {
  SHA_CTX state;
  SHA1_Init(&state);
  SHA1_Update(&state, block.data(), block.size());
  return {state.h0, state.h1, state.h2, state.h3, state.h4};
}

}  // namespace

Sha256Digest sha256(base::Bytes message) {
  Sha256Digest digest;
  SHA256(message.data(), message.size(), digest.data());
  return digest;
}

HmacSha1Key::HmacSha1Key(base::Bytes key) {
  Block block{};
  if (key.size() > kBlockSize) {
    SHA1(key.data(), key.size(), block.data());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (std::uint8_t& byte : block) byte ^= 0x36;
  inner_ = hash_block(block);
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_ = hash_block(block);
  OPENSSL_cleanse(block.data(), block.size());
}

Sha1Digest HmacSha1Key::mac(std::initializer_list<base::Bytes> parts) const {
  Sha1Digest digest;
  SHA_CTX state = resume(inner_);
  for (const base::Bytes part : parts) SHA1_Update(&state, part.data(), part.size());
  SHA1_Final(digest.data(), &state);
  state = resume(outer_);
  SHA1_Update(&state, digest.data(), digest.size());
  SHA1_Final(digest.data(), &state);
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
