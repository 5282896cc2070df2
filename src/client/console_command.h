#pragma once
// What a person types while in a room: one command a line. Any thread.

#include <string>
#include <string_view>

#include "alcove/v1/rooms.pb.h"
#include "base/result.h"

namespace alcove::client {

struct ConsoleCommand {
  enum class Kind {
    kRoom,      // command is complete
    kOnMember,  // command lacks the member whom target names
    kMembers,   // list everybody
    kHands,     // list raised hands
    kLeave,
    kHelp,
  };
  Kind kind = Kind::kHelp;
  std::string verb;         // as typed
  v1::RoomCommand command;  // without join_token
  std::string target;       // a name or an id
};

// kInvalidArgument with what to type instead. Empty lines are not given to this.
base::Result<ConsoleCommand> parse_console_command(std::string_view line);

// The list of commands, a line each.
std::string_view console_help();

}  // namespace alcove::client
