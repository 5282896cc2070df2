#pragma once
// All live rooms: changes go through here, and come out as commands to the relay and messages to
// members. One thread.

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/api_error.h"
#include "control/context.h"
#include "control/live_room.h"
#include "control/views.h"

namespace alcove::control {

// A room stays valid while it is held, also when it has ended (state.ended).
using RoomRef = std::shared_ptr<LiveRoom>;

class House {
 public:
  explicit House(Context& context) : context_(context) {}

  const std::map<base::RoomId, RoomRef>& rooms() const { return rooms_; }
  // Null when there is none (any more).
  RoomRef find(const base::RoomId& id) const;
  // A room whose host does not join within a minute ends.
  std::expected<RoomRef, ApiError> start_room(std::string title, rooms::RoomKind kind,
                                              const base::AccountId& host);

  // A member's or the server's command, with all its effects. The room may have ended after it.
  std::expected<void, rooms::Refusal> apply(const RoomRef& room, const rooms::Command& command,
                                            rooms::MemberId by);

  // The relay has an endpoint for this join already. An older join of the same person is cut.
  struct Admission {
    rooms::Join join;
    base::SessionId session;
    base::JoinId join_id;
    store::Hash token_hash{};
    bool may_send = false;  // as the endpoint was opened
  };
  std::expected<rooms::MemberId, rooms::Refusal> admit(const RoomRef& room,
                                                       const Admission& admission);

  struct Place {
    RoomRef room;
    Membership* membership = nullptr;  // valid until the next change of the room
  };
  std::optional<Place> find_by_token(std::string_view token) const;
  std::optional<Place> find_by_join(const base::JoinId& join_id) const;
  // The member that a request's path and join token name.
  std::expected<Place, ApiError> find_in_room(std::string_view room_id,
                                              std::string_view token) const;

  // Sends Welcome; an older socket of the same join is closed.
  void attach_socket(const Place& place, MemberSocket& socket);
  // The socket is gone. No-op when it is not (any more) the member's.
  void detach_socket(const base::JoinId& join_id, const MemberSocket& socket);
  void send_welcome(const Place& place);
  void handle_media(const base::JoinId& join_id, v1::MediaChanged::State state);
  // Everybody who joined with this session leaves.
  void cut_session(const base::SessionId& session);
  void end_all_rooms();

  void close_endpoint(const base::JoinId& join_id);
  Gauges gauges() const;

 private:
  // What one change sends at once.
  struct Batch {
    std::vector<v1::RoomEvent> everyone;
    std::map<rooms::MemberId, std::vector<v1::RoomEvent>> personal;
    std::vector<std::pair<Membership, rooms::LeaveCause>> leavers;
    std::optional<rooms::EndCause> ended;
  };
  struct Location {
    RoomRef room;
    rooms::MemberId member;
  };

  // house.cc
  void apply_for_server(const RoomRef& room, const rooms::Command& command, rooms::MemberId by);
  std::optional<Place> place_of(const Location& location) const;
  void update_presence(const RoomRef& room, Membership& membership);
  void expire(const base::JoinId& join_id);
  void forget(Membership& membership);

  // broadcast.cc
  void dispatch(const RoomRef& room, const rooms::Events& events);
  void collect(LiveRoom& room, const rooms::Event& event, Batch& batch);
  void collect_joined(LiveRoom& room, const rooms::MemberJoined& event, Batch& batch);
  void collect_left(LiveRoom& room, const rooms::MemberLeft& event, Batch& batch);
  void collect_changed(LiveRoom& room, const rooms::MemberChanged& event, Batch& batch);
  void update_sending(Membership& membership, const rooms::Member& member);
  void deliver(LiveRoom& room, const Batch& batch);
  void send_batch(Membership& membership, std::string_view shared, std::string_view personal);
  void send_removed(Membership& membership, const char* cause);
  void send_goodbye(Membership& membership, const ApiError& reason);
  void end_room(const RoomRef& room, rooms::EndCause cause);
  void schedule_batch(const RoomRef& room);
  void flush_batch(const RoomRef& room);

  Context& context_;
  std::map<base::RoomId, RoomRef> rooms_;
  std::map<store::Hash, Location> by_token_;
  std::unordered_map<base::JoinId, Location> by_join_;
};

}  // namespace alcove::control
