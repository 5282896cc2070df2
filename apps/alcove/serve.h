#pragma once
// `alcove serve`: the house and the relay in one process, from start-up to a clean end.

#include "alcove/config.h"

namespace alcove::app {

// Returns the exit status: 0 after SIGINT or SIGTERM, 1 when something could not be opened. Prints
// to standard output where to go, and to standard error what is wrong.
int serve(const Config& config);

}  // namespace alcove::app
