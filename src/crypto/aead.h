#pragma once
// Opening of what TLS seals: AES-GCM with keys of 16 or 32 bytes and ChaCha20-Poly1305, nonces of
// 12 bytes, tags of 16. For many records under one key. One thread an object.

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace alcove::crypto {

enum class AeadKind : std::uint8_t { kAes128Gcm, kAes256Gcm, kChaCha20Poly1305 };

constexpr std::size_t aead_key_size(AeadKind kind) {
  return kind == AeadKind::kAes128Gcm ? 16 : 32;
}

class AeadOpener {
 public:
  static constexpr std::size_t kTagSize = 16;
  using Nonce = std::array<std::uint8_t, 12>;

  // CHECKs the size of the key.
  AeadOpener(AeadKind kind, base::Bytes key);
  AeadOpener(AeadOpener&&) noexcept;
  AeadOpener& operator=(AeadOpener&&) noexcept;
  ~AeadOpener();

  // out: sealed.size() - kTagSize bytes. False, and out is not to be used, when the tag is wrong.
  bool open(const Nonce& nonce, base::Bytes aad, base::Bytes sealed, base::MutableBytes out);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::crypto
