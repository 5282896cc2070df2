#include "base/check.h"
#include "crypto/ipsec_mb/gcm.h"

namespace alcove::crypto::ipsec_mb {

bool is_available() { return false; }
GcmKey::GcmKey(const std::array<std::uint8_t, 16>& /*key*/) : bytes{} { CHECK(is_available()); }
void GcmKey::prefetch() const {}
void seal(const GcmKey& /*key*/, const std::array<std::uint8_t, 12>& /*iv*/, base::Bytes /*clear*/,
          base::Bytes /*data*/, std::uint8_t* /*out*/) {
  CHECK(is_available());
}

}  // namespace alcove::crypto::ipsec_mb
