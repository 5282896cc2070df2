#include "e2ee/warnings.h"

namespace alcove::e2ee {

std::string_view to_text(KeyWarning warning) {
  switch (warning) {
    case KeyWarning::kFork:
      return "fork";
    case KeyWarning::kFailedCheck:
      return "failed_check";
    case KeyWarning::kFaultyAuthor:
      return "faulty_author";
    case KeyWarning::kStale:
      return "stale";
    case KeyWarning::kUnknownEpoch:
      return "unknown_epoch";
    case KeyWarning::kNotSameLog:
      return "not_same_log";
    case KeyWarning::kDeviceChanged:
      return "device_changed";
    case KeyWarning::kNotAcknowledged:
      return "not_acknowledged";
    case KeyWarning::kEarlyDepart:
      return "early_depart";
    case KeyWarning::kClockAhead:
      return "clock_ahead";
  }
  return "unknown";
}

void Warnings::raise(KeyWarning warning, const std::string& name, std::string detail) {
  if (is_active(warning, name)) return;
  if (active_.size() < kMaxActive) active_.emplace(warning, name);
  tell(warning, name, std::move(detail));
}

void Warnings::clear(KeyWarning warning, const std::string& name) {
  if (active_.erase({warning, name}) == 0) return;
  events_.emplace_back(
      WarningEvent{.warning = warning, .active = false, .name = name, .detail = {}});
}

void Warnings::tell(KeyWarning warning, const std::string& name, std::string detail) {
  events_.emplace_back(
      WarningEvent{.warning = warning, .active = true, .name = name, .detail = std::move(detail)});
}

}  // namespace alcove::e2ee
