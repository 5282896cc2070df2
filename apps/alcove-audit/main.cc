// alcove-audit: what an audio app lets out, by packet captures.

#include <csignal>
#include <exception>
#include <new>

#include "audit_files.h"
#include "console.h"
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

int run_guarded(int count, char** arguments) {
  try {
    const alcove::app::ParsedOptions parsed = alcove::app::parse_options(count, arguments);
    return parsed.options ? run(*parsed.options) : parsed.exit_status;
  } catch (const std::bad_alloc&) {
    alcove::app::write_stderr("alcove-audit: out of memory: audit less at a time\n");
  } catch (const std::exception& error) {
    alcove::app::write_stderr("alcove-audit: ");
    alcove::app::write_stderr(error.what());
    alcove::app::write_stderr("\n");
  }
  return alcove::app::kUnusable;
}

}  // namespace

int main(int count, char** arguments) {
  // A reader of the report that goes away is an error of writing, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  alcove::app::hold_standard_descriptors();
  const int status = run_guarded(count, arguments);
  if (alcove::app::finish_stdout()) return status;
  // A report that nobody got must not pass for a clean one.
  alcove::app::write_stderr("alcove-audit: standard output cannot be written\n");
  return alcove::app::kUnusable;
}
