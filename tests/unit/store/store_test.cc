// One suite over both stores: what holds for the fake in other tests holds for SQLite.

#include "store/store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/check.h"

namespace alcove::store {
namespace {

using base::ErrorCode;
using base::WallTime;
using std::chrono::milliseconds;

struct Memory {
  std::unique_ptr<Store> store = open_memory();
};

struct Sqlite {
  Sqlite() {
    std::string pattern = (std::filesystem::temp_directory_path() / "alcove_store_XXXXXX").string();
    CHECK(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    auto opened = open_sqlite((folder / "alcove.db").string());
    CHECK(opened.has_value());
    store = *std::move(opened);
  }
  ~Sqlite() {
    store.reset();
    std::filesystem::remove_all(folder);
  }
  std::filesystem::path folder;
  std::unique_ptr<Store> store;
};

template <typename Backend>
class StoreTest : public testing::Test {
 protected:
  Store& store() { return *backend_.store; }

  Account add_account(const std::string& username) {
    const Account account{.id = base::AccountId::make(random_),
                          .username = username,
                          .display_name = "Ada “" + username + "”",
                          .password_hash = "$argon2id$…",
                          .created_at = at(1)};
    EXPECT_TRUE(store().create_account(account, std::nullopt));
    return account;
  }
  Session session_of(const Account& account, int used_at = 10) {
    return {.id = base::SessionId::make(random_),
            .account = account.id,
            .token_hash = random_.bytes<32>(),
            .device_name = "Firefox on 'Linux'; DROP TABLE accounts",
            .created_at = at(10),
            .last_used_at = at(used_at),
            .expires_at = at(1000)};
  }
  Session add_session(const Account& account, int used_at = 10) {
    Session session = session_of(account, used_at);
    EXPECT_TRUE(store().create_session(session));
    return session;
  }
  static WallTime at(long ms) { return WallTime(milliseconds(1'700'000'000'000 + ms)); }

  Backend backend_;
  base::SeededRandom random_{7};
};

using Backends = testing::Types<Memory, Sqlite>;
TYPED_TEST_SUITE(StoreTest, Backends);

TYPED_TEST(StoreTest, FindsAccountsByIdAndName) {
  const Account ada = this->add_account("ada");
  this->add_account("grace");
  const auto by_name = this->store().find_account_by_username("ada");
  ASSERT_TRUE(by_name.has_value() && by_name->has_value());
  EXPECT_EQ((*by_name)->id, ada.id);
  EXPECT_EQ((*by_name)->display_name, ada.display_name);
  EXPECT_EQ((*by_name)->password_hash, ada.password_hash);
  EXPECT_EQ((*by_name)->created_at, ada.created_at);
  EXPECT_EQ((*this->store().find_account(ada.id))->username, "ada");
  EXPECT_FALSE(this->store().find_account_by_username("nobody")->has_value());
  EXPECT_FALSE(this->store().find_account(base::AccountId::make(this->random_))->has_value());
}

TYPED_TEST(StoreTest, AUsernameIsTakenOnce) {
  this->add_account("ada");
  Account second{.id = base::AccountId::make(this->random_), .username = "ada"};
  const auto result = this->store().create_account(second, std::nullopt);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kAlreadyExists);
}

TYPED_TEST(StoreTest, AnInviteIsGoodForItsUsesAndItsTime) {
  const Hash code = this->random_.template bytes<32>();
  ASSERT_TRUE(this->store().create_invite({code, 1, this->at(100)}));
  const auto create = [&](const char* name, long when, const Hash& with) {
    const Account account{.id = base::AccountId::make(this->random_),
                          .username = name,
                          .display_name = name,
                          .created_at = this->at(when)};
    const auto result = this->store().create_account(account, with);
    return result ? std::optional<ErrorCode>() : result.error().code;
  };
  EXPECT_EQ(create("a", 10, Hash{}), ErrorCode::kPermissionDenied);
  EXPECT_EQ(create("a", 100, code), ErrorCode::kPermissionDenied) << "expired";
  this->add_account("taken");
  EXPECT_EQ(create("taken", 10, code), ErrorCode::kAlreadyExists);
  EXPECT_EQ(create("a", 10, code), std::nullopt) << "the failed attempt took no use";
  EXPECT_EQ(create("b", 10, code), ErrorCode::kPermissionDenied) << "used up";
  EXPECT_FALSE(this->store().find_account_by_username("b")->has_value());
  EXPECT_EQ(*this->store().delete_expired(this->at(11)), 1U);
  EXPECT_FALSE(this->store().create_invite({code, 1, this->at(100)}) &&
               this->store().create_invite({code, 1, this->at(100)}))
      << "a code exists once";
}

TYPED_TEST(StoreTest, FindsALiveSessionByItsToken) {
  const Account ada = this->add_account("ada");
  const Session session = this->add_session(ada);
  const auto found = this->store().find_session(session.token_hash, this->at(20));
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->session.id, session.id);
  EXPECT_EQ((*found)->session.token_hash, session.token_hash);
  EXPECT_EQ((*found)->session.device_name, session.device_name);
  EXPECT_EQ((*found)->session.expires_at, session.expires_at);
  EXPECT_EQ((*found)->account.username, "ada");
  EXPECT_FALSE(this->store().find_session(Hash{}, this->at(20))->has_value());
  EXPECT_FALSE(this->store().find_session(session.token_hash, this->at(1000))->has_value());
  ASSERT_TRUE(this->store().touch_session(session.id, this->at(30), this->at(2000)));
  EXPECT_TRUE(this->store().find_session(session.token_hash, this->at(1000))->has_value());
}

TYPED_TEST(StoreTest, RevokesOnlyOwnSessions) {
  const Account ada = this->add_account("ada");
  const Account grace = this->add_account("grace");
  const Session session = this->add_session(ada);
  EXPECT_FALSE(*this->store().delete_session(grace.id, session.id));
  EXPECT_TRUE(*this->store().delete_session(ada.id, session.id));
  EXPECT_FALSE(*this->store().delete_session(ada.id, session.id));
  EXPECT_FALSE(this->store().find_session(session.token_hash, this->at(20))->has_value());
}

TYPED_TEST(StoreTest, ListsSessionsLastUsedFirst) {
  const Account ada = this->add_account("ada");
  const Session older = this->add_session(ada, 11);
  const Session newer = this->add_session(ada, 12);
  this->add_session(this->add_account("grace"));
  const auto sessions = this->store().list_sessions(ada.id, this->at(20));
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->size(), 2U);
  EXPECT_EQ((*sessions)[0].id, newer.id);
  EXPECT_EQ((*sessions)[1].id, older.id);
  EXPECT_TRUE(this->store().list_sessions(ada.id, this->at(1000))->empty());
}

TYPED_TEST(StoreTest, AnAccountHasABoundedNumberOfSessions) {
  const Account ada = this->add_account("ada");
  const Session first = this->add_session(ada, 0);
  for (std::size_t i = 0; i < kMaxSessionsPerAccount; ++i)
    this->add_session(ada, static_cast<int>(i) + 1);
  EXPECT_EQ(this->store().list_sessions(ada.id, this->at(20))->size(), kMaxSessionsPerAccount);
  EXPECT_FALSE(this->store().find_session(first.token_hash, this->at(20))->has_value());
}

TYPED_TEST(StoreTest, ASessionNeedsItsAccount) {
  const Account nobody{.id = base::AccountId::make(this->random_), .username = "nobody"};
  EXPECT_FALSE(this->store().create_session(this->session_of(nobody)));
}

TYPED_TEST(StoreTest, DeletesWhatIsOver) {
  const Account ada = this->add_account("ada");
  this->add_session(ada);
  EXPECT_EQ(*this->store().delete_expired(this->at(999)), 0U);
  EXPECT_EQ(*this->store().delete_expired(this->at(1000)), 1U);
}

TYPED_TEST(StoreTest, FollowsAndUnfollows) {
  const Account ada = this->add_account("ada");
  const Account grace = this->add_account("grace");
  const Account edsger = this->add_account("edsger");
  Store& store = this->store();
  EXPECT_TRUE(store.follow(ada.id, grace.id, this->at(1)));
  EXPECT_TRUE(store.follow(ada.id, grace.id, this->at(2)));
  EXPECT_TRUE(store.follow(ada.id, edsger.id, this->at(2)));
  const auto nobody = store.follow(ada.id, base::AccountId::make(this->random_), this->at(3));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::kNotFound);
  const auto follows = store.list_follows(ada.id);
  ASSERT_TRUE(follows);
  ASSERT_EQ(follows->size(), 2U);
  EXPECT_EQ((*follows)[0].username, "edsger");
  const base::AccountId candidates[] = {edsger.id, ada.id};
  EXPECT_EQ(*store.followers_among(grace.id, candidates), (std::vector{ada.id}));
  EXPECT_TRUE(store.unfollow(ada.id, grace.id));
  EXPECT_TRUE(store.followers_among(grace.id, candidates)->empty());
  EXPECT_TRUE(store.check());
}

}  // namespace
}  // namespace alcove::store
