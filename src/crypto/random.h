#pragma once
// The system's randomness, for everything that runs outside tests. Any thread.

#include "base/random.h"

namespace alcove::crypto {

// Cryptographically secure, seeded by the kernel. A generator that fails ends the process: no key
// is better than a guessable one.
class SystemRandom final : public base::RandomSource {
 public:
  void fill(base::MutableBytes out) override;
};

}  // namespace alcove::crypto
