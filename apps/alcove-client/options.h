#pragma once
// The command line of alcove-client (docs/alcove-client.md).

#include <optional>
#include <string>

#include "base/time.h"
#include "client/link.h"
#include "client/member.h"
#include "egress.h"
#include "load_runner.h"

namespace alcove::app {

// `alcove-client verify`: a link, or a file.
struct Verify {
  std::optional<client::RoomLink> link;
  std::string log_file;
};

struct Options {
  client::MemberOptions member;
  std::string speak;   // a file, "-" for standard input, empty for silence
  std::string record;  // empty: no recording
  EgressOptions egress;
  std::string identity_file;     // empty: that of the account, in data_directory
  std::string key_log_file;      // empty: none
  std::string relay_view_file;   // empty: none
  std::optional<Verify> verify;  // in place of a visit
  std::optional<LoadCommand> load;
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
