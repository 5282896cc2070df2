#include "e2ee/epoch_secrets.h"

#include "crypto/hash.h"
#include "crypto/hkdf.h"

namespace alcove::e2ee {

Secret derive_epoch(const Secret& chain, const Secret& fresh, const roomlog::Hash& body_hash) {
  const Secret joiner = crypto::hkdf_extract(chain, fresh);
  Secret epoch{};
  roomlog::expand(joiner, "epoch", body_hash, epoch);
  return epoch;
}

Secret chain_of(const Secret& epoch) {
  Secret chain{};
  roomlog::expand(epoch, "chain", {}, chain);
  return chain;
}

Secret application_secret_of(const Secret& epoch) {
  Secret secret{};
  roomlog::expand(epoch, "app", {}, secret);
  return secret;
}

roomlog::Hash confirm_of(const Secret& epoch, const roomlog::Hash& body_hash) {
  Secret key{};
  roomlog::expand(epoch, "confirm", {}, key);
  return crypto::hmac_sha256(key, body_hash);
}

bool confirms(const Secret& epoch, const roomlog::Entry& advance) {
  return crypto::constant_time_equal(confirm_of(epoch, advance.body_hash),
                                     base::as_bytes(advance.object.confirm()));
}

SFrameBaseKey frame_key_of(const Secret& epoch, std::uint8_t seat, const roomlog::Hash& leaf) {
  std::array<std::uint8_t, 33> context{};
  context[0] = seat;
  std::memcpy(context.data() + 1, leaf.data(), leaf.size());
  SFrameBaseKey key{};
  roomlog::expand(epoch, "sframe", context, key);
  return key;
}

}  // namespace alcove::e2ee
