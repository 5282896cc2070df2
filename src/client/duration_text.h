#pragma once
// Durations as people write them. Any thread.

#include <optional>
#include <string_view>

#include "base/time.h"

namespace alcove::client {

// "30s", "1.5m", "2h", "500ms", or a plain number of seconds; more than 0 and at most 30 days.
std::optional<base::Duration> parse_duration(std::string_view text);

}  // namespace alcove::client
