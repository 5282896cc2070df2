#include "alcove/manifest_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace alcove::app {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

constexpr std::size_t kLongestKeyFile = 256;

std::unexpected<base::Error> system_error(const fs::path& path, std::string_view what) {
  return base::fail(ErrorCode::kUnavailable,
                    fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// A name is on the disk when its folder is.
void sync_folder(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

base::Result<void> write_new(const fs::path& path, std::string_view bytes, mode_t mode) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return system_error(path, "make");
  const bool written = write_all(descriptor, bytes) && fsync(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  if (written) {
    sync_folder(path);
    return {};
  }
  unlink(path.c_str());
  errno = error;
  return system_error(path, "write");
}

}  // namespace

ManifestPaths manifest_paths(const Config& config) {
  const fs::path store = config.store.path;
  const auto beside = [&](const char* ending) {
    return store.parent_path() / (store.stem().string() + ending);
  };
  ManifestPaths paths;
  paths.key = config.manifest.key_file.empty() ? beside(".manifest-key")
                                               : fs::path(config.manifest.key_file);
  paths.next_key = paths.key.string() + ".new";
  paths.log = beside(".manifest-log");
  paths.manifest = beside(".manifest");
  return paths;
}

base::Result<crypto::Ed25519PrivateKey> load_key(const fs::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return system_error(path, "read the manifest's key");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return base::fail(
        ErrorCode::kPermissionDenied,
        fmt::format("others can read the manifest's key {0}: chmod 600 {0}", path.string()));
  const std::optional<std::string> text = read_small_file(path, kLongestKeyFile);
  if (!text) return system_error(path, "read the manifest's key");
  const std::string_view line =
      std::string_view(*text).substr(0, text->find_last_not_of("\r\n ") + 1);
  const auto bytes = base::from_base64url(line);
  crypto::Ed25519Seed seed{};
  if (!bytes || bytes->size() != seed.size())
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{} is not a key of a manifest: one line of 43 characters, as "
                                  "the first start makes it",
                                  path.string()));
  std::ranges::copy(*bytes, seed.begin());
  return crypto::Ed25519PrivateKey::from_seed(seed);
}

base::Result<crypto::Ed25519PrivateKey> make_key(const fs::path& path, base::RandomSource& random) {
  crypto::Ed25519PrivateKey key = crypto::Ed25519PrivateKey::make(random);
  const auto written = write_new(path, base::to_base64url(key.seed()) + "\n", 0600);
  if (!written) return std::unexpected(written.error());
  return key;
}

base::Result<void> finish_rotation(const ManifestPaths& paths, std::uint64_t log_size) {
  const fs::path old = fmt::format("{}.old-{}", paths.key.string(), log_size);
  if (link(paths.key.c_str(), old.c_str()) != 0 && errno != EEXIST)
    return system_error(paths.key, "keep a copy of");
  if (rename(paths.next_key.c_str(), paths.key.c_str()) != 0)
    return system_error(paths.next_key, "rename");
  sync_folder(paths.key);
  return {};
}

base::Result<void> replace_file(const fs::path& path, std::string_view bytes) {
  const fs::path next = path.string() + ".new";
  unlink(next.c_str());
  if (auto written = write_new(next, bytes, 0644); !written) return written;
  if (rename(next.c_str(), path.c_str()) != 0) return system_error(path, "replace");
  sync_folder(path);
  return {};
}

std::optional<std::string> read_small_file(const fs::path& path, std::size_t longest) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(longest + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (stream.bad() || !stream.eof()) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

}  // namespace alcove::app
