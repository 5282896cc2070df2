// Accounts, sessions, invite codes, follows. Ids and hashes are base64url, times milliseconds since
// 1970.

#include <array>

#include "store/migrations.h"

namespace alcove::store {
namespace {

constexpr std::array<std::string_view, 8> kStatements = {
    R"(CREATE TABLE accounts (
         account_id TEXT PRIMARY KEY,
         username TEXT NOT NULL UNIQUE,
         display_name TEXT NOT NULL,
         password_hash TEXT NOT NULL,
         created_at_ms INTEGER NOT NULL
       ) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE sessions (
         session_id TEXT PRIMARY KEY,
         account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
         token_hash TEXT NOT NULL UNIQUE,
         device_name TEXT NOT NULL,
         created_at_ms INTEGER NOT NULL,
         last_used_at_ms INTEGER NOT NULL,
         expires_at_ms INTEGER NOT NULL
       ) STRICT, WITHOUT ROWID)",
    R"(CREATE INDEX sessions_by_account ON sessions (account_id, last_used_at_ms))",
    R"(CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms))",
    R"(CREATE TABLE invites (
         code_hash TEXT PRIMARY KEY,
         uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
         expires_at_ms INTEGER NOT NULL
       ) STRICT, WITHOUT ROWID)",
    R"(CREATE INDEX invites_by_expiry ON invites (expires_at_ms))",
    R"(CREATE TABLE follows (
         follower_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
         followed_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
         created_at_ms INTEGER NOT NULL,
         PRIMARY KEY (follower_id, followed_id)
       ) STRICT, WITHOUT ROWID)",
    R"(CREATE INDEX follows_by_followed ON follows (followed_id))",
};

}  // namespace

Migration migration_0001() { return {1, kStatements}; }

}  // namespace alcove::store
