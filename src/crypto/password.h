#pragma once
// Password hashes by argon2id (RFC 9106). Any thread, but slow on purpose (tens of milliseconds and
// cost.memory_kib of memory a call): run on an Executor, never on a control or media thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"

namespace alcove::crypto {

// OWASP's recommendation; the parameters are part of the encoded hash, so they can be raised later.
struct PasswordCost {
  std::uint32_t memory_kib = 19 * 1024;
  std::uint32_t iterations = 2;
  std::uint32_t parallelism = 1;
};

// "$argon2id$v=19$m=…,t=…,p=…$salt$hash" with a fresh 16-byte salt. CHECKs that cost is within what
// argon2 accepts (memory_kib at least 8 times parallelism) and what verify_password accepts.
std::string hash_password(std::string_view password, base::RandomSource& random,
                          PasswordCost cost = {});

// False for a wrong password and for a string that is not such a hash, or that asks for more than
// 1 GiB or 64 iterations.
bool verify_password(std::string_view encoded, std::string_view password);

// True when encoded was made with another cost, or is not such a hash: after the next successful
// login, hash again.
bool needs_rehash(std::string_view encoded, PasswordCost cost = {});

}  // namespace alcove::crypto
