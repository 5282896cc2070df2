#pragma once
// What a manifest's fields may hold. Inside src/policy. Any thread.

#include <string_view>

#include "alcove/v1/manifest.pb.h"

namespace alcove::policy {

// "" when every field is within its bounds; else which one is not, for people.
std::string_view find_fault(const v1::Manifest& manifest);

}  // namespace alcove::policy
