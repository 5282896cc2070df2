#pragma once
// Writes log lines to standard error, each with the time, without making the logging thread wait: a
// thread of its own writes them. Lines over the bound are dropped and counted in a line of their
// own.

#include <memory>

#include "base/log.h"

namespace alcove::net {

// Installs itself as the log's sink; the destructor writes what is queued. At most one at a time,
// made before and destroyed after the threads that log.
class LogWriter {
 public:
  explicit LogWriter(base::LogLevel level, int descriptor = 2);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
