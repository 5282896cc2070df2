#pragma once
// `alcove manifest show` and `alcove manifest rotate-key`.

#include <cstdint>

#include "alcove/config.h"
#include "base/random.h"

namespace alcove::app {

// Prints what the server last promised, beside a server that runs. Both return the exit status.
int show_manifest(const Config& config);
// The old key signs the new one. Not while the server runs: its rooms have pinned the old key.
int rotate_manifest_key(const Config& config, base::RandomSource& random, std::int64_t now_ms);

}  // namespace alcove::app
