#pragma once
// `alcove-audit CAPTURE…`.

#include "options.h"

namespace alcove::app {

int audit_files(const Options& options);

}  // namespace alcove::app
