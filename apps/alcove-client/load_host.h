#pragma once
// Who speaks and lets in while a room is loaded: `alcove-client start` as a process of its own, so
// that its work is not the load's. One thread.

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "egress.h"

namespace alcove::app {

struct LoadHostOptions {
  std::string server;  // empty: there is no host, the room stands
  std::string title = "Load";
  std::string username;
  std::string password_file;
  std::string speak = "tone";
  EgressOptions egress;
};

class LoadHost {
 public:
  LoadHost() = default;
  // Ends the room's host, as Ctrl-C would.
  ~LoadHost();
  LoadHost(const LoadHost&) = delete;
  LoadHost& operator=(const LoadHost&) = delete;

  // The link of the room that was started. kUnavailable when it was not: standard error has said
  // why.
  base::Result<std::string> start(const LoadHostOptions& options);

 private:
  pid_t process_ = -1;
};

}  // namespace alcove::app
