#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "store/store.h"

namespace alcove::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::WallTime;

class MemoryStore final : public Store {
 public:
  Result<void> create_account(const Account& account,
                              const std::optional<Hash>& invite_code) override {
    auto invite = invites_.end();
    if (invite_code) {
      invite = invites_.find(*invite_code);
      if (invite == invites_.end() || invite->second.uses_left <= 0 ||
          invite->second.expires_at <= account.created_at)
        return base::fail(ErrorCode::kPermissionDenied, "This invite code is not valid any more.");
    }
    if (by_username(account.username) != nullptr)
      return base::fail(ErrorCode::kAlreadyExists, "This username is taken: choose another.");
    if (invite != invites_.end()) --invite->second.uses_left;
    accounts_[account.id] = account;
    return {};
  }

  Result<std::optional<Account>> find_account(const base::AccountId& id) override {
    const auto found = accounts_.find(id);
    if (found == accounts_.end()) return std::nullopt;
    return found->second;
  }

  Result<std::optional<Account>> find_account_by_username(std::string_view username) override {
    const Account* found = by_username(username);
    if (found == nullptr) return std::nullopt;
    return *found;
  }

  Result<void> create_session(const Session& session) override {
    if (!accounts_.contains(session.account))
      return base::fail(ErrorCode::kInternal, "The database refused a statement.");
    std::vector<Session> own = sessions_of(session.account, WallTime::min());
    for (std::size_t i = kMaxSessionsPerAccount - 1; i < own.size(); ++i)
      sessions_.erase(own[i].id);
    sessions_[session.id] = session;
    return {};
  }

  Result<std::optional<SessionAndAccount>> find_session(const Hash& token_hash,
                                                        WallTime now) override {
    for (const auto& [id, session] : sessions_)
      if (session.token_hash == token_hash && session.expires_at > now)
        return SessionAndAccount{session, accounts_.at(session.account)};
    return std::nullopt;
  }

  Result<void> touch_session(const base::SessionId& id, WallTime last_used_at,
                             WallTime expires_at) override {
    if (const auto found = sessions_.find(id); found != sessions_.end()) {
      found->second.last_used_at = last_used_at;
      found->second.expires_at = expires_at;
    }
    return {};
  }

  Result<std::vector<Session>> list_sessions(const base::AccountId& account,
                                             WallTime now) override {
    return sessions_of(account, now);
  }

  Result<bool> delete_session(const base::AccountId& account, const base::SessionId& id) override {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second.account != account) return false;
    sessions_.erase(found);
    return true;
  }

  Result<std::size_t> delete_expired(WallTime now) override {
    return std::erase_if(sessions_,
                         [&](const auto& entry) { return entry.second.expires_at <= now; }) +
           std::erase_if(invites_, [&](const auto& entry) {
             return entry.second.expires_at <= now || entry.second.uses_left == 0;
           });
  }

  Result<void> create_invite(const Invite& invite) override {
    if (!invites_.emplace(invite.code_hash, invite).second)
      return base::fail(ErrorCode::kInternal, "The database refused a statement.");
    return {};
  }

  Result<void> follow(const base::AccountId& follower, const base::AccountId& followed,
                      WallTime) override {
    if (!accounts_.contains(follower) || !accounts_.contains(followed))
      return base::fail(ErrorCode::kNotFound, "There is no such account.");
    std::set<base::AccountId>& follows = follows_[follower];
    if (follows.size() >= kMaxFollowsPerAccount)
      return base::fail(ErrorCode::kResourceExhausted,
                        "You follow too many people: unfollow some first.");
    follows.insert(followed);
    return {};
  }

  Result<void> unfollow(const base::AccountId& follower, const base::AccountId& followed) override {
    follows_[follower].erase(followed);
    return {};
  }

  Result<std::vector<Account>> list_follows(const base::AccountId& follower) override {
    std::vector<Account> accounts;
    for (const base::AccountId& followed : follows_[follower])
      accounts.push_back(accounts_.at(followed));
    std::ranges::sort(accounts, {}, &Account::username);
    return accounts;
  }

  Result<std::vector<base::AccountId>> followers_among(
      const base::AccountId& followed, std::span<const base::AccountId> candidates) override {
    std::vector<base::AccountId> followers;
    for (const base::AccountId& candidate : candidates)
      if (follows_[candidate].contains(followed)) followers.push_back(candidate);
    return followers;
  }

  Result<void> check() override { return {}; }

 private:
  const Account* by_username(std::string_view username) const {
    for (const auto& [id, account] : accounts_)
      if (account.username == username) return &account;
    return nullptr;
  }

  // The last used first.
  std::vector<Session> sessions_of(const base::AccountId& account, WallTime now) const {
    std::vector<Session> own;
    for (const auto& [id, session] : sessions_)
      if (session.account == account && session.expires_at > now) own.push_back(session);
    std::ranges::sort(own, std::greater{}, &Session::last_used_at);
    return own;
  }

  std::map<base::AccountId, Account> accounts_;
  std::map<base::SessionId, Session> sessions_;
  std::map<Hash, Invite> invites_;
  std::map<base::AccountId, std::set<base::AccountId>> follows_;
};

}  // namespace

std::unique_ptr<Store> open_memory() { return std::make_unique<MemoryStore>(); }

}  // namespace alcove::store
