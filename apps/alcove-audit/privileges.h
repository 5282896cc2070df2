#pragma once
// The program is run as root, for captures, on bytes that attackers made: so it becomes an ordinary
// user as soon as everything is open, and is held within limits.

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace alcove::app {

struct UserAndGroup {
  uid_t user = 0;
  gid_t group = 0;
};
// Who called sudo; nullopt without root or without sudo.
std::optional<UserAndGroup> sudo_user();

// Address space, no core file (it would hold the capture), no new privileges. What a sanitizer
// needs of address space is more than any limit: there it is left out.
void limit_resources();

// When root: becomes sudo_user(), else nobody, for good. Everybody: without capabilities. Says in
// words what it did; empty when there was nothing to do. An error: still with them.
base::Result<std::string> drop_privileges();

}  // namespace alcove::app
