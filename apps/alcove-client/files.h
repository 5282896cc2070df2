#pragma once
// Files of a person's data directory. Any thread.

#include <string>

#include "base/result.h"
#include "client/known_devices.h"

namespace alcove::app {

// kUnavailable when it cannot be read, or is longer than at_most.
base::Result<std::string> read_file(const std::string& path, std::size_t at_most);
// Complete or not at all; readable by its owner alone. kUnavailable when the disk refuses.
base::Result<void> write_file(const std::string& path, const std::string& content);

// Empty where there is none.
client::KnownDevices load_known_devices(const std::string& data_directory);
// Together with what another process has learned meanwhile.
base::Result<void> save_known_devices(const std::string& data_directory,
                                      const client::KnownDevices& devices);

}  // namespace alcove::app
