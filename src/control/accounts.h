#pragma once
// Requests about accounts: register, log in, sessions, follows. One thread.

#include <functional>

#include "control/context.h"
#include "control/responder.h"
#include "control/sessions.h"

namespace alcove::control {

class Accounts {
 public:
  // on_revoked: a session is over; whatever it is doing is to be cut.
  Accounts(Context& context, Sessions& sessions,
           std::function<void(const base::SessionId&)> on_revoked)
      : context_(context), sessions_(sessions), on_revoked_(std::move(on_revoked)) {}

  void register_account(Request request);
  void log_in(Request request);
  void me(Request request);
  void list_sessions(Request request);
  void revoke_session(Request request);
  void follow(Request request);
  void unfollow(Request request);
  void list_follows(Request request);

 private:
  // Calls next(Request, Caller) or answers the request itself.
  template <typename Next>
  void with_account(Request request, Next next);
  void set_following(Request request, bool following);

  Context& context_;
  Sessions& sessions_;
  std::function<void(const base::SessionId&)> on_revoked_;
};

}  // namespace alcove::control
