#pragma once
// The join: one request that opens an endpoint at the relay and makes its owner a member; and the
// ICE restart of a live join. One thread.

#include <map>
#include <optional>

#include "alcove/v1/relay.pb.h"
#include "control/context.h"
#include "control/house.h"
#include "control/responder.h"
#include "control/sessions.h"

namespace alcove::control {

class Joins {
 public:
  Joins(Context& context, Sessions& sessions, House& house)
      : context_(context), sessions_(sessions), house_(house) {}

  void join(Request request);
  void restart(Request request);
  void handle_opened(const v1::EndpointOpened& opened);
  // The room dropped the candidate before the relay answered.
  void handle_dropped(const base::JoinId& id, const ApiError& reason);
  void handle_refused(const v1::EndpointRefused& refused);
  // Joins under way with this session fail.
  void cut_session(const base::SessionId& session);
  // All that is under way fails.
  void shut_down();
  std::size_t pending() const { return pending_.size(); }

 private:
  // A join under way.
  struct Attempt {
    Responder responder;
    base::RoomId room;
    std::string sdp_offer;
    v1::JoinKeys keys;
    Caller caller;
    std::optional<Sessions::Guest> guest;  // with a new guest
    bool followed = false;
    Token token;
    base::JoinId join_id;
    Timers::Id timer = 0;
  };
  struct Restart {
    Responder responder;
    Timers::Id timer = 0;
  };

  void join_as_guest(Request request, v1::JoinRoomRequest body, const base::RoomId& room);
  void admit(Attempt attempt);
  void open(Attempt attempt);
  void complete(Attempt attempt, const std::string& sdp_answer);
  // What a relay answered is told to nobody before every address in it is found to be allowed.
  std::optional<ApiError> check_answer(const std::string& sdp_answer);
  void fail(Responder& responder, const ApiError& error);
  std::optional<Attempt> take_pending(const base::JoinId& id);
  std::optional<Restart> take_restart(const base::JoinId& id);

  Context& context_;
  Sessions& sessions_;
  House& house_;
  std::map<base::JoinId, Attempt> pending_;
  std::map<base::JoinId, Restart> restarts_;
};

}  // namespace alcove::control
