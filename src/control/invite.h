#pragma once
// Invite codes, as `alcove invite create` makes them and registration takes them. Any thread.

#include <string>
#include <string_view>

#include "base/random.h"
#include "store/store.h"

namespace alcove::control {

// 20 characters of base32 in groups of five: 100 random bits, easy to read out.
std::string make_invite_code(base::RandomSource& random);

// What the store keeps of a code. Case, spaces and hyphens do not matter.
store::Hash hash_invite_code(std::string_view code);

}  // namespace alcove::control
