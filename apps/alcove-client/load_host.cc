#include "load_host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "net/file_descriptor.h"

namespace alcove::app {

namespace {

constexpr int kStartMilliseconds = 30'000;
constexpr int kEndSteps = 30;
constexpr useconds_t kEndStepMicroseconds = 100'000;
constexpr std::size_t kMaxLine = 4'096;

std::unexpected<base::Error> failed(std::string message) {
  return base::fail(base::ErrorCode::kUnavailable, std::move(message));
}

std::vector<std::string> arguments_of(const LoadHostOptions& options) {
  std::vector<std::string> arguments = {"alcove-client",  "start",           options.server,
                                        "--title",        options.title,     "--username",
                                        options.username, "--password-file", options.password_file,
                                        "--speak",        options.speak,     "--loop"};
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    arguments.emplace_back(name);
    arguments.push_back(value);
  };
  add("--ca-file", options.egress.authorities_file);
  add("--policy", options.egress.policy_file);
  for (const std::string& database : options.egress.geo_databases) add("--geo-database", database);
  if (options.egress.accept_new_manifest_key) arguments.emplace_back("--accept-new-manifest-key");
  return arguments;
}

// In a group of its own: Ctrl-C is for the load, whose members leave first.
pid_t spawn(const LoadHostOptions& options, int output) {
  std::vector<std::string> arguments = arguments_of(options);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t process = -1;
  const int error =
      posix_spawn(&process, "/proc/self/exe", &actions, &attributes, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? process : -1;
}

// The first line, which is the link; empty when there is none in time.
std::string read_line(int descriptor) {
  std::string line;
  pollfd wanted{descriptor, POLLIN, 0};
  while (line.size() < kMaxLine && poll(&wanted, 1, kStartMilliseconds) > 0) {
    char c = 0;
    if (read(descriptor, &c, 1) != 1) break;
    if (c == '\n') return line;
    line += c;
  }
  return "";
}

}  // namespace

base::Result<std::string> LoadHost::start(const LoadHostOptions& options) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed("The speaker's program cannot be started.");
  const net::FileDescriptor from(ends[0]);
  net::FileDescriptor to(ends[1]);
  process_ = spawn(options, to.get());
  if (process_ < 0) return failed("The speaker's program cannot be started.");
  to.reset();
  std::string link = read_line(from.get());
  if (link.empty()) return failed("The room was not started.");
  return link;
}

LoadHost::~LoadHost() {
  if (process_ < 0) return;
  kill(process_, SIGINT);
  for (int step = 0; step < kEndSteps; ++step) {
    if (waitpid(process_, nullptr, WNOHANG) != 0) return;
    usleep(kEndStepMicroseconds);
  }
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace alcove::app
