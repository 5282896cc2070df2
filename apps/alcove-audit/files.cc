#include "files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "privileges.h"

namespace alcove::app {

using base::ErrorCode;
using base::Result;

namespace {

std::unexpected<base::Error> fail_with(const std::string& path, int error) {
  const ErrorCode code = error == ENOENT                     ? ErrorCode::kNotFound
                         : error == EACCES || error == EPERM ? ErrorCode::kPermissionDenied
                                                             : ErrorCode::kUnavailable;
  return base::fail(code, fmt::format("{}: {}", path, std::strerror(error)));
}

}  // namespace

Result<net::FileDescriptor> open_for_reading(const std::string& path) {
  net::FileDescriptor file(path == "-" ? ::dup(STDIN_FILENO)
                                       : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail_with(path, errno);
  return file;
}

Result<std::string> read_file(const std::string& path, std::size_t at_most) {
  auto file = open_for_reading(path);
  if (!file) return std::unexpected(file.error());
  std::string content;
  std::string piece(64 << 10, '\0');
  for (;;) {
    const ssize_t got = ::read(file->get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_with(path, errno);
    if (got == 0) return content;
    content.append(piece, 0, static_cast<std::size_t>(got));
    if (content.size() > at_most)
      return base::fail(ErrorCode::kInvalidArgument,
                        fmt::format("{} is longer than {} bytes", path, at_most));
  }
}

std::string base_name(const std::string& path) {
  if (path == "-") return "-";
  return path.substr(path.find_last_of('/') + 1);
}

Result<OutputFile> OutputFile::open(const std::string& path) {
  constexpr mode_t kMode = 0644;
  net::FileDescriptor made(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (made.valid()) {
    // Only what was just made: an empty file of root's that was there keeps its owner.
    const auto owner = sudo_user();
    if (owner && ::fchown(made.get(), owner->user, owner->group) != 0)
      return fail_with(path, errno);
    return OutputFile(path, std::move(made));
  }
  if (errno != EEXIST) return fail_with(path, errno);
  net::FileDescriptor there(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!there.valid()) return fail_with(path, errno);
  return OutputFile(path, std::move(there));
}

Result<void> OutputFile::write(std::string_view content) {
  // A pipe or a device has no length.
  if (::ftruncate(descriptor_.get(), 0) != 0 && errno != EINVAL) return fail_with(path_, errno);
  while (!content.empty()) {
    const ssize_t done = ::write(descriptor_.get(), content.data(), content.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_with(path_, errno);
    content.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace alcove::app
