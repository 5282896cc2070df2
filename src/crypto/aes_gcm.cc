#include "crypto/aes_gcm.h"

#include <openssl/evp.h>

#include "crypto/openssl_handles.h"

namespace alcove::crypto {
namespace {

// Fetched once: a fetch for each key would take the library's lock each time.
const EVP_CIPHER* gcm_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  return cipher;
}

void start(EVP_CIPHER_CTX* context, const Aes128Gcm::Nonce& nonce, base::Bytes aad, bool encrypt) {
  int size = 0;
  CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), encrypt ? 1 : 0) == 1);
  CHECK(aad.empty() ||
        EVP_CipherUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1);
}

void transform(EVP_CIPHER_CTX* context, base::Bytes in, base::MutableBytes out) {
  int size = 0;
  CHECK(in.empty() ||
        EVP_CipherUpdate(context, out.data(), &size, in.data(), static_cast<int>(in.size())) == 1);
}

}  // namespace

class Aes128Gcm::Implementation {
 public:
  // OpenSSL wipes the key when the context is freed.
  std::unique_ptr<EVP_CIPHER_CTX, OpenSslFree<EVP_CIPHER_CTX_free>> context{EVP_CIPHER_CTX_new()};
};

Aes128Gcm::Aes128Gcm(const Key& key) : implementation_(std::make_unique<Implementation>()) {
  EVP_CIPHER_CTX* const context = implementation_->context.get();
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context, gcm_cipher(), nullptr, key.data(), nullptr, 1) == 1);
}
Aes128Gcm::Aes128Gcm(Aes128Gcm&&) noexcept = default;
Aes128Gcm& Aes128Gcm::operator=(Aes128Gcm&&) noexcept = default;
Aes128Gcm::~Aes128Gcm() = default;

void Aes128Gcm::seal(const Nonce& nonce, base::Bytes aad, base::Bytes plaintext,
                     base::MutableBytes out) {
  CHECK(out.size() == plaintext.size() + kTagSize);
  EVP_CIPHER_CTX* const context = implementation_->context.get();
  std::uint8_t* const tag = out.data() + plaintext.size();
  int size = 0;
  start(context, nonce, aad, true);
  transform(context, plaintext, out);
  CHECK(EVP_CipherFinal_ex(context, tag, &size) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1);
}

bool Aes128Gcm::open(const Nonce& nonce, base::Bytes aad, base::Bytes sealed,
                     base::MutableBytes out) {
  if (sealed.size() < kTagSize) return false;
  const std::size_t text_size = sealed.size() - kTagSize;
  CHECK(out.size() == text_size);
  EVP_CIPHER_CTX* const context = implementation_->context.get();
  std::array<std::uint8_t, kTagSize> tag;  // OpenSSL wants it mutable
  std::memcpy(tag.data(), sealed.data() + text_size, kTagSize);
  std::array<std::uint8_t, kTagSize> nothing;
  int size = 0;
  start(context, nonce, aad, false);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1);
  transform(context, sealed.first(text_size), out);
  return EVP_CipherFinal_ex(context, nothing.data(), &size) == 1;
}

}  // namespace alcove::crypto
