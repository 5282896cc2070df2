#include "crypto/aead.h"

#include <openssl/evp.h>

#include "crypto/openssl_handles.h"

namespace alcove::crypto {
namespace {

const EVP_CIPHER* cipher_of(AeadKind kind) {
  switch (kind) {
    case AeadKind::kAes128Gcm:
      return EVP_aes_128_gcm();
    case AeadKind::kAes256Gcm:
      return EVP_aes_256_gcm();
    case AeadKind::kChaCha20Poly1305:
      return EVP_chacha20_poly1305();
  }
  return nullptr;
}

}  // namespace

class AeadOpener::Implementation {
 public:
  std::unique_ptr<EVP_CIPHER_CTX, OpenSslFree<EVP_CIPHER_CTX_free>> context{EVP_CIPHER_CTX_new()};
};

AeadOpener::AeadOpener(AeadKind kind, base::Bytes key)
    : implementation_(std::make_unique<Implementation>()) {
  CHECK(key.size() == aead_key_size(kind));
  EVP_CIPHER_CTX* const context = implementation_->context.get();
  CHECK(context != nullptr);
  CHECK(EVP_DecryptInit_ex(context, cipher_of(kind), nullptr, key.data(), nullptr) == 1);
}
AeadOpener::AeadOpener(AeadOpener&&) noexcept = default;
AeadOpener& AeadOpener::operator=(AeadOpener&&) noexcept = default;
AeadOpener::~AeadOpener() = default;

bool AeadOpener::open(const Nonce& nonce, base::Bytes aad, base::Bytes sealed,
                      base::MutableBytes out) {
  if (sealed.size() < kTagSize) return false;
  const std::size_t text_size = sealed.size() - kTagSize;
  CHECK(out.size() == text_size);
  EVP_CIPHER_CTX* const context = implementation_->context.get();
  std::array<std::uint8_t, kTagSize> tag;  // OpenSSL wants it mutable
  std::memcpy(tag.data(), sealed.data() + text_size, kTagSize);
  std::array<std::uint8_t, kTagSize> nothing;
  int size = 0;
  CHECK(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1);
  CHECK(aad.empty() ||
        EVP_DecryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1);
  CHECK(text_size == 0 || EVP_DecryptUpdate(context, out.data(), &size, sealed.data(),
                                            static_cast<int>(text_size)) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1);
  return EVP_DecryptFinal_ex(context, nothing.data(), &size) == 1;
}

}  // namespace alcove::crypto
