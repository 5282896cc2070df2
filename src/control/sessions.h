#pragma once
// Who is calling: bearer tokens, the sessions behind them, guests. One thread.
//
// A token is 32 random bytes in base64url; only its SHA-256 is stored. Guests exist in memory
// alone: a guest is a session with an account id of its own, and nothing of it survives the
// process.

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "alcove/v1/accounts.pb.h"
#include "control/api_error.h"
#include "control/context.h"
#include "control/lru_map.h"
#include "rooms/types.h"
#include "store/store.h"

namespace alcove::control {

struct Caller {
  base::SessionId session;
  rooms::Person person;
};

// A secret for a client and the hash that is kept.
struct Token {
  std::string text;
  store::Hash hash{};

  static Token make(base::RandomSource& random);
  // nullopt when it cannot be a token.
  static std::optional<store::Hash> hash_of(std::string_view text);
};

v1::Account to_proto(const rooms::Person& person);
v1::SessionResponse to_proto(const rooms::Person& person, const Token& token,
                             base::WallTime expires_at);

class Sessions {
 public:
  using Authenticated = std::move_only_function<void(std::expected<Caller, ApiError>)>;

  explicit Sessions(Context& context) : context_(context) {}

  // authorization: the header's value. Calls done at once or later.
  void authenticate(std::string_view authorization, Authenticated done);

  // A session for an account, not yet stored: run store.create_session(session) with it.
  struct Fresh {
    Token token;
    store::Session session;
  };
  Fresh make(const base::AccountId& account, std::string device_name);

  // A guest who is not yet known: keep_guest makes the token valid.
  struct Guest {
    Caller caller;
    Token token;
    base::WallTime created_at;
    base::WallTime expires_at;
  };
  Guest make_guest(std::string display_name);
  void keep_guest(const Guest& guest);

  // The sessions that the caller may see and revoke.
  void list(const Caller& caller,
            std::move_only_function<void(base::Result<v1::ListSessionsResponse>)> done);
  // False when the caller has no such session. The token is refused from now on.
  void revoke(const Caller& caller, const base::SessionId& session,
              std::move_only_function<void(base::Result<bool>)> done);

 private:
  struct Cached {
    Caller caller;
    base::WallTime expires_at;
    base::WallTime touched_at;
  };

  static constexpr std::size_t kMaxCached = 10'000;
  static constexpr std::size_t kMaxGuests = 20'000;

  void look_up(const store::Hash& hash, Authenticated done);
  void touch(Cached& cached);

  Context& context_;
  LruMap<store::Hash, Cached> cache_{kMaxCached};
  LruMap<store::Hash, Guest> guests_{kMaxGuests};
  // Counts revocations: an answer of the store that was under way during one may be out of date.
  std::uint64_t revocations_ = 0;
};

}  // namespace alcove::control
