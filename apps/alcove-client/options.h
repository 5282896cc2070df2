#pragma once
// The command line of alcove-client (docs/alcove-client.md).

#include <optional>
#include <string>

#include "base/time.h"
#include "client/member.h"

namespace alcove::app {

struct Options {
  client::MemberOptions member;
  std::string speak;   // a file, "-" for standard input, empty for silence
  std::string record;  // empty: no recording
  std::string authorities_file;
  bool json = false;
};

struct ParsedOptions {
  // nullopt: the program ends with exit_status (help, or a mistake that was explained).
  std::optional<Options> options;
  int exit_status = 0;
};

// Writes help to standard output and mistakes to standard error.
ParsedOptions parse_options(int count, char** arguments);

}  // namespace alcove::app
