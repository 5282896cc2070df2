#pragma once
// `alcove invite create`: makes an invite code in the database and prints it.

#include <cstdint>

#include "alcove/config.h"

namespace alcove::app {

// Returns the exit status.
int create_invite(const Config& config, std::int64_t uses, std::int64_t valid_seconds);

}  // namespace alcove::app
