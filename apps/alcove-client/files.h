#pragma once
// Files of a person's data directory. Any thread.

#include <string>

#include "base/result.h"
#include "client/known_devices.h"
#include "client/known_servers.h"

namespace alcove::app {

// Empty where there is none.
client::KnownDevices load_known_devices(const std::string& data_directory);
// Together with what another process has learned meanwhile.
base::Result<void> save_known_devices(const std::string& data_directory,
                                      const client::KnownDevices& devices);

// The same for known_servers. Saving merges what was learned into what is there meanwhile.
client::KnownServers load_known_servers(const std::string& data_directory);
base::Result<void> save_known_servers(const std::string& data_directory,
                                      client::KnownServers& servers);

}  // namespace alcove::app
