#pragma once
// Who keeps a room: the connected stage members, whose clients write its log. And what they are
// asked for, one after the other until it is done. One thread.

#include <vector>

#include "control/context.h"
#include "control/live_room.h"

namespace alcove::control {

class Keepers {
 public:
  explicit Keepers(Context& context) : context_(context) {}

  // Moderators first, each by time on the stage. Not who is about to be replaced (a candidate with
  // its identity is here), unless nobody else could let that candidate in: no other keeper, and it
  // has no authority to go on by itself.
  static std::vector<const Membership*> connected(const LiveRoom& room);
  // Whether there is somebody to ask for it, and who has not said that it cannot.
  static bool can_ask(const LiveRoom& room, TaskKind kind, const roomlog::Hash& leaf);
  // Whether this keeper's answer was asked for.
  static bool was_asked(const LiveRoom& room, TaskKind kind, const roomlog::Hash& leaf,
                        const roomlog::Hash& keeper);

  // Asks the first keeper, and so on. No-op when it is open already.
  void open(const RoomRef& room, TaskKind kind, const roomlog::Hash& leaf);
  // Done, or nobody's wish any more.
  void close(LiveRoom& room, TaskKind kind, const roomlog::Hash& leaf);
  // This leaf is not inside any more: nobody is asked for anything about it.
  void forget(LiveRoom& room, const roomlog::Hash& leaf);
  void close_all(LiveRoom& room);
  // This keeper cannot: the next one, at once.
  void pass_on(const RoomRef& room, TaskKind kind, const roomlog::Hash& leaf,
               const roomlog::Hash& keeper);
  // Keepers have come: whatever has nobody to ask is asked for again.
  void review(const RoomRef& room);
  // Roles, the link or the room's places have changed: who could not may be able to now. False when
  // nobody had said so.
  static bool forget_refusals(LiveRoom& room);

 private:
  using Key = std::pair<TaskKind, roomlog::Hash>;
  void ask_next(const RoomRef& room, const Key& key);
  void schedule(const RoomRef& room, const Key& key, base::Duration after);
  void send(const LiveRoom& room, const Key& key, const Membership& keeper);

  Context& context_;
};

}  // namespace alcove::control
