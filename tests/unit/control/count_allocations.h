#pragma once
// Counts what this program allocates. One thread.

#include <cstddef>

namespace alcove::control {

// So far.
std::size_t allocations();

}  // namespace alcove::control
