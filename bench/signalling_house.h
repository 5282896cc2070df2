#pragma once
// The control plane of bench/signalling.cc in a process of its own: the real HTTP server and
// control::Server, a store in memory, and a relay that answers everything at once.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace alcove::bench {

struct HouseProcess {
  pid_t pid = 0;
  std::uint16_t port = 0;
  std::string host_token;    // a session of an account that may start a room
  std::string host_account;  // its id
};

// Forks; ends with this process. SIGUSR1 gives memory that is not in use back to the system.
HouseProcess start_house(const char* host_name);

}  // namespace alcove::bench
