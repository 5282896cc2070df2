#pragma once
// How a member's visit ended: the exit status of alcove-client, and a sentence for people. The
// numbers are a promise to scripts (docs/alcove-client.md). Any thread.

#include <string>
#include <string_view>

namespace alcove::client {

enum class ExitStatus : int {
  kOk = 0,
  kUsage = 1,        // arguments or files that cannot be used
  kRefused = 2,      // the server said no: wrong password, no such room, locked, full
  kNetwork = 3,      // no connection to the server
  kMediaFailed = 4,  // the server is there, the sound is not
  kEnded = 5,        // removed, replaced by another join, or the room ended
  kKeyChanged = 6,   // the server's manifest is signed by another key than the pinned one
  kNotAllowed = 7,   // the server led to where its manifest or the person's policy does not allow
};

struct Outcome {
  ExitStatus status = ExitStatus::kOk;
  std::string message;  // empty when all went well
};

// What an error answer of the API means for the visit. http_status 0: there was no answer.
ExitStatus exit_status_of(int http_status);

}  // namespace alcove::client
