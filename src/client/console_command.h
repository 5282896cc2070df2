#pragma once
// What a person types while in a room: one command a line. Any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alcove/v1/rooms.pb.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace alcove::client {

// What becomes an entry of the room's log.
enum class LogCommand : std::uint8_t {
  kNone,
  kEject,
  kMoveDown,
  kMakeModerator,
  kLock,
  kUnlock,
  kNewLink,
  kInviteKeys
};

struct ConsoleCommand {
  enum class Kind {
    kRoom,      // command is complete
    kOnMember,  // command lacks the member whom target names
    kLog,       // log is complete, but for the member whom target names, if it needs one
    kMembers,   // list everybody
    kHands,     // list raised hands
    kRoster,    // list who can hear, as the log proves it
    kCode,      // the room code
    kKey,       // one's own identity key
    kLink,      // the link for sharing
    kExport,    // the log into the file that target names
    kLeave,
    kHelp,
  };
  Kind kind = Kind::kHelp;
  std::string verb;         // as typed
  v1::RoomCommand command;  // without join_token
  LogCommand log = LogCommand::kNone;
  std::string target;  // a name or an id, or a file; empty where the command can do without
  std::vector<crypto::Ed25519PublicKey> keys = {};  // identities of kInviteKeys
};

// kInvalidArgument with what to type instead. Empty lines are not given to this.
base::Result<ConsoleCommand> parse_console_command(std::string_view line);

// The list of commands, a line each.
std::string_view console_help();

}  // namespace alcove::client
