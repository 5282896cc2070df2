// alcove-audit: what an audio app lets out, by packet captures.

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "audit_files.h"
#include "options.h"
#include "server_commands.h"
#include "watch.h"

namespace {

int run(const alcove::app::Options& options) {
  using alcove::app::Command;
  switch (options.command) {
    case Command::kFiles:
      return alcove::app::audit_files(options);
    case Command::kWatch:
      return alcove::app::watch(options);
    case Command::kManifest:
      return alcove::app::check_manifest(options);
    case Command::kLog:
      return alcove::app::check_log(options);
    case Command::kWeb:
      return alcove::app::check_web(options);
  }
  return alcove::app::kUnusable;
}

}  // namespace

int main(int count, char** arguments) {
  // A reader of the report that goes away is an error of writing, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const alcove::app::ParsedOptions parsed = alcove::app::parse_options(count, arguments);
    return parsed.options ? run(*parsed.options) : parsed.exit_status;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "alcove-audit: out of memory: audit less at a time\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "alcove-audit: {}\n", error.what());
  }
  return alcove::app::kUnusable;
}
