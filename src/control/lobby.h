#pragma once
// Requests about rooms as a whole: the hallway, starting one, its summary, its roster. One thread.

#include <expected>
#include <optional>

#include "control/context.h"
#include "control/house.h"
#include "control/responder.h"
#include "control/sessions.h"

namespace alcove::control {

class Lobby {
 public:
  Lobby(Context& context, Sessions& sessions, House& house)
      : context_(context), sessions_(sessions), house_(house) {}

  void config(Request request);
  void hallway(Request request);
  void start_room(Request request);
  void summary(Request request);
  void log(Request request);
  void list_members(Request request);

 private:
  std::optional<ApiError> check_key_hash(const v1::Genesis& genesis) const;
  std::expected<roomlog::Genesis, ApiError> check_genesis(const v1::SignedObject& object) const;
  // followers: moderators who follow the viewer.
  void answer_hallway(Responder& responder, const Caller* viewer,
                      const std::vector<base::AccountId>& followers);

  Context& context_;
  Sessions& sessions_;
  House& house_;
};

}  // namespace alcove::control
