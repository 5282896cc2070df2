#include "files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace alcove::app {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kMaxKnownDevices = std::size_t{64} << 20;

std::string known_devices_path(const std::string& data_directory) {
  return data_directory + "/known_devices";
}

bool write_all(int file, const std::string& content) {
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t size = write(file, content.data() + written, content.size() - written);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    written += static_cast<std::size_t>(size);
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t at_most) {
  std::ifstream file(path, std::ios::binary);
  std::string content;
  char piece[65536];
  while (file && content.size() <= at_most) {
    file.read(piece, sizeof piece);
    content.append(piece, static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof() || content.size() > at_most)
    return base::fail(ErrorCode::kUnavailable, path + " cannot be read, or is too long.");
  return content;
}

Result<void> write_file(const std::string& path, const std::string& content) {
  const std::string temporary = fmt::format("{}.{}.new", path, getpid());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool done = file >= 0 && write_all(file, content);
  if (file >= 0) done = close(file) == 0 && done;
  done = done && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (done) return {};
  const int why = errno;
  if (file >= 0) unlink(temporary.c_str());
  return base::fail(ErrorCode::kUnavailable,
                    fmt::format("{} cannot be written: {}.", path, std::strerror(why)));
}

client::KnownDevices load_known_devices(const std::string& data_directory) {
  if (data_directory.empty()) return {};
  const Result<std::string> text = read_file(known_devices_path(data_directory), kMaxKnownDevices);
  return text ? client::KnownDevices::parse(*text) : client::KnownDevices{};
}

Result<void> save_known_devices(const std::string& data_directory,
                                const client::KnownDevices& devices) {
  if (data_directory.empty()) return {};
  client::KnownDevices all = load_known_devices(data_directory);
  all.merge(devices);
  std::error_code error;
  std::filesystem::create_directories(data_directory, error);
  return write_file(known_devices_path(data_directory), all.text());
}

}  // namespace alcove::app
