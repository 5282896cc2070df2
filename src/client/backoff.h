#pragma once
// The wait before the next try: doubling, with a random part so that a room does not come back at
// once. Any thread.

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace alcove::client {

class Backoff {
 public:
  Backoff(base::Duration first, base::Duration longest) : first_(first), longest_(longest) {}

  base::Duration next(base::RandomSource& random) {
    wait_ = wait_ == base::Duration::zero() ? first_ : std::min(wait_ * 2, longest_);
    // Between 75 and 100 % of it.
    return wait_ * (750 + random.below(251)) / 1000;
  }
  void reset() { wait_ = base::Duration::zero(); }

 private:
  base::Duration first_;
  base::Duration longest_;
  base::Duration wait_{};
};

}  // namespace alcove::client
