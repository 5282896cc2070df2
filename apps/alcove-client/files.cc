#include "files.h"

#include <filesystem>

#include "client/whole_file.h"

namespace alcove::app {

using base::Result;

namespace {

constexpr std::size_t kMaxKnownDevices = std::size_t{64} << 20;
constexpr std::size_t kMaxKnownServers = std::size_t{8} << 20;

std::string known_devices_path(const std::string& data_directory) {
  return data_directory + "/known_devices";
}

std::string known_servers_path(const std::string& data_directory) {
  return data_directory + "/known_servers";
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

client::KnownServers load_known_servers(const std::string& data_directory) {
  if (data_directory.empty()) return {};
  const Result<std::string> text =
      client::read_whole_file(known_servers_path(data_directory), kMaxKnownServers);
  return text ? client::KnownServers::parse(*text) : client::KnownServers{};
}

Result<void> save_known_servers(const std::string& data_directory, client::KnownServers& servers) {
  const auto changes = servers.take_changes();
  if (data_directory.empty()) return {};
  client::KnownServers all = load_known_servers(data_directory);
  for (const auto& [origin, hash] : changes) all.set(origin, hash);
  std::error_code error;
  std::filesystem::create_directories(data_directory, error);
  return client::write_whole_file(known_servers_path(data_directory), all.text(),
                                  client::IfThere::kReplace);
}

}  // namespace alcove::app
