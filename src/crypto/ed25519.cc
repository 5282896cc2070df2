#include "crypto/ed25519.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

#include "crypto/openssl_handles.h"

namespace alcove::crypto {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, OpenSslFree<EVP_MD_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, OpenSslFree<BN_free>>;
using BigNumberContext = std::unique_ptr<BN_CTX, OpenSslFree<BN_CTX_free>>;
using Coordinate = std::array<std::uint8_t, 32>;

// 2^255 - 19, little-endian as all of Ed25519.
constexpr Coordinate kPrime = [] {
  Coordinate prime;
  prime.fill(0xff);
  prime[0] = 0xed;
  prime[31] = 0x7f;
  return prime;
}();
// The y of the points of order 1, 2, 4 (two) and 8 (four): each x has the same y as its negative.
constexpr std::array<Coordinate, 5> kSmallOrder = [] {
  std::array<Coordinate, 5> points{};
  points[0][0] = 1;
  points[1] = kPrime;
  points[1][0] = 0xec;
  points[3] = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
               0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
               0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
  points[4] = {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
               0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
               0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
  return points;
}();

Coordinate y_of(const Ed25519PublicKey& key) {
  Coordinate y = key;
  y[31] &= 0x7f;
  return y;
}

// x = 0 has the two y of order 1 and 2, so its forbidden sign bit is refused with them. Keys are
// public: the time may depend on them.
bool is_canonical_of_large_order(const Ed25519PublicKey& key) {
  const Coordinate y = y_of(key);
  return std::lexicographical_compare(y.rbegin(), y.rend(), kPrime.rbegin(), kPrime.rend()) &&
         std::ranges::find(kSmallOrder, y) == kSmallOrder.end();
}

// Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root, with d = -121665 / 121666: then
// (y^2 - 1)(121666 - 121665 y^2) * 121666 is a square too.
bool is_on_curve(const Ed25519PublicKey& key) {
  const Coordinate y_bytes = y_of(key);
  const BigNumberContext context(BN_CTX_new());
  const BigNumber prime(BN_lebin2bn(kPrime.data(), kPrime.size(), nullptr));
  const BigNumber y(BN_lebin2bn(y_bytes.data(), y_bytes.size(), nullptr));
  const BigNumber numerator(BN_new());
  const BigNumber denominator(BN_new());
  CHECK(context && prime && y && numerator && denominator);
  CHECK(BN_mod_sqr(denominator.get(), y.get(), prime.get(), context.get()) == 1);
  CHECK(BN_copy(numerator.get(), denominator.get()) != nullptr);
  CHECK(BN_sub_word(numerator.get(), 1) == 1);
  CHECK(BN_mul_word(denominator.get(), 121665) == 1);
  BN_set_negative(denominator.get(), 1);
  CHECK(BN_add_word(denominator.get(), 121666) == 1);
  CHECK(BN_mul_word(denominator.get(), 121666) == 1);
  CHECK(BN_mod_mul(numerator.get(), numerator.get(), denominator.get(), prime.get(),
                   context.get()) == 1);
  const int symbol = BN_kronecker(numerator.get(), prime.get(), context.get());
  CHECK(symbol != -2);
  return symbol != -1;
}

}  // namespace

class Ed25519PrivateKey::Implementation {
 public:
  explicit Implementation(const Ed25519Seed& seed)
      : seed_(seed),
        key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())) {
    CHECK(key_ != nullptr);
    std::size_t size = public_.size();
    CHECK(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size) == 1);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() { OPENSSL_cleanse(seed_.data(), seed_.size()); }

  Ed25519Seed seed_;
  PrivateKey key_;
  Ed25519PublicKey public_{};
};

Ed25519PrivateKey::Ed25519PrivateKey(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Ed25519PrivateKey::Ed25519PrivateKey(Ed25519PrivateKey&&) noexcept = default;
Ed25519PrivateKey& Ed25519PrivateKey::operator=(Ed25519PrivateKey&&) noexcept = default;
Ed25519PrivateKey::~Ed25519PrivateKey() = default;

Ed25519PrivateKey Ed25519PrivateKey::make(base::RandomSource& random) {
  Ed25519Seed seed = random.bytes<32>();
  Ed25519PrivateKey key = from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

Ed25519PrivateKey Ed25519PrivateKey::from_seed(const Ed25519Seed& seed) {
  return Ed25519PrivateKey(std::make_unique<Implementation>(seed));
}

const Ed25519PublicKey& Ed25519PrivateKey::public_key() const { return implementation_->public_; }
const Ed25519Seed& Ed25519PrivateKey::seed() const { return implementation_->seed_; }

Ed25519Signature Ed25519PrivateKey::sign(base::Bytes message) const {
  const DigestContext context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, implementation_->key_.get()) ==
        1);
  Ed25519Signature signature;
  std::size_t size = signature.size();
  CHECK(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) ==
        1);
  return signature;
}

bool ed25519_verify(const Ed25519PublicKey& key, base::Bytes message,
                    const Ed25519Signature& signature) {
  if (!is_canonical_of_large_order(key)) return false;
  const PrivateKey loaded(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const DigestContext context(EVP_MD_CTX_new());
  CHECK(loaded && context);
  CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, loaded.get()) == 1);
  // OpenSSL has neither the cofactor nor S >= L, compares the bytes of R, and refuses y that no
  // point has.
  const bool good = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     message.data(), message.size()) == 1;
  // What is left in the queue would be read as the next TLS operation's error.
  if (!good) ERR_clear_error();
  return good;
}

bool ed25519_key_is_valid(const Ed25519PublicKey& key) {
  return is_canonical_of_large_order(key) && is_on_curve(key);
}

}  // namespace alcove::crypto
