#pragma once
// The outcome in words, for the top of a report. Any thread.

#include <string>
#include <vector>

#include "audit/report.h"

namespace alcove::audit {

struct Tally {
  std::size_t errors = 0, warnings = 0, infos = 0;
};
Tally tally(const Report& report);

struct Verdict {
  Severity worst = Severity::kInfo;
  std::string headline;
  std::vector<std::string> points;  // what was found, one a group
  // What this audit could not see or was not asked, so that "nothing found" is not read as more
  // than it is.
  std::vector<std::string> limits;
};
Verdict verdict_of(const Report& report, Language language);

}  // namespace alcove::audit
