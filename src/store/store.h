#pragma once
// What must outlive the process: accounts, sessions, invite codes, follows. No e-mail address, no
// phone number, no IP address, no token: of a session's token only the SHA-256 is kept.
//
// Calls block (a disk): they run on a base::Executor, never on the control thread. The SQLite store
// may be called from any thread; the in-memory store from one.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace alcove::store {

using Hash = std::array<std::uint8_t, 32>;  // SHA-256

struct Account {
  base::AccountId id{};
  std::string username{};  // lower case
  std::string display_name{};
  std::string password_hash{};  // encoded by crypto::hash_password
  base::WallTime created_at{};
};

struct Session {
  base::SessionId id{};
  base::AccountId account{};
  Hash token_hash{};
  std::string device_name{};
  base::WallTime created_at{};
  base::WallTime last_used_at{};
  base::WallTime expires_at{};
};

struct Invite {
  Hash code_hash{};
  std::int64_t uses_left = 1;
  base::WallTime expires_at{};
};

struct SessionAndAccount {
  Session session;
  Account account;
};

// Bounds that both implementations keep.
inline constexpr std::size_t kMaxSessionsPerAccount = 50;  // the longest unused goes first
inline constexpr std::size_t kMaxFollowsPerAccount = 5000;

// Errors common to all: kUnavailable when the database is locked, full or unreachable (try later),
// kInternal when it is damaged.
class Store {
 public:
  virtual ~Store() = default;

  // kAlreadyExists when the username is taken. With an invite code, in the same transaction one use
  // is taken; kPermissionDenied when the code is unknown, used up or expired at account.created_at.
  virtual base::Result<void> create_account(const Account& account,
                                            const std::optional<Hash>& invite_code) = 0;
  virtual base::Result<std::optional<Account>> find_account(const base::AccountId& id) = 0;
  virtual base::Result<std::optional<Account>> find_account_by_username(
      std::string_view username) = 0;

  // Drops the account's longest unused session beyond kMaxSessionsPerAccount.
  virtual base::Result<void> create_session(const Session& session) = 0;
  // Nothing when unknown or expired.
  virtual base::Result<std::optional<SessionAndAccount>> find_session(const Hash& token_hash,
                                                                      base::WallTime now) = 0;
  virtual base::Result<void> touch_session(const base::SessionId& id, base::WallTime last_used_at,
                                           base::WallTime expires_at) = 0;
  // Live ones, the last used first.
  virtual base::Result<std::vector<Session>> list_sessions(const base::AccountId& account,
                                                           base::WallTime now) = 0;
  // False when the account has no such session.
  virtual base::Result<bool> delete_session(const base::AccountId& account,
                                            const base::SessionId& id) = 0;
  // Sessions and invites that are over; returns how many.
  virtual base::Result<std::size_t> delete_expired(base::WallTime now) = 0;

  virtual base::Result<void> create_invite(const Invite& invite) = 0;

  // Following twice is no error; kNotFound when the followed account does not exist,
  // kResourceExhausted beyond kMaxFollowsPerAccount.
  virtual base::Result<void> follow(const base::AccountId& follower,
                                    const base::AccountId& followed, base::WallTime now) = 0;
  virtual base::Result<void> unfollow(const base::AccountId& follower,
                                      const base::AccountId& followed) = 0;
  // By username.
  virtual base::Result<std::vector<Account>> list_follows(const base::AccountId& follower) = 0;
  // Those of candidates who follow the account.
  virtual base::Result<std::vector<base::AccountId>> followers_among(
      const base::AccountId& followed, std::span<const base::AccountId> candidates) = 0;

  // A cheap round trip, for readiness.
  virtual base::Result<void> check() = 0;
};

struct SqliteOptions {
  // How long a call waits for another process that holds the database.
  std::chrono::milliseconds busy_timeout{5000};
  // Calls that may run at the same time; more wait.
  unsigned connections = 4;
};

// Opens (or creates, readable by its owner only) the database file and migrates it to this
// version's schema. kFailedPrecondition when a later version wrote it, kInternal when it is
// damaged, kUnavailable when it cannot be opened.
base::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path,
                                                 SqliteOptions options = {});

// For tests: one thread, nothing survives.
std::unique_ptr<Store> open_memory();

}  // namespace alcove::store
