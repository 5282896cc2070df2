#include "net/clock.h"

#include <chrono>

namespace alcove::net {

base::Instant monotonic_now() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return base::Instant(std::chrono::duration_cast<base::Duration>(since_start));
}

base::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace alcove::net
