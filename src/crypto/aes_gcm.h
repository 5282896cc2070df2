#pragma once
// AES-128-GCM with 16-byte tags, for frames and boxes: a context is set up once for each key. Not
// thread-safe; one thread at a time.

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace alcove::crypto {

class Aes128Gcm {
 public:
  static constexpr std::size_t kTagSize = 16;
  using Key = std::array<std::uint8_t, 16>;
  using Nonce = std::array<std::uint8_t, 12>;

  explicit Aes128Gcm(const Key& key);
  Aes128Gcm(Aes128Gcm&&) noexcept;
  Aes128Gcm& operator=(Aes128Gcm&&) noexcept;
  ~Aes128Gcm();

  // out: plaintext.size() + kTagSize bytes (CHECK); may be where plaintext is.
  void seal(const Nonce& nonce, base::Bytes aad, base::Bytes plaintext, base::MutableBytes out);
  // out: sealed.size() - kTagSize bytes. False, and out is not to be used, when the tag is wrong.
  bool open(const Nonce& nonce, base::Bytes aad, base::Bytes sealed, base::MutableBytes out);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::crypto
