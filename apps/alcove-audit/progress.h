#pragma once
// How far an audit is, on standard error: a line that is written anew on a terminal, else a line
// every few seconds where that was asked for.

#include <cstdint>
#include <string>

#include "audit/auditor.h"
#include "audit/report.h"
#include "base/time.h"
#include "options.h"

namespace alcove::app {

class ProgressLine {
 public:
  explicit ProgressLine(const Outputs& outputs);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // total 0: not known.
  void show_file(std::uint64_t done, std::uint64_t total, const audit::Auditor::Progress& progress);
  void show_watch(const audit::Auditor::Progress& progress, std::uint64_t dropped);
  // So that a line of the report does not begin in the middle of one.
  void clear();

 private:
  bool due();
  void print(const std::string& line);

  audit::Language language_;
  bool terminal_ = false;
  bool on_ = false;
  bool shown_ = false;
  base::Instant begin_, next_, last_;
  std::uint64_t last_frames_ = 0;
};

}  // namespace alcove::app
