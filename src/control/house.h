#pragma once
// All live rooms: changes go through here, and come out as commands to the relay and messages to
// members. Who is in a room and in what role changes with the room's log only. One thread.

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/api_error.h"
#include "control/append.h"
#include "control/context.h"
#include "control/keeper.h"
#include "control/live_room.h"
#include "control/views.h"

namespace alcove::control {

class House {
 public:
  // A candidate that is dropped: its join may still be without an answer.
  using OnDropped = std::function<void(const base::JoinId&, const ApiError&)>;

  explicit House(Context& context) : context_(context), keepers_(context) {}
  void on_dropped(OnDropped call) { on_dropped_ = std::move(call); }

  const std::map<base::RoomId, RoomRef>& rooms() const { return rooms_; }
  // Null when there is none (any more).
  RoomRef find(const base::RoomId& id) const;
  // A room whose host does not join within a minute ends. The genesis names it and its kind.
  std::expected<RoomRef, ApiError> start_room(std::string title, roomlog::Genesis genesis,
                                              const base::AccountId& host);

  // A member's or the server's command, with all its effects. The room may have ended after it.
  std::expected<void, rooms::Refusal> apply(const RoomRef& room, const rooms::Command& command,
                                            rooms::MemberId by);

  // Somebody who asks to be admitted. An older candidate of the same account is dropped. What is
  // checked here: whether the room would take it, and whether the leaf is new.
  struct Application {
    rooms::Person person;
    bool followed_by_moderator = false;
    v1::JoinKeys keys;
    roomlog::Certificate certificate;
    base::SessionId session;
    base::JoinId join_id;
    store::Hash token_hash{};
  };
  std::expected<void, ApiError> add_candidate(const RoomRef& room, Application application);
  // The relay has opened the endpoint: a keeper is asked. Nobody is asked for it before.
  void ask_for(const base::JoinId& join_id);
  // The endpoint is open and the client knows its token: its WebSocket is to come.
  void expect_socket(const base::JoinId& join_id);
  // Nothing came of the endpoint.
  void abandon(const base::JoinId& join_id, const ApiError& reason);

  struct Place {
    RoomRef room;
    Membership* membership = nullptr;  // valid until the next change of the room
    bool is_member() const { return membership->candidate == 0; }
  };
  std::optional<Place> find_by_token(std::string_view token) const;
  std::optional<Place> find_by_join(const base::JoinId& join_id) const;
  // The join that a request's path and join token name; a candidate's only where it is asked for.
  std::expected<Place, ApiError> find_in_room(std::string_view room_id, std::string_view token,
                                              bool candidates = false) const;

  // A member begins to leave, a candidate is gone at once.
  void leave(const Place& place);
  // Sends Welcome, or Waiting; an older socket of the same join is closed.
  void attach_socket(const Place& place, MemberSocket& socket);
  // The socket is gone. No-op when it is not (any more) the member's.
  void detach_socket(const base::JoinId& join_id, const MemberSocket& socket);
  void send_welcome(const Place& place);
  // Whether this answers what a keeper was asked for, which is not limited.
  bool is_answer(const Place& place, const v1::KeysFromClient& keys) const;
  // What a client says about the room's log and keys. The error is for Goodbye.
  std::optional<ApiError> handle_keys(const Place& place, const v1::KeysFromClient& keys);
  void handle_media(const base::JoinId& join_id, v1::MediaChanged::State state);
  // Everybody who joined with this session leaves.
  void cut_session(const base::SessionId& session);
  void end_all_rooms();

  Gauges gauges() const;

 private:
  // What one change sends at once.
  struct Batch {
    std::vector<v1::RoomEvent> everyone;
    std::map<rooms::MemberId, std::vector<v1::RoomEvent>> personal;
    std::vector<std::pair<Membership, rooms::LeaveCause>> leavers;
    std::vector<roomlog::Hash> to_depart;
    bool stage_changed = false;
    std::optional<rooms::EndCause> ended;
  };
  // A join keeps its leaf when it becomes a member's.
  struct Location {
    RoomRef room;
    roomlog::Hash leaf;
  };

  // house.cc
  void apply_for_server(const RoomRef& room, const rooms::Command& command, rooms::MemberId by);
  std::optional<Place> place_of(const Location& location) const;
  void update_presence(const RoomRef& room, Membership& membership);
  void expire(const base::JoinId& join_id);
  void forget(Membership& membership);

  // candidates.cc
  void drop_candidate(const RoomRef& room, const roomlog::Hash& leaf, const ApiError& reason);
  void drop_candidates(const RoomRef& room, const ApiError& reason);
  Candidate take_candidate(LiveRoom& room, const roomlog::Hash& leaf);
  // Whom each candidate waits for has changed, or may have.
  void review(const RoomRef& room);
  void review(const RoomRef& room, Candidate& candidate, bool tell_again);
  void offer_resume(const RoomRef& room, Candidate& candidate);
  void offer_later(const RoomRef& room, Candidate& candidate, base::Duration wait);
  void cut_replaced(const RoomRef& room, const crypto::Ed25519PublicKey& identity);
  void refuse_candidate(const RoomRef& room, const roomlog::Hash& leaf, const ApiError& reason);
  void handle_refusal(const Place& place, const v1::RefuseCandidate& refusal);

  // entries.cc
  std::optional<ApiError> append(const Place& place, const v1::AppendEntry& request);
  void refuse_append(const Place& place, const v1::AppendEntry& request, const ApiError& error);
  void commit(const RoomRef& room, AppendPlan plan);
  void cut_old(LiveRoom& room, rooms::MemberId member);
  void let_in(const RoomRef& room, const Entering& entering, std::uint64_t n);
  void deliver_entry(LiveRoom& room, std::uint64_t n);
  void send_admitted(const RoomRef& room, Membership& membership);
  // Until the client has said something that only a member says.
  void repeat_admitted(const RoomRef& room, Membership& membership);
  void note_admitted(Membership& membership);
  bool catch_up(LiveRoom& room, Membership& membership, std::uint64_t from);
  std::optional<ApiError> handle_have(const Place& place, std::uint64_t n);
  std::optional<ApiError> send_roster(const Place& place);
  void send_parts(const base::JoinId& join_id, const RoomLog::Roster& parts, std::size_t from);
  std::optional<ApiError> ask_for_box(const Place& place);
  void pass_box(const Place& place, const v1::MemberBox& box);

  // broadcast.cc
  void dispatch(const RoomRef& room, const rooms::Events& events);
  void collect(const RoomRef& room, const rooms::Event& event, Batch& batch);
  void collect_joined(LiveRoom& room, const rooms::MemberJoined& event, Batch& batch);
  void collect_leaving(LiveRoom& room, const rooms::MemberLeaving& event, Batch& batch);
  void collect_left(LiveRoom& room, const rooms::MemberLeft& event, Batch& batch);
  void collect_changed(const RoomRef& room, const rooms::MemberChanged& event, Batch& batch);
  void cut(LiveRoom& room, rooms::MemberId member, const roomlog::Hash& leaf,
           rooms::LeaveCause cause, Batch& batch);

  void deliver(LiveRoom& room, const Batch& batch);
  void end_room(const RoomRef& room, rooms::EndCause cause);
  void schedule_batch(const RoomRef& room);
  void flush_batch(const RoomRef& room);

  Context& context_;
  Keepers keepers_;
  OnDropped on_dropped_;
  std::map<base::RoomId, RoomRef> rooms_;
  std::map<store::Hash, Location> by_token_;
  std::unordered_map<base::JoinId, Location> by_join_;
};

}  // namespace alcove::control
