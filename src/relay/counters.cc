#include "relay/counters.h"

namespace alcove::relay {

std::string_view name(DropReason reason) {
  switch (reason) {
    case DropReason::kOversized:
      return "oversized";
    case DropReason::kUnknownKind:
      return "unknown_kind";
    case DropReason::kMalformedStun:
      return "malformed_stun";
    case DropReason::kUnknownUfrag:
      return "unknown_ufrag";
    case DropReason::kRefusedStun:
      return "refused_stun";
    case DropReason::kLimitedStun:
      return "limited_stun";
    case DropReason::kUnknownPath:
      return "unknown_path";
    case DropReason::kRefusedDtls:
      return "refused_dtls";
    case DropReason::kHandshakesQueued:
      return "handshakes_queued";
    case DropReason::kNotConnected:
      return "not_connected";
    case DropReason::kMalformedRtp:
      return "malformed_rtp";
    case DropReason::kRefusedSrtp:
      return "refused_srtp";
    case DropReason::kNotAllowedToSend:
      return "not_allowed_to_send";
    case DropReason::kForeignStream:
      return "foreign_stream";
    case DropReason::kForeignPath:
      return "foreign_path";
    case DropReason::kTooManyRoutes:
      return "too_many_routes";
    case DropReason::kOverBudget:
      return "over_budget";
    case DropReason::kNoFreeSlot:
      return "no_free_slot";
    case DropReason::kImplausible:
      return "implausible";
    case DropReason::kBeforeSpurt:
      return "before_spurt";
    case DropReason::kUnknownRoom:
      return "unknown_room";
    case DropReason::kNackNotHeld:
      return "nack_not_held";
    case DropReason::kNackOverBudget:
      return "nack_over_budget";
    case DropReason::kCount:
      break;
  }
  return "unknown";
}

}  // namespace alcove::relay
