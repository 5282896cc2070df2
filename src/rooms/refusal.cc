#include "rooms/refusal.h"

#include <array>

#include "base/check.h"

namespace alcove::rooms {
namespace {

using base::ErrorCode;

constexpr std::array kTexts = {
    RefusalText{Refusal::kEnded, ErrorCode::kNotFound, "room.ended", "This room has ended."},
    RefusalText{Refusal::kNotMember, ErrorCode::kPermissionDenied, "room.not_member",
                "You are not in this room: join it first."},
    RefusalText{Refusal::kNotAllowed, ErrorCode::kPermissionDenied, "room.not_allowed",
                "Your role in this room does not allow this."},
    RefusalText{Refusal::kMemberNotFound, ErrorCode::kNotFound, "room.member_not_found",
                "Nobody with this member_id is in the room."},
    RefusalText{Refusal::kWrongRole, ErrorCode::kFailedPrecondition, "room.wrong_role",
                "This cannot be done to a member in that role."},
    RefusalText{Refusal::kHostProtected, ErrorCode::kPermissionDenied, "room.host_protected",
                "This cannot be done to the person who started the room."},
    RefusalText{Refusal::kNotInvited, ErrorCode::kFailedPrecondition, "room.not_invited",
                "You are not invited to the stage: raise your hand."},
    RefusalText{Refusal::kUnmuteOthers, ErrorCode::kPermissionDenied, "room.unmute_others",
                "Only the person can unmute."},
    RefusalText{Refusal::kLastModerator, ErrorCode::kFailedPrecondition, "room.last_moderator",
                "You are alone on the stage: invite somebody first, or end the room."},
    RefusalText{Refusal::kBlocked, ErrorCode::kPermissionDenied, "room.blocked",
                "A moderator removed you from this room."},
    RefusalText{Refusal::kLocked, ErrorCode::kPermissionDenied, "room.locked",
                "The room is locked: nobody new can join."},
    RefusalText{
        Refusal::kNotAdmitted, ErrorCode::kPermissionDenied, "room.not_admitted",
        "This room is for people who are invited, have its link, or whom its moderators follow."},
    RefusalText{Refusal::kFull, ErrorCode::kFailedPrecondition, "room.full", "The room is full."},
    RefusalText{Refusal::kStageFull, ErrorCode::kFailedPrecondition, "room.stage_full",
                "The stage is full: somebody has to step down first."},
    RefusalText{Refusal::kHandsFull, ErrorCode::kFailedPrecondition, "room.hands_full",
                "Too many hands are up: try again when some were answered."},
    RefusalText{Refusal::kBlockListFull, ErrorCode::kFailedPrecondition, "room.block_list_full",
                "Too many people were removed from this room: lock it instead."},
    RefusalText{Refusal::kGraceNotOver, ErrorCode::kFailedPrecondition, "room.grace_not_over",
                "The member may still come back."},
    RefusalText{Refusal::kOnStageElsewhere, ErrorCode::kFailedPrecondition,
                "room.on_stage_elsewhere",
                "You are on the stage with another device, and the room would end without it: "
                "leave there first, or bring somebody else onto the stage."},
};

}  // namespace

const RefusalText& describe(Refusal refusal) {
  for (const RefusalText& text : kTexts)
    if (text.refusal == refusal) return text;
  base::check_failed("every refusal has a text", __FILE__, __LINE__);
}

}  // namespace alcove::rooms
