#include "control/sessions.h"

#include <utility>

#include "base/text.h"
#include "crypto/hash.h"

namespace alcove::control {
namespace {

constexpr base::Duration kGuestLifetime = base::seconds(24LL * 3600);
// How exact last_used_at is: a write for every request would wear the disk.
constexpr base::Duration kTouchInterval = base::seconds(600);

base::WallTime after(base::WallTime time, base::Duration duration) {
  return time + std::chrono::duration_cast<base::milliseconds>(duration);
}

ApiError unauthenticated() {
  return {.code = base::ErrorCode::kUnauthenticated,
          .reason = "session.invalid",
          .message = "This session is over or was never valid: log in."};
}

}  // namespace

Token Token::make(base::RandomSource& random) {
  Token token{.text = base::to_base64url(random.bytes<32>())};
  token.hash = crypto::sha256(base::as_bytes(token.text));
  return token;
}

std::optional<store::Hash> Token::hash_of(std::string_view text) {
  const std::optional<base::Buffer> bytes = base::from_base64url(text);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  return crypto::sha256(base::as_bytes(text));
}

v1::Account to_proto(const rooms::Person& person) {
  v1::Account account;
  account.set_account_id(person.account.text());
  account.set_username(person.username);
  account.set_display_name(person.display_name);
  account.set_guest(person.guest);
  return account;
}

v1::SessionResponse to_proto(const rooms::Person& person, const Token& token,
                             base::WallTime expires_at) {
  v1::SessionResponse response;
  *response.mutable_account() = to_proto(person);
  response.set_token(token.text);
  response.set_expires_at_ms(expires_at.time_since_epoch().count());
  return response;
}

void Sessions::authenticate(std::string_view authorization, Authenticated done) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return done(std::unexpected(unauthenticated()));
  const std::optional<store::Hash> hash = Token::hash_of(authorization.substr(kScheme.size()));
  if (!hash) return done(std::unexpected(unauthenticated()));
  if (const Guest* guest = guests_.find(*hash)) {
    if (guest->expires_at <= context_.wall) return done(std::unexpected(unauthenticated()));
    return done(guest->caller);
  }
  if (Cached* cached = cache_.find(*hash)) {
    if (cached->expires_at <= context_.wall) return done(std::unexpected(unauthenticated()));
    touch(*cached);
    return done(cached->caller);
  }
  look_up(*hash, std::move(done));
}

void Sessions::look_up(const store::Hash& hash, Authenticated done) {
  context_.run_store(
      [hash, wall = context_.wall](store::Store& store) { return store.find_session(hash, wall); },
      [this, hash, done = std::move(done), revocations = revocations_](
          base::Result<std::optional<store::SessionAndAccount>> found) mutable {
        if (!found) return done(std::unexpected(to_api_error(found.error())));
        if (revocations != revocations_) return look_up(hash, std::move(done));
        if (!*found) return done(std::unexpected(unauthenticated()));
        const auto& [session, account] = **found;
        Cached& cached =
            cache_.insert(hash, {.caller = {.session = session.id,
                                            .person = {.account = account.id,
                                                       .username = account.username,
                                                       .display_name = account.display_name,
                                                       .guest = false}},
                                 .expires_at = session.expires_at,
                                 .touched_at = session.last_used_at});
        touch(cached);
        done(Caller(cached.caller));
      });
}

void Sessions::touch(Cached& cached) {
  if (context_.wall < after(cached.touched_at, kTouchInterval)) return;
  cached.touched_at = context_.wall;
  cached.expires_at = after(context_.wall, context_.options.session_lifetime);
  context_.run_store(
      [id = cached.caller.session, used = cached.touched_at, expires = cached.expires_at](
          store::Store& store) { return store.touch_session(id, used, expires); },
      [](const base::Result<void>&) {});  // the next request tries again
}

Sessions::Fresh Sessions::make(const base::AccountId& account, std::string device_name) {
  Fresh fresh{.token = Token::make(context_.random), .session = {}};
  fresh.session = {.id = base::SessionId::make(context_.random),
                   .account = account,
                   .token_hash = fresh.token.hash,
                   .device_name = std::move(device_name),
                   .created_at = context_.wall,
                   .last_used_at = context_.wall,
                   .expires_at = after(context_.wall, context_.options.session_lifetime)};
  return fresh;
}

Sessions::Guest Sessions::make_guest(std::string display_name) {
  return {.caller = {.session = base::SessionId::make(context_.random),
                     .person = {.account = base::AccountId::make(context_.random),
                                .username = {},
                                .display_name = std::move(display_name),
                                .guest = true}},
          .token = Token::make(context_.random),
          .created_at = context_.wall,
          .expires_at = after(context_.wall, kGuestLifetime)};
}

void Sessions::keep_guest(const Guest& guest) { guests_.insert(guest.token.hash, guest); }

void Sessions::list(const Caller& caller,
                    std::move_only_function<void(base::Result<v1::ListSessionsResponse>)> done) {
  if (caller.person.guest) {
    v1::ListSessionsResponse response;
    v1::Session& own = *response.add_sessions();
    own.set_session_id(caller.session.text());
    own.set_last_used_at_ms(context_.wall.time_since_epoch().count());
    own.set_current(true);
    return done(std::move(response));
  }
  context_.run_store([account = caller.person.account, wall = context_.wall](
                         store::Store& store) { return store.list_sessions(account, wall); },
                     [current = caller.session, done = std::move(done)](
                         base::Result<std::vector<store::Session>> sessions) mutable {
                       if (!sessions) return done(std::unexpected(sessions.error()));
                       v1::ListSessionsResponse response;
                       for (const store::Session& session : *sessions) {
                         v1::Session& row = *response.add_sessions();
                         row.set_session_id(session.id.text());
                         row.set_device_name(session.device_name);
                         row.set_created_at_ms(session.created_at.time_since_epoch().count());
                         row.set_last_used_at_ms(session.last_used_at.time_since_epoch().count());
                         row.set_current(session.id == current);
                       }
                       done(std::move(response));
                     });
}

void Sessions::revoke(const Caller& caller, const base::SessionId& session,
                      std::move_only_function<void(base::Result<bool>)> done) {
  if (caller.person.guest) {
    if (session != caller.session) return done(false);
    guests_.erase_if([&](const Guest& guest) { return guest.caller.session == session; });
    return done(true);
  }
  context_.run_store(
      [account = caller.person.account, session](store::Store& store) {
        return store.delete_session(account, session);
      },
      [this, session, done = std::move(done)](base::Result<bool> deleted) mutable {
        ++revocations_;
        if (deleted && *deleted)
          cache_.erase_if([&](const Cached& cached) { return cached.caller.session == session; });
        done(std::move(deleted));
      });
}

}  // namespace alcove::control
