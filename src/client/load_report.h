#pragma once
// A load's figures as JSON, as lines for a person, and as one HTML file with plots (docs/load.md
// lists the fields). Any thread.

#include <string>
#include <vector>

#include "client/load_crowd.h"
#include "client/load_statistics.h"

namespace alcove::client {

// One object, RFC 8259, without a line feed.
std::string load_json(const LoadSummary& summary);
// Several lines, each with a line feed.
std::string load_text(const LoadSummary& summary);
// A whole document: no script, nothing from elsewhere, light and dark.
std::string load_html(const LoadSummary& summary, const std::vector<LoadRecord>& records);
// One line without a line feed. before: the progress a second earlier.
std::string load_progress_line(const LoadCrowd::Progress& progress,
                               const LoadCrowd::Progress& before);

}  // namespace alcove::client
