#pragma once
// Where a report goes.

#include <optional>

#include "audit/report.h"
#include "base/result.h"
#include "files.h"
#include "options.h"

namespace alcove::app {

class ReportFiles {
 public:
  // Opens the files; nothing is written yet.
  static base::Result<ReportFiles> open(const Outputs& outputs);
  // Writes all, the text to standard output where that was not asked for something else.
  base::Result<void> write(const audit::Report& report);

 private:
  Outputs outputs_;
  std::optional<OutputFile> html_, json_, sarif_;
};

// The exit status of a finished audit.
int status_of(const audit::Report& report);

}  // namespace alcove::app
