#include "files.h"

#include <filesystem>

#include "client/whole_file.h"

namespace alcove::app {

using base::Result;

namespace {

constexpr std::size_t kMaxKnownDevices = std::size_t{64} << 20;

std::string known_devices_path(const std::string& data_directory) {
  return data_directory + "/known_devices";
}

}  // namespace

client::KnownDevices load_known_devices(const std::string& data_directory) {
  if (data_directory.empty()) return {};
  const Result<std::string> text =
      client::read_whole_file(known_devices_path(data_directory), kMaxKnownDevices);
  return text ? client::KnownDevices::parse(*text) : client::KnownDevices{};
}

Result<void> save_known_devices(const std::string& data_directory,
                                const client::KnownDevices& devices) {
  if (data_directory.empty()) return {};
  client::KnownDevices all = load_known_devices(data_directory);
  all.merge(devices);
  std::error_code error;
  std::filesystem::create_directories(data_directory, error);
  return client::write_whole_file(known_devices_path(data_directory), all.text(),
                                  client::IfThere::kReplace);
}

}  // namespace alcove::app
