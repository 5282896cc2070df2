#include <openssl/evp.h>

#include "crypto/openssl_handles.h"
#include "crypto/srtp.h"

namespace alcove::crypto {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, OpenSslFree<EVP_CIPHER_CTX_free>>;

enum Label : std::uint8_t {
  kRtpCipher = 0,
  kRtpAuth = 1,
  kRtpSalt = 2,
  kRtcpCipher = 3,
  kRtcpAuth = 4,
  kRtcpSalt = 5,
};

// RFC 3711, section 4.3.1 and 4.3.3 with index DIV kdr = 0: the label is XORed into byte 7 of the
// salt, and the output is AES in counter mode from there.
void derive(EVP_CIPHER_CTX* context, const SrtpKeyMaterial& material, Label label,
            base::MutableBytes out) {
  std::array<std::uint8_t, 16> iv{};
  std::memcpy(iv.data(), material.salt.data(), srtp_salt_size(material.profile));
  iv[7] ^= label;
  std::memset(out.data(), 0, out.size());
  int size = 0;
  CHECK(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nullptr, material.key.data(), iv.data()) ==
        1);
  CHECK(EVP_EncryptUpdate(context, out.data(), &size, out.data(), static_cast<int>(out.size())) ==
        1);
}

}  // namespace

SrtpDerivedKeys derive_srtp_keys(const SrtpKeyMaterial& material) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  const std::size_t salt_size = srtp_salt_size(material.profile);
  const bool needs_auth = material.profile == SrtpProfile::kAes128CmHmacSha1_80;
  SrtpDerivedKeys keys;
  derive(context.get(), material, kRtpCipher, keys.rtp.cipher_key);
  derive(context.get(), material, kRtpSalt, base::MutableBytes(keys.rtp.salt).first(salt_size));
  derive(context.get(), material, kRtcpCipher, keys.rtcp.cipher_key);
  derive(context.get(), material, kRtcpSalt, base::MutableBytes(keys.rtcp.salt).first(salt_size));
  if (needs_auth) {
    derive(context.get(), material, kRtpAuth, keys.rtp.auth_key);
    derive(context.get(), material, kRtcpAuth, keys.rtcp.auth_key);
  }
  return keys;
}

}  // namespace alcove::crypto
