#pragma once
// One command that changes a room, inside src/rooms. Each handler checks before it writes, so a
// refusal leaves the room as it was. One thread.

#include <expected>
#include <utility>

#include "rooms/room.h"

namespace alcove::rooms {

class Change {
 public:
  Change(Room& room, MemberId by, base::Instant now) : room_(room), by_(by), now_(now) {}

  using Outcome = std::expected<void, Refusal>;
  Outcome run(const Command& command);
  // Once a room has been opened there is somebody on its stage who moderates, or it ends. By the
  // log's rule (docs/protocol/room-keys.md, "Succession").
  void settle();
  Events take_events() { return std::move(events_); }

 private:
  Outcome check_permission(const Request& request) const;

  Outcome handle(const Join& join);
  Outcome handle(const Depart& command);
  Outcome handle(const GiveStage& command);
  Outcome handle(const Leave&);
  Outcome handle(const RaiseHand&);
  Outcome handle(const LowerHand&);
  Outcome handle(const DismissHand& command);
  Outcome handle(const Invite& command);
  Outcome handle(const AcceptInvitation&);
  Outcome handle(const DeclineInvitation&);
  Outcome handle(const MoveToAudience& command);
  Outcome handle(const SetMuted& command);
  Outcome handle(const MakeModerator& command);
  Outcome handle(const Remove& command);
  Outcome handle(const SetLocked& command);
  Outcome handle(const React& command);
  Outcome handle(const End&);
  Outcome handle(const Disconnect&);
  Outcome handle(const Reconnect&);
  Outcome handle(const Expire&);
  Outcome handle(const Close& command);

  Member& member(MemberId id) { return room_.members.at(id); }
  Member& self() { return member(by_); }
  MemberId take_place(const Join& join);
  bool to_stage(Member& member, Role role);
  void off_stage(Member& member);
  void lower_hand(Member& member);
  void begin_leaving(Member& member, LeaveCause cause);
  void leave(MemberId id, LeaveCause cause);
  void end(EndCause cause);
  void changed(const Member& member, Role role_before) {
    events_.emplace_back(MemberChanged{member.id, role_before});
  }
  void changed(const Member& member) { changed(member, member.role); }

  Room& room_;
  MemberId by_;
  base::Instant now_;
  Events events_;
};

}  // namespace alcove::rooms
