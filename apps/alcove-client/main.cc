// alcove-client: a member of a room on the command line.

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "egress.h"
#include "load_runner.h"
#include "options.h"
#include "runner.h"
#include "verify_command.h"

int main(int count, char** arguments) {
  try {
    alcove::app::ParsedOptions parsed = alcove::app::parse_options(count, arguments);
    if (!parsed.options) return parsed.exit_status;
    if (parsed.options->verify) return alcove::app::verify(*parsed.options);
    if (parsed.options->load) {
      return alcove::app::run_load(std::move(*parsed.options->load));
    }
    auto egress = alcove::app::Egress::open(parsed.options->egress, parsed.options->member.server);
    if (!egress) {
      fmt::print(stderr, "alcove-client: {}\n", egress.error().message);
      return static_cast<int>(alcove::client::ExitStatus::kUsage);
    }
    alcove::app::Runner runner(std::move(*parsed.options), *std::move(egress));
    return runner.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "alcove-client: {}\n", error.what());
    return static_cast<int>(alcove::client::ExitStatus::kNetwork);
  }
}
