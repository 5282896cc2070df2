#pragma once
// Overwrites secrets where the compiler may not leave it out. Any thread.

#include "base/bytes.h"

namespace alcove::crypto {

void wipe(base::MutableBytes secret);

}  // namespace alcove::crypto
