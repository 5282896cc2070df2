#include "crypto/wipe.h"

#include <openssl/crypto.h>

namespace alcove::crypto {

void wipe(base::MutableBytes secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace alcove::crypto
