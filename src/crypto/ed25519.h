#pragma once
// Ed25519 (RFC 8032) as docs/protocol/room-keys.md wants it: verified without the cofactor, with
// non-canonical and small-order keys refused. Any thread.

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/random.h"

namespace alcove::crypto {

using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;
using Ed25519Seed = std::array<std::uint8_t, 32>;

class Ed25519PrivateKey {
 public:
  static Ed25519PrivateKey make(base::RandomSource& random);
  static Ed25519PrivateKey from_seed(const Ed25519Seed& seed);
  Ed25519PrivateKey(Ed25519PrivateKey&&) noexcept;
  Ed25519PrivateKey& operator=(Ed25519PrivateKey&&) noexcept;
  ~Ed25519PrivateKey();

  const Ed25519PublicKey& public_key() const;
  // For storing an identity on its own device, and for tests.
  const Ed25519Seed& seed() const;
  Ed25519Signature sign(base::Bytes message) const;

 private:
  class Implementation;
  explicit Ed25519PrivateKey(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// False for a key that is not canonical or of small order, whatever the signature.
bool ed25519_verify(const Ed25519PublicKey& key, base::Bytes message,
                    const Ed25519Signature& signature);
// Whether verification would accept the key at all.
bool ed25519_key_is_valid(const Ed25519PublicKey& key);

}  // namespace alcove::crypto
