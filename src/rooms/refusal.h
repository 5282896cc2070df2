#pragma once
// Why a room refuses a command. Any thread.

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace alcove::rooms {

enum class Refusal : std::uint8_t {
  kEnded,
  kNotMember,
  kNotAllowed,
  kMemberNotFound,
  kWrongRole,
  kHostProtected,
  kNotInvited,
  kUnmuteOthers,
  kLastModerator,
  kBlocked,
  kLocked,
  kNotAdmitted,
  kFull,
  kStageFull,
  kHandsFull,
  kBlockListFull,
  kGraceNotOver,
  kOnStageElsewhere,
};

struct RefusalText {
  Refusal refusal;
  base::ErrorCode code;
  // Stable, for programs, e.g. "room.locked".
  std::string_view reason;
  // English, for people; says what to do.
  std::string_view message;
};

const RefusalText& describe(Refusal refusal);

}  // namespace alcove::rooms
