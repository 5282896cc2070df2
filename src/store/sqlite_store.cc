#include <algorithm>

#include "base/text.h"
#include "store/sqlite_database.h"
#include "store/store.h"

namespace alcove::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::WallTime;
using soci::into;
using soci::use;

long long to_ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime from_ms(long long ms) { return WallTime(std::chrono::milliseconds(ms)); }

template <typename Id>
Id parse_id(const std::string& text) {
  const std::optional<Id> id = Id::parse(text);
  if (!id) throw soci::soci_error("a stored id is damaged");
  return *id;
}

// The columns of an account as variables to bind to.
struct AccountRow {
  std::string id, username, display_name, password_hash;
  long long created_at = 0;

  static constexpr const char* kColumns =
      "a.account_id, a.username, a.display_name, a.password_hash, a.created_at_ms";
  Account account() const {
    return {parse_id<base::AccountId>(id), username, display_name, password_hash,
            from_ms(created_at)};
  }
};

struct SessionRow {
  std::string id, account, token_hash, device_name;
  long long created_at = 0, last_used_at = 0, expires_at = 0;

  static constexpr const char* kColumns =
      "s.session_id, s.account_id, s.token_hash, s.device_name, s.created_at_ms, "
      "s.last_used_at_ms, "
      "s.expires_at_ms";
  Session session() const {
    Session session{.id = parse_id<base::SessionId>(id),
                    .account = parse_id<base::AccountId>(account),
                    .device_name = device_name,
                    .created_at = from_ms(created_at),
                    .last_used_at = from_ms(last_used_at),
                    .expires_at = from_ms(expires_at)};
    const std::optional<base::Buffer> hash = base::from_base64url(token_hash);
    if (!hash || hash->size() != session.token_hash.size())
      throw soci::soci_error("a stored hash is damaged");
    std::ranges::copy(*hash, session.token_hash.begin());
    return session;
  }
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<SqliteDatabase> database) : database_(std::move(database)) {}

  Result<void> create_account(const Account& account,
                              const std::optional<Hash>& invite_code) override {
    return database_->run([&](soci::session& sql) -> Result<void> {
      const std::string id = account.id.text();
      const long long now = to_ms(account.created_at);
      WriteTransaction transaction(sql);
      if (invite_code && !take_invite(sql, *invite_code, now))
        return base::fail(ErrorCode::kPermissionDenied, "This invite code is not valid any more.");
      try {
        sql << "INSERT INTO accounts (account_id, username, display_name, password_hash, "
               "created_at_ms) "
               "VALUES (:id, :username, :display_name, :password_hash, :created_at)",
            use(id), use(account.username), use(account.display_name), use(account.password_hash),
            use(now);
      } catch (const soci::soci_error& error) {
        if (!is_constraint_violation(error)) throw;
        return base::fail(ErrorCode::kAlreadyExists, "This username is taken: choose another.");
      }
      transaction.commit();
      return {};
    });
  }

  Result<std::optional<Account>> find_account(const base::AccountId& id) override {
    return find_account_where("a.account_id = :key", id.text());
  }
  Result<std::optional<Account>> find_account_by_username(std::string_view username) override {
    return find_account_where("a.username = :key", std::string(username));
  }

  Result<void> create_session(const Session& session) override {
    return database_->run([&](soci::session& sql) -> Result<void> {
      const std::string id = session.id.text();
      const std::string account = session.account.text();
      const std::string token_hash = base::to_base64url(session.token_hash);
      const long long created_at = to_ms(session.created_at);
      const long long last_used_at = to_ms(session.last_used_at);
      const long long expires_at = to_ms(session.expires_at);
      const int keep = static_cast<int>(kMaxSessionsPerAccount) - 1;
      WriteTransaction transaction(sql);
      sql << "DELETE FROM sessions WHERE account_id = :account AND session_id NOT IN (SELECT "
             "session_id "
             "FROM sessions WHERE account_id = :account2 ORDER BY last_used_at_ms DESC LIMIT "
             ":keep)",
          use(account), use(account), use(keep);
      sql << "INSERT INTO sessions (session_id, account_id, token_hash, device_name, "
             "created_at_ms, "
             "last_used_at_ms, expires_at_ms) VALUES (:id, :account, :token, :device, :created, "
             ":used, "
             ":expires)",
          use(id), use(account), use(token_hash), use(session.device_name), use(created_at),
          use(last_used_at), use(expires_at);
      transaction.commit();
      return {};
    });
  }

  Result<std::optional<SessionAndAccount>> find_session(const Hash& token_hash,
                                                        WallTime now) override {
    return database_->run([&](soci::session& sql) -> Result<std::optional<SessionAndAccount>> {
      const std::string hash = base::to_base64url(token_hash);
      const long long now_ms = to_ms(now);
      SessionRow s;
      AccountRow a;
      sql << "SELECT " << SessionRow::kColumns << ", " << AccountRow::kColumns
          << " FROM sessions s JOIN accounts a ON a.account_id = s.account_id "
             "WHERE s.token_hash = :hash AND s.expires_at_ms > :now",
          use(hash), use(now_ms), into(s.id), into(s.account), into(s.token_hash),
          into(s.device_name), into(s.created_at), into(s.last_used_at), into(s.expires_at),
          into(a.id), into(a.username), into(a.display_name), into(a.password_hash),
          into(a.created_at);
      if (!sql.got_data()) return std::nullopt;
      return SessionAndAccount{s.session(), a.account()};
    });
  }

  Result<void> touch_session(const base::SessionId& id, WallTime last_used_at,
                             WallTime expires_at) override {
    return database_->run([&](soci::session& sql) -> Result<void> {
      const std::string key = id.text();
      const long long used = to_ms(last_used_at);
      const long long expires = to_ms(expires_at);
      sql << "UPDATE sessions SET last_used_at_ms = :used, expires_at_ms = :expires WHERE "
             "session_id = :id",
          use(used), use(expires), use(key);
      return {};
    });
  }

  Result<std::vector<Session>> list_sessions(const base::AccountId& account,
                                             WallTime now) override {
    return database_->run([&](soci::session& sql) -> Result<std::vector<Session>> {
      const std::string key = account.text();
      const long long now_ms = to_ms(now);
      SessionRow s;
      soci::statement statement =
          (sql.prepare
               << "SELECT " << SessionRow::kColumns
               << " FROM sessions s WHERE s.account_id = :account AND s.expires_at_ms > :now "
                  "ORDER BY s.last_used_at_ms DESC",
           use(key), use(now_ms), into(s.id), into(s.account), into(s.token_hash),
           into(s.device_name), into(s.created_at), into(s.last_used_at), into(s.expires_at));
      std::vector<Session> sessions;
      statement.execute();
      while (statement.fetch()) sessions.push_back(s.session());
      return sessions;
    });
  }

  Result<bool> delete_session(const base::AccountId& account, const base::SessionId& id) override {
    return database_->run([&](soci::session& sql) -> Result<bool> {
      const std::string owner = account.text();
      const std::string key = id.text();
      soci::statement statement =
          (sql.prepare << "DELETE FROM sessions WHERE session_id = :id AND account_id = :account",
           use(key), use(owner));
      statement.execute(true);
      return statement.get_affected_rows() > 0;
    });
  }

  Result<std::size_t> delete_expired(WallTime now) override {
    return database_->run([&](soci::session& sql) -> Result<std::size_t> {
      const long long now_ms = to_ms(now);
      std::size_t deleted = 0;
      for (const char* query :
           {"DELETE FROM sessions WHERE expires_at_ms <= :now",
            "DELETE FROM invites WHERE expires_at_ms <= :now OR uses_left = 0"}) {
        soci::statement statement = (sql.prepare << query, use(now_ms));
        statement.execute(true);
        deleted += static_cast<std::size_t>(std::max<long long>(0, statement.get_affected_rows()));
      }
      return deleted;
    });
  }

  Result<void> create_invite(const Invite& invite) override {
    return database_->run([&](soci::session& sql) -> Result<void> {
      const std::string hash = base::to_base64url(invite.code_hash);
      const long long uses = invite.uses_left;
      const long long expires = to_ms(invite.expires_at);
      sql << "INSERT INTO invites (code_hash, uses_left, expires_at_ms) VALUES (:hash, :uses, "
             ":expires)",
          use(hash), use(uses), use(expires);
      return {};
    });
  }

  Result<void> follow(const base::AccountId& follower, const base::AccountId& followed,
                      WallTime now) override {
    return database_->run([&](soci::session& sql) -> Result<void> {
      const std::string from = follower.text();
      const std::string to = followed.text();
      const long long now_ms = to_ms(now);
      WriteTransaction transaction(sql);
      int existing = 0;
      sql << "SELECT count(*) FROM follows WHERE follower_id = :follower", use(from),
          into(existing);
      if (static_cast<std::size_t>(existing) >= kMaxFollowsPerAccount)
        return base::fail(ErrorCode::kResourceExhausted,
                          "You follow too many people: unfollow some first.");
      try {
        sql << "INSERT INTO follows (follower_id, followed_id, created_at_ms) VALUES (:from, :to, "
               ":now) "
               "ON CONFLICT DO NOTHING",
            use(from), use(to), use(now_ms);
      } catch (const soci::soci_error& error) {
        if (!is_constraint_violation(error)) throw;
        return base::fail(ErrorCode::kNotFound, "There is no such account.");
      }
      transaction.commit();
      return {};
    });
  }

  Result<void> unfollow(const base::AccountId& follower, const base::AccountId& followed) override {
    return database_->run([&](soci::session& sql) -> Result<void> {
      const std::string from = follower.text();
      const std::string to = followed.text();
      sql << "DELETE FROM follows WHERE follower_id = :from AND followed_id = :to", use(from),
          use(to);
      return {};
    });
  }

  Result<std::vector<Account>> list_follows(const base::AccountId& follower) override {
    return database_->run([&](soci::session& sql) -> Result<std::vector<Account>> {
      const std::string from = follower.text();
      AccountRow a;
      soci::statement statement =
          (sql.prepare << "SELECT " << AccountRow::kColumns
                       << " FROM follows f JOIN accounts a ON a.account_id = f.followed_id "
                          "WHERE f.follower_id = :follower ORDER BY a.username",
           use(from), into(a.id), into(a.username), into(a.display_name), into(a.password_hash),
           into(a.created_at));
      std::vector<Account> accounts;
      statement.execute();
      while (statement.fetch()) accounts.push_back(a.account());
      return accounts;
    });
  }

  Result<std::vector<base::AccountId>> followers_among(
      const base::AccountId& followed, std::span<const base::AccountId> candidates) override {
    return database_->run([&](soci::session& sql) -> Result<std::vector<base::AccountId>> {
      const std::string to = followed.text();
      std::string from;
      int found = 0;
      soci::statement statement =
          (sql.prepare
               << "SELECT count(*) FROM follows WHERE follower_id = :from AND followed_id = :to",
           use(from), use(to), into(found));
      std::vector<base::AccountId> followers;
      for (const base::AccountId& candidate : candidates) {
        from = candidate.text();
        statement.execute(true);
        if (found > 0) followers.push_back(candidate);
      }
      return followers;
    });
  }

  Result<void> check() override {
    return database_->run([](soci::session& sql) -> Result<void> {
      int version = 0;
      sql << "SELECT max(version) FROM schema_version", into(version);
      return {};
    });
  }

 private:
  Result<std::optional<Account>> find_account_where(const char* condition, const std::string& key) {
    return database_->run([&](soci::session& sql) -> Result<std::optional<Account>> {
      AccountRow a;
      sql << "SELECT " << AccountRow::kColumns << " FROM accounts a WHERE " << condition, use(key),
          into(a.id), into(a.username), into(a.display_name), into(a.password_hash),
          into(a.created_at);
      if (!sql.got_data()) return std::nullopt;
      return a.account();
    });
  }

  static bool take_invite(soci::session& sql, const Hash& code, long long now) {
    const std::string hash = base::to_base64url(code);
    soci::statement statement =
        (sql.prepare << "UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = :hash AND "
                        "uses_left > 0 AND expires_at_ms > :now",
         use(hash), use(now));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  }

  std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, SqliteOptions options) {
  Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::open(path, options);
  if (!database) return std::unexpected(database.error());
  return std::make_unique<SqliteStore>(*std::move(database));
}

}  // namespace alcove::store
