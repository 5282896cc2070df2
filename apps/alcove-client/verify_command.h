#pragma once
// `alcove-client verify`: asks for what is to be checked, and prints the report.

#include "options.h"

namespace alcove::app {

// options.verify is there. The exit status: 0 verified, 1 not, 2 unusable or unreachable.
int verify(const Options& options);

}  // namespace alcove::app
