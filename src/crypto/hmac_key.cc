// The SHA functions of OpenSSL are deprecated in favour of EVP, which allocates on every copy of a
// keyed state. SRTP and STUN need that copy for every packet, HPKE seven times for each box.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hmac_key.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

namespace alcove::crypto {
namespace {

// HMAC's block is that of the hash (RFC 2104), and both hashes have the same.
constexpr std::size_t kBlockSize = 64;
static_assert(kBlockSize == SHA_CBLOCK && kBlockSize == SHA256_CBLOCK);
using Block = std::array<std::uint8_t, kBlockSize>;

// One name for the functions of each hash. save() and resume(): the chaining value after exactly
// one block, and a state that goes on from there.
template <typename Digest>
struct HashFunctions;

template <>
struct HashFunctions<Sha1Digest> {
  using State = SHA_CTX;
  using ChainingValue = std::array<std::uint32_t, 5>;
  static void start(State& state) { SHA1_Init(&state); }
  static void add(State& state, base::Bytes data) { SHA1_Update(&state, data.data(), data.size()); }
  static void finish(State& state, std::uint8_t* digest) { SHA1_Final(digest, &state); }
  static void save(const State& state, ChainingValue& value) {
    value = {state.h0, state.h1, state.h2, state.h3, state.h4};
  }
  static void resume(State& state, const ChainingValue& value) {
    state = {};
    state.h0 = value[0];
    state.h1 = value[1];
    state.h2 = value[2];
    state.h3 = value[3];
    state.h4 = value[4];
    state.Nl = kBlockSize * 8;
  }
};

template <>
struct HashFunctions<Sha256Digest> {
  using State = SHA256_CTX;
  using ChainingValue = std::array<std::uint32_t, 8>;
  static void start(State& state) { SHA256_Init(&state); }
  static void add(State& state, base::Bytes data) {
    SHA256_Update(&state, data.data(), data.size());
  }
  static void finish(State& state, std::uint8_t* digest) { SHA256_Final(digest, &state); }
  static void save(const State& state, ChainingValue& value) {
    std::copy_n(state.h, value.size(), value.begin());
  }
  static void resume(State& state, const ChainingValue& value) {
    state = {};
    std::ranges::copy(value, state.h);
    state.Nl = kBlockSize * 8;
    state.md_len = SHA256_DIGEST_LENGTH;
  }
};

}  // namespace

template <typename Digest>
HmacKey<Digest>::HmacKey(base::Bytes key) {
  using Hash = HashFunctions<Digest>;
  typename Hash::State state;
  Block block{};
  if (key.size() > kBlockSize) {
    Hash::start(state);
    Hash::add(state, key);
    Hash::finish(state, block.data());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  const auto hash_block = [&](ChainingValue& value) {
    Hash::start(state);
    Hash::add(state, block);
    Hash::save(state, value);
  };
  for (std::uint8_t& byte : block) byte ^= 0x36;
  hash_block(inner_);
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  hash_block(outer_);
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(&state, sizeof state);
}

template <typename Digest>
HmacKey<Digest>::~HmacKey() {
  OPENSSL_cleanse(inner_.data(), sizeof inner_);
  OPENSSL_cleanse(outer_.data(), sizeof outer_);
}

template <typename Digest>
Digest HmacKey<Digest>::mac(std::initializer_list<base::Bytes> parts) const {
  using Hash = HashFunctions<Digest>;
  Digest digest;
  typename Hash::State state;
  Hash::resume(state, inner_);
  for (const base::Bytes part : parts) Hash::add(state, part);
  Hash::finish(state, digest.data());
  Hash::resume(state, outer_);
  Hash::add(state, digest);
  Hash::finish(state, digest.data());
  OPENSSL_cleanse(&state, sizeof state);
  return digest;
}

template class HmacKey<Sha1Digest>;
template class HmacKey<Sha256Digest>;

}  // namespace alcove::crypto
