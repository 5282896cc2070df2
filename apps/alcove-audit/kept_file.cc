#include "kept_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "privileges.h"

namespace alcove::app {

using base::Result;

namespace {

constexpr char kReplace = 'r';

std::unexpected<base::Error> fail_with(const std::string& path, int error) {
  return base::fail(base::ErrorCode::kUnavailable,
                    fmt::format("{}: {}", path, std::strerror(error)));
}

// The end of the pipe without the byte is an end without success, by whatever cause.
[[noreturn]] void keep(int pipe, const std::string& temporary, const std::string& path) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(pipe, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1 && byte == kReplace && std::rename(temporary.c_str(), path.c_str()) == 0) ::_exit(0);
  ::unlink(temporary.c_str());
  ::_exit(1);
}

}  // namespace

Result<KeptFile> KeptFile::open(const std::string& path) {
  constexpr mode_t kMode = 0644;
  std::string temporary = path + ".XXXXXX";
  net::FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return fail_with(path, errno);
  const auto owner = sudo_user();
  int ends[2];
  if (::fchmod(file.get(), kMode) != 0 ||
      (owner && ::fchown(file.get(), owner->user, owner->group) != 0) ||
      ::pipe2(ends, O_CLOEXEC) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail_with(path, error);
  }
  net::FileDescriptor read_end(ends[0]), write_end(ends[1]);
  const int process = ::fork();
  if (process < 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail_with(path, error);
  }
  if (process == 0) {
    ::close(write_end.get());
    keep(read_end.get(), temporary, path);
  }
  return KeptFile(path, std::move(file), std::move(write_end), process);
}

KeptFile::~KeptFile() {
  if (keeper_.valid()) end_keeper();
}

bool KeptFile::end_keeper() {
  keeper_ = net::FileDescriptor();
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Result<void> KeptFile::replace(std::string_view content) {
  while (!content.empty()) {
    const ssize_t done = ::write(file_.get(), content.data(), content.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_with(path_, errno);
    content.remove_prefix(static_cast<std::size_t>(done));
  }
  if (::fsync(file_.get()) != 0) return fail_with(path_, errno);
  const bool told = ::write(keeper_.get(), &kReplace, 1) == 1;
  if (!end_keeper() || !told)
    return base::fail(base::ErrorCode::kUnavailable, path_ + ": cannot be replaced");
  return {};
}

}  // namespace alcove::app
