#pragma once
// The real clocks. Only src/net and apps read them; everything else is told the time. Any thread.

#include "base/time.h"

namespace alcove::net {

// CLOCK_MONOTONIC.
base::Instant monotonic_now();
base::WallTime wall_now();
// What the calling thread has had of a processor. A system call.
base::Duration thread_time();

}  // namespace alcove::net
