// Whom an account follows: social rooms admit people whom a moderator follows.

#include <utility>

#include "control/accounts.h"
#include "control/text_rules.h"

namespace alcove::control {
namespace {

using base::ErrorCode;

ApiError no_account() {
  return {.code = ErrorCode::kNotFound,
          .reason = "account.not_found",
          .message = "There is no account with this username."};
}

ApiError accounts_only() {
  return {.code = ErrorCode::kPermissionDenied,
          .reason = "account.required",
          .message = "Guests cannot do this: register first."};
}

}  // namespace

void Accounts::follow(Request request) { set_following(std::move(request), true); }
void Accounts::unfollow(Request request) { set_following(std::move(request), false); }

void Accounts::set_following(Request request, bool following) {
  const std::string authorization = request.http.authorization;
  sessions_.authenticate(authorization, [this, following, r = std::move(request)](
                                            std::expected<Caller, ApiError> caller) mutable {
    if (!caller) return r.responder.fail(caller.error());
    if (caller->person.guest) return r.responder.fail(accounts_only());
    if (const auto error = context_.check_limit(Limit::kFollow, limit_key(caller->person.account)))
      return r.responder.fail(*error);
    const auto username = check_username(r.parameters.at(0));
    if (!username) return r.responder.fail(no_account());
    if (*username == caller->person.username)
      return r.responder.fail(invalid_argument("You cannot follow yourself."));
    context_.run_store(
        [username = *username, following, follower = caller->person.account,
         wall = context_.wall](store::Store& store) -> base::Result<void> {
          const auto followed = store.find_account_by_username(username);
          if (!followed) return std::unexpected(followed.error());
          if (!*followed) return base::fail(ErrorCode::kNotFound, "");
          return following ? store.follow(follower, (*followed)->id, wall)
                           : store.unfollow(follower, (*followed)->id);
        },
        [username = *username, following,
         responder = std::move(r.responder)](const base::Result<void>& done) mutable {
          if (!done)
            return responder.fail(done.error().code == ErrorCode::kNotFound
                                      ? no_account()
                                      : to_api_error(done.error()));
          v1::FollowResponse response;
          response.set_username(username);
          response.set_following(following);
          responder.ok(response);
        });
  });
}

void Accounts::list_follows(Request request) {
  const std::string authorization = request.http.authorization;
  sessions_.authenticate(authorization, [this, r = std::move(request)](
                                            std::expected<Caller, ApiError> caller) mutable {
    if (!caller) return r.responder.fail(caller.error());
    if (caller->person.guest) return r.responder.fail(accounts_only());
    context_.run_store([follower = caller->person.account](
                           store::Store& store) { return store.list_follows(follower); },
                       [responder = std::move(r.responder)](
                           const base::Result<std::vector<store::Account>>& accounts) mutable {
                         if (!accounts) return responder.fail(to_api_error(accounts.error()));
                         v1::ListFollowsResponse response;
                         for (const store::Account& account : *accounts)
                           *response.add_accounts() =
                               to_proto(rooms::Person{.account = account.id,
                                                      .username = account.username,
                                                      .display_name = account.display_name,
                                                      .guest = false});
                         responder.ok(response);
                       });
  });
}

}  // namespace alcove::control
