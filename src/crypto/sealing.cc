#include "crypto/sealing.h"

#include "crypto/ipsec_mb/gcm.h"

namespace alcove::crypto {

bool has_ipsec_mb() { return ipsec_mb::is_available(); }

SealingMethod resolve_sealing(SealingMethod wanted) {
  return wanted != SealingMethod::kOpenSsl && has_ipsec_mb() ? SealingMethod::kIpsecMb
                                                             : SealingMethod::kOpenSsl;
}

std::string_view name(SealingMethod method) {
  switch (method) {
    case SealingMethod::kAuto:
      return "auto";
    case SealingMethod::kIpsecMb:
      return "ipsec-mb";
    case SealingMethod::kOpenSsl:
      return "openssl";
  }
  return "unknown";
}

}  // namespace alcove::crypto
