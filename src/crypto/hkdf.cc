// The SHA-256 functions of OpenSSL are deprecated in favour of EVP, whose keyed states cost more
// than the hashing itself: HPKE makes seven of them for each box.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hkdf.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "crypto/hmac_sha256_key.h"

namespace alcove::crypto {
namespace {

constexpr std::size_t kBlockSize = SHA256_CBLOCK;
constexpr std::size_t kMostBlocks = 255;
using Block = std::array<std::uint8_t, kBlockSize>;

std::array<std::uint32_t, 8> hash_block(const Block& block) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, block.data(), block.size());
  std::array<std::uint32_t, 8> value;
  std::copy_n(state.h, value.size(), value.begin());
  OPENSSL_cleanse(&state, sizeof(state));
  return value;
}

// A state after exactly one block, from its chaining value.
SHA256_CTX resume(const std::array<std::uint32_t, 8>& value) {
  SHA256_CTX state{};
  std::ranges::copy(value, state.h);
  state.Nl = kBlockSize * 8;
  state.md_len = SHA256_DIGEST_LENGTH;
  return state;
}

}  // namespace

HmacSha256Key::HmacSha256Key(base::Bytes key) {
  Block block{};
  if (key.size() > kBlockSize) {
    SHA256(key.data(), key.size(), block.data());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (std::uint8_t& byte : block) byte ^= 0x36;
  inner_ = hash_block(block);
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_ = hash_block(block);
  OPENSSL_cleanse(block.data(), block.size());
}

HmacSha256Key::~HmacSha256Key() {
  OPENSSL_cleanse(inner_.data(), sizeof(inner_));
  OPENSSL_cleanse(outer_.data(), sizeof(outer_));
}

Sha256Digest HmacSha256Key::mac(std::initializer_list<base::Bytes> parts) const {
  Sha256Digest digest;
  SHA256_CTX state = resume(inner_);
  for (const base::Bytes part : parts) SHA256_Update(&state, part.data(), part.size());
  SHA256_Final(digest.data(), &state);
  state = resume(outer_);
  SHA256_Update(&state, digest.data(), digest.size());
  SHA256_Final(digest.data(), &state);
  OPENSSL_cleanse(&state, sizeof(state));
  return digest;
}

Sha256Digest hkdf_extract(base::Bytes salt, base::Bytes input_key) {
  return HmacSha256Key(salt).mac({input_key});
}

void hkdf_expand(base::Bytes pseudorandom_key, base::Bytes info, base::MutableBytes out) {
  CHECK(out.size() <= kMostBlocks * std::tuple_size_v<Sha256Digest>);
  const HmacSha256Key key(pseudorandom_key);
  Sha256Digest block{};
  for (std::uint8_t number = 1; !out.empty(); ++number) {
    const base::Bytes before = number == 1 ? base::Bytes() : base::Bytes(block);
    block = key.mac({before, info, base::Bytes(&number, 1)});
    const std::size_t size = std::min(out.size(), block.size());
    std::copy_n(block.begin(), size, out.begin());
    out = out.subspan(size);
  }
  OPENSSL_cleanse(block.data(), block.size());
}

}  // namespace alcove::crypto
