#include "crypto/hpke.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/aes_gcm.h"
#include "crypto/hkdf.h"
#include "crypto/hmac_key.h"
#include "crypto/openssl_handles.h"

namespace alcove::crypto {
namespace {

using base::Bytes;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, OpenSslFree<EVP_PKEY_CTX_free>>;
using SharedSecret = std::array<std::uint8_t, 32>;

constexpr std::string_view kVersion = "HPKE-v1";
constexpr std::string_view kKemSuite("KEM\x00\x20", 5);
constexpr std::string_view kSuite("HPKE\x00\x20\x00\x01\x00\x01", 10);
constexpr std::uint8_t kBaseMode = 0;

Sha256Digest labeled_extract(Bytes salt, std::string_view suite, std::string_view label,
                             Bytes input_key) {
  return HmacSha256Key(salt).mac(
      {base::as_bytes(kVersion), base::as_bytes(suite), base::as_bytes(label), input_key});
}

// One block: everything that HPKE expands here has at most 32 bytes.
void labeled_expand(const HmacSha256Key& key, std::string_view suite, std::string_view label,
                    Bytes info, base::MutableBytes out) {
  static constexpr std::uint8_t kFirstBlock = 1;
  const std::array<std::uint8_t, 2> size{0, static_cast<std::uint8_t>(out.size())};
  Sha256Digest block = key.mac({size, base::as_bytes(kVersion), base::as_bytes(suite),
                                base::as_bytes(label), info, Bytes(&kFirstBlock, 1)});
  CHECK(out.size() <= block.size());
  std::memcpy(out.data(), block.data(), out.size());
  OPENSSL_cleanse(block.data(), block.size());
}

PrivateKey load_private(Bytes bytes) {
  PrivateKey key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes.data(), bytes.size()));
  CHECK(key != nullptr);
  return key;
}

HpkePublicKey public_of(const PrivateKey& key) {
  HpkePublicKey bytes;
  std::size_t size = bytes.size();
  CHECK(EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size) == 1);
  return bytes;
}

// RFC 7748, section 6.1, and RFC 9180, section 7.1.4: nullopt for the all-zero secret, which
// OpenSSL refuses.
std::optional<SharedSecret> diffie_hellman(EVP_PKEY* own, Bytes other) {
  const PrivateKey peer(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other.data(), other.size()));
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  CHECK(peer && context);
  CHECK(EVP_PKEY_derive_init(context.get()) == 1);
  // Without the validation of the peer: any 32 bytes are a key of X25519.
  CHECK(EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) == 1);
  SharedSecret secret;
  std::size_t size = secret.size();
  if (EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  CHECK(size == secret.size());
  return secret;
}

struct ContextKeys {
  std::array<std::uint8_t, 16> key{};
  std::array<std::uint8_t, 12> nonce{};
  ContextKeys() = default;
  ContextKeys(const ContextKeys&) = delete;
  ContextKeys& operator=(const ContextKeys&) = delete;
  ~ContextKeys() {
    OPENSSL_cleanse(key.data(), key.size());
    OPENSSL_cleanse(nonce.data(), nonce.size());
  }
};

// RFC 9180, sections 4.1 (ExtractAndExpand) and 5.1 (KeySchedule). Wipes the secret.
void derive_keys(SharedSecret& diffie_hellman_secret, Bytes encapsulation, Bytes receiver,
                 Bytes info, ContextKeys& out) {
  static const Sha256Digest no_psk = labeled_extract({}, kSuite, "psk_id_hash", {});
  std::array<std::uint8_t, 64> kem_context;
  base::ByteWriter kem(kem_context);
  kem.write_bytes(encapsulation);
  kem.write_bytes(receiver);
  Sha256Digest extracted = labeled_extract({}, kKemSuite, "eae_prk", diffie_hellman_secret);
  SharedSecret shared;
  labeled_expand(HmacSha256Key(extracted), kKemSuite, "shared_secret", kem_context, shared);

  std::array<std::uint8_t, 65> schedule;
  base::ByteWriter writer(schedule);
  writer.write_u8(kBaseMode);
  writer.write_bytes(no_psk);
  writer.write_bytes(labeled_extract({}, kSuite, "info_hash", info));
  CHECK(kem.ok() && writer.ok() && writer.size() == schedule.size());
  Sha256Digest secret = labeled_extract(shared, kSuite, "secret", {});
  const HmacSha256Key secret_key(secret);
  labeled_expand(secret_key, kSuite, "key", schedule, out.key);
  labeled_expand(secret_key, kSuite, "base_nonce", schedule, out.nonce);
  OPENSSL_cleanse(diffie_hellman_secret.data(), diffie_hellman_secret.size());
  OPENSSL_cleanse(extracted.data(), extracted.size());
  OPENSSL_cleanse(shared.data(), shared.size());
  OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace

class HpkePrivateKey::Implementation {
 public:
  explicit Implementation(Bytes bytes) : key_(load_private(bytes)), public_(public_of(key_)) {}

  PrivateKey key_;  // OpenSSL wipes it when it is freed
  HpkePublicKey public_;
};

HpkePrivateKey::HpkePrivateKey(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
HpkePrivateKey::HpkePrivateKey(HpkePrivateKey&&) noexcept = default;
HpkePrivateKey& HpkePrivateKey::operator=(HpkePrivateKey&&) noexcept = default;
HpkePrivateKey::~HpkePrivateKey() = default;

HpkePrivateKey HpkePrivateKey::make(base::RandomSource& random) {
  HpkePrivateBytes bytes = random.bytes<32>();
  HpkePrivateKey key = from_bytes(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

HpkePrivateKey HpkePrivateKey::from_bytes(const HpkePrivateBytes& bytes) {
  return HpkePrivateKey(std::make_unique<Implementation>(bytes));
}

const HpkePublicKey& HpkePrivateKey::public_key() const { return implementation_->public_; }

HpkeSealContext::HpkeSealContext(HpkeSealContext&& other) noexcept { *this = std::move(other); }

HpkeSealContext& HpkeSealContext::operator=(HpkeSealContext&& other) noexcept {
  if (this == &other) return *this;
  spent_ = other.spent_;
  encapsulation_ = other.encapsulation_;
  key_ = other.key_;
  nonce_ = other.nonce_;
  other.wipe();
  return *this;
}

HpkeSealContext::~HpkeSealContext() { wipe(); }

void HpkeSealContext::wipe() {
  spent_ = true;
  OPENSSL_cleanse(key_.data(), key_.size());
  OPENSSL_cleanse(nonce_.data(), nonce_.size());
}

std::optional<HpkeSealContext> HpkeSealContext::make(const HpkePublicKey& receiver,
                                                     base::Bytes info, base::RandomSource& random) {
  HpkePrivateBytes bytes = random.bytes<32>();
  const PrivateKey ephemeral = load_private(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  std::optional<SharedSecret> secret = diffie_hellman(ephemeral.get(), receiver);
  if (!secret) return std::nullopt;
  HpkeSealContext context;
  context.encapsulation_ = public_of(ephemeral);
  ContextKeys keys;
  derive_keys(*secret, context.encapsulation_, receiver, info, keys);
  context.key_ = keys.key;
  context.nonce_ = keys.nonce;
  return context;
}

base::Buffer HpkeSealContext::seal(base::Bytes aad, base::Bytes plaintext) && {
  CHECK(!spent_);
  base::Buffer box(kHpkeEncapsulationSize + plaintext.size() + kHpkeTagSize);
  std::memcpy(box.data(), encapsulation_.data(), kHpkeEncapsulationSize);
  Aes128Gcm(key_).seal(nonce_, aad, plaintext,
                       base::MutableBytes(box).subspan(kHpkeEncapsulationSize));
  wipe();
  return box;
}

std::optional<base::Buffer> hpke_seal(const HpkePublicKey& receiver, base::Bytes info,
                                      base::Bytes aad, base::Bytes plaintext,
                                      base::RandomSource& random) {
  std::optional<HpkeSealContext> context = HpkeSealContext::make(receiver, info, random);
  if (!context) return std::nullopt;
  return std::move(*context).seal(aad, plaintext);
}

std::optional<base::Buffer> hpke_open(const HpkePrivateKey& key, base::Bytes info, base::Bytes aad,
                                      base::Bytes box) {
  if (box.size() < kHpkeEncapsulationSize + kHpkeTagSize) return std::nullopt;
  const Bytes encapsulation = box.first(kHpkeEncapsulationSize);
  const Bytes sealed = box.subspan(kHpkeEncapsulationSize);
  std::optional<SharedSecret> secret =
      diffie_hellman(key.implementation_->key_.get(), encapsulation);
  if (!secret) return std::nullopt;
  ContextKeys keys;
  derive_keys(*secret, encapsulation, key.public_key(), info, keys);
  base::Buffer plaintext(sealed.size() - kHpkeTagSize);
  if (!Aes128Gcm(keys.key).open(keys.nonce, aad, sealed, plaintext)) return std::nullopt;
  return plaintext;
}

}  // namespace alcove::crypto
