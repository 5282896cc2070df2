#include "client/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }
  // Some file systems tell of a full disk only here.
  bool finish() { return close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

std::unexpected<base::Error> system_error(const std::string& path, const char* verb, int why) {
  const ErrorCode code = why == ENOENT   ? ErrorCode::kNotFound
                         : why == EEXIST ? ErrorCode::kAlreadyExists
                                         : ErrorCode::kUnavailable;
  return base::fail(code, fmt::format("{} cannot be {}: {}.", path, verb, std::strerror(why)));
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t size = write(file, content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// link() does not replace what is there; the temporary name goes in both cases.
bool give_name(const std::string& temporary, const std::string& path, IfThere if_there) {
  if (if_there == IfThere::kReplace) return std::rename(temporary.c_str(), path.c_str()) == 0;
  if (link(temporary.c_str(), path.c_str()) != 0) return false;
  unlink(temporary.c_str());
  return true;
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t at_most) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return system_error(path, "read", errno);
  std::string content;
  char piece[65536];
  while (content.size() <= at_most) {
    const ssize_t size = read(file.number(), piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(path, "read", errno);
    if (size == 0) return content;
    content.append(piece, static_cast<std::size_t>(size));
  }
  return base::fail(
      ErrorCode::kInvalidArgument,
      fmt::format("{} is longer than {} bytes, the most that is read of it.", path, at_most));
}

Result<void> write_whole_file(const std::string& path, std::string_view content, IfThere if_there) {
  // rename() would put a file in the place of /dev/null.
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return base::fail(ErrorCode::kInvalidArgument, path + " is not a file: name another.");
  // In the same directory, for only within one file system a name is given at once.
  std::string temporary = path + ".XXXXXX";
  Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));  // O_EXCL, mode 0600
  if (file.number() < 0) return system_error(path, "written", errno);
  if (write_all(file.number(), content) && fsync(file.number()) == 0 && file.finish() &&
      give_name(temporary, path, if_there))
    return {};
  const int why = errno;
  unlink(temporary.c_str());
  return system_error(path, "written", why);
}

}  // namespace alcove::client
