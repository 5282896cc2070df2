#pragma once
// What the system lets this process have, and what it took. Any thread.

#include <cstddef>

#include "client/load_statistics.h"

namespace alcove::app {

// Raises the soft limit of open files to needed, or as far as it may; what is allowed then.
std::size_t raise_file_limit(std::size_t needed);

// processor_seconds and resident_kib; the rest is the caller's.
client::LoadProcess process_usage();

}  // namespace alcove::app
