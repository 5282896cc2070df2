#include "crypto/random.h"

#include <openssl/rand.h>

#include <algorithm>

namespace alcove::crypto {

void SystemRandom::fill(base::MutableBytes out) {
  constexpr std::size_t kLargestCall = 1 << 20;  // RAND_bytes takes an int
  while (!out.empty()) {
    const std::size_t size = std::min(out.size(), kLargestCall);
    CHECK(RAND_bytes(out.data(), static_cast<int>(size)) == 1);
    out = out.subspan(size);
  }
}

}  // namespace alcove::crypto
