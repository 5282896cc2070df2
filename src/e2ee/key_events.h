#pragma once
// What room keys tell their caller: values only. Any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "alcove/v1/keys.pb.h"

namespace alcove::e2ee {

// Codes of docs/protocol/room-keys.md, "What a client tells the person".
enum class KeyWarning : std::uint8_t {
  kFork,
  kFailedCheck,
  kFaultyAuthor,
  kStale,
  kUnknownEpoch,
  kNotSameLog,
  kDeviceChanged,
  kNotAcknowledged,
  kEarlyDepart,
  kClockAhead,
};
std::string_view to_text(KeyWarning warning);  // "fork", "failed_check", …

struct WaitingChanged {
  v1::Waiting::Reason reason = v1::Waiting::REASON_UNSPECIFIED;
};
struct AdmittedEvent {};
// Stage, roster size, roles, lock or link changed, or the own membership ended: read state().
struct LogChanged {};
struct EpochChanged {
  std::uint32_t epoch = 0;
};
struct WarningEvent {
  KeyWarning warning = KeyWarning::kFork;
  bool active = true;  // false: it is over (stale, unknown_epoch, not_same_log, faulty_author)
  std::string name;    // of whom it is about; empty where of nobody
  std::string detail;  // English, for people
};
struct RosterReady {};  // after request_roster(): read roster()
using KeyEvent = std::variant<WaitingChanged, AdmittedEvent, LogChanged, EpochChanged, WarningEvent,
                              RosterReady>;

}  // namespace alcove::e2ee
