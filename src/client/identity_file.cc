#include "client/identity_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "client/whole_file.h"

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::string_view kHeader = "alcove identity 1 ";
constexpr std::size_t kMaxFile = 256;

std::string file_name_of(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    out += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::unexpected<base::Error> disk_error(const std::string& path, const char* verb) {
  return base::fail(ErrorCode::kUnavailable,
                    fmt::format("{} cannot be {}: {}.", path, verb, std::strerror(errno)));
}

Result<crypto::Ed25519Seed> parse_identity(const std::string& path, std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  crypto::Ed25519Seed seed{};
  if (text.starts_with(kHeader)) {
    const auto bytes = base::from_base64url(text.substr(kHeader.size()));
    if (bytes && bytes->size() == seed.size()) {
      std::ranges::copy(*bytes, seed.begin());
      return seed;
    }
  }
  return base::fail(ErrorCode::kInvalidArgument, path + " is not an identity of alcove-client.");
}

Result<crypto::Ed25519Seed> read_identity(const std::string& path, int file) {
  struct stat status{};
  if (fstat(file, &status) != 0) return disk_error(path, "read");
  if (!S_ISREG(status.st_mode))
    return base::fail(ErrorCode::kInvalidArgument, path + " is not a file.");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return base::fail(ErrorCode::kFailedPrecondition,
                      path + " can be read by others: chmod 600 it, or make a new identity.");
  std::string text(kMaxFile, '\0');
  const ssize_t size = read(file, text.data(), text.size());
  if (size < 0) return disk_error(path, "read");
  text.resize(static_cast<std::size_t>(size));
  return parse_identity(path, text);
}

Result<crypto::Ed25519Seed> make_identity(const std::string& path, base::RandomSource& random) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!directory.empty() && std::filesystem::create_directories(directory, error))
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  const auto seed = random.bytes<32>();
  const std::string text = std::string(kHeader) + base::to_base64url(seed) + "\n";
  const Result<void> written = write_whole_file(path, text, IfThere::kKeep);
  if (written) return seed;
  // What another process made meanwhile is the identity.
  if (written.error().code == ErrorCode::kAlreadyExists) return load_or_make_identity(path, random);
  return std::unexpected(written.error());
}

}  // namespace

std::string data_directory(const char* data_home, const char* home) {
  // XDG: a path that is not absolute counts as not set.
  if (data_home != nullptr && data_home[0] == '/') return std::string(data_home) + "/alcove";
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/share/alcove";
  return {};
}

std::string identity_path(const std::string& directory, const ServerAddress& server,
                          const std::string& username) {
  return fmt::format("{}/identities/{}_{}_{}", directory, file_name_of(server.host), server.port,
                     file_name_of(username));
}

Result<crypto::Ed25519Seed> load_or_make_identity(const std::string& path,
                                                  base::RandomSource& random) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno != ENOENT) return disk_error(path, "read");
    return make_identity(path, random);
  }
  Result<crypto::Ed25519Seed> seed = read_identity(path, file);
  close(file);
  return seed;
}

}  // namespace alcove::client
