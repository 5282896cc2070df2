#pragma once
// What a Certificate holds. Private to src/crypto.

#include "crypto/certificate.h"
#include "crypto/openssl_handles.h"

namespace alcove::crypto {

struct Certificate::Impl {
  PrivateKey key;
  X509Certificate x509;
  base::Buffer der;
  Fingerprint fingerprint;
};

}  // namespace alcove::crypto
