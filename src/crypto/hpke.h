#pragma once
// HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM; one message a
// context. Any thread.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/random.h"

namespace alcove::crypto {

inline constexpr std::size_t kHpkeEncapsulationSize = 32;
inline constexpr std::size_t kHpkeTagSize = 16;
using HpkePublicKey = std::array<std::uint8_t, 32>;
using HpkePrivateBytes = std::array<std::uint8_t, 32>;

class HpkePrivateKey {
 public:
  static HpkePrivateKey make(base::RandomSource& random);
  static HpkePrivateKey from_bytes(const HpkePrivateBytes& bytes);
  HpkePrivateKey(HpkePrivateKey&&) noexcept;
  HpkePrivateKey& operator=(HpkePrivateKey&&) noexcept;
  ~HpkePrivateKey();
  const HpkePublicKey& public_key() const;

 private:
  friend std::optional<base::Buffer> hpke_open(const HpkePrivateKey& key, base::Bytes info,
                                               base::Bytes aad, base::Bytes box);
  class Implementation;
  explicit HpkePrivateKey(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// The costly half of sealing, which does not need the message: made ahead, used once.
class HpkeSealContext {
 public:
  // nullopt for a key of small order.
  static std::optional<HpkeSealContext> make(const HpkePublicKey& receiver, base::Bytes info,
                                             base::RandomSource& random);
  HpkeSealContext(HpkeSealContext&&) noexcept;
  HpkeSealContext& operator=(HpkeSealContext&&) noexcept;
  ~HpkeSealContext();
  // enc (32) || ciphertext || tag (16). Once (CHECK): two messages would share key and nonce.
  base::Buffer seal(base::Bytes aad, base::Bytes plaintext) &&;

 private:
  HpkeSealContext() = default;
  void wipe();
  bool spent_ = false;
  std::array<std::uint8_t, 32> encapsulation_{};
  std::array<std::uint8_t, 16> key_{};
  std::array<std::uint8_t, 12> nonce_{};
};

std::optional<base::Buffer> hpke_seal(const HpkePublicKey& receiver, base::Bytes info,
                                      base::Bytes aad, base::Bytes plaintext,
                                      base::RandomSource& random);
// nullopt for whatever does not open. box: enc || ciphertext || tag.
std::optional<base::Buffer> hpke_open(const HpkePrivateKey& key, base::Bytes info, base::Bytes aad,
                                      base::Bytes box);

}  // namespace alcove::crypto
