#include "crypto/hkdf.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "crypto/hmac_key.h"

namespace alcove::crypto {
namespace {

constexpr std::size_t kMostBlocks = 255;

}  // namespace

Sha256Digest hkdf_extract(base::Bytes salt, base::Bytes input_key) {
  return HmacSha256Key(salt).mac({input_key});
}

void hkdf_expand(base::Bytes pseudorandom_key, base::Bytes info, base::MutableBytes out) {
  CHECK(out.size() <= kMostBlocks * std::tuple_size_v<Sha256Digest>);
  const HmacSha256Key key(pseudorandom_key);
  Sha256Digest block{};
  for (std::uint8_t number = 1; !out.empty(); ++number) {
    const base::Bytes before = number == 1 ? base::Bytes() : base::Bytes(block);
    block = key.mac({before, info, base::Bytes(&number, 1)});
    const std::size_t size = std::min(out.size(), block.size());
    std::copy_n(block.begin(), size, out.begin());
    out = out.subspan(size);
  }
  OPENSSL_cleanse(block.data(), block.size());
}

}  // namespace alcove::crypto
