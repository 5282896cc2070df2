#include "console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace alcove::app {

void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
}

void write_stderr(std::string_view text) {
  // fmt::print throws where this does not.
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  (void)std::fflush(stderr);
}

void write_stdout(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stdout); }

bool finish_stdout() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace alcove::app
