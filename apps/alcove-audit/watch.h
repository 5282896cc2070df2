#pragma once
// `alcove-audit --watch INTERFACE`.

#include "options.h"

namespace alcove::app {

int watch(const Options& options);

}  // namespace alcove::app
