#include "policy/transparency_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace alcove::policy {
namespace {

using testing::HasSubstr;
using Entry = v1::TransparencyEntry;

class TransparencyLogTest : public testing::Test {
 protected:
  const crypto::Ed25519PrivateKey first_key_ = crypto::Ed25519PrivateKey::from_seed({1});
  const crypto::Ed25519PrivateKey second_key_ = crypto::Ed25519PrivateKey::from_seed({2});
  TransparencyLog log_;

  static std::string text_of(const crypto::Ed25519PrivateKey& key) {
    return std::string(base::as_text(key.public_key()));
  }
  static Entry entry(Entry::Kind kind, const std::string& key = {}) {
    Entry body;
    body.set_kind(kind);
    body.set_key(key);
    body.set_policy_sha256(std::string(32, 'p'));
    body.set_manifest_sha256(std::string(32, 'm'));
    body.set_summary("relay 198.51.100.7 added");
    return body;
  }
  void begin() {
    ASSERT_TRUE(log_.append(
        make_entry(log_.head(), entry(Entry::KIND_KEY, text_of(first_key_)), 1000, first_key_)));
  }
  // What is wrong with an entry that is signed well, after change.
  std::string error_of(const std::function<void(Entry&)>& change,
                       const crypto::Ed25519PrivateKey& key) {
    Entry body;
    const auto made = make_entry(log_.head(), entry(Entry::KIND_POLICY), 2000, key);
    EXPECT_TRUE(body.ParseFromString(made.entry()));
    change(body);
    v1::SignedTransparencyEntry signed_entry;
    signed_entry.set_entry(body.SerializeAsString());
    std::string bytes = "alcove log v1";
    bytes.push_back('\0');
    bytes += signed_entry.entry();
    signed_entry.set_signature(std::string(base::as_text(key.sign(base::as_bytes(bytes)))));
    TransparencyLog copy = log_;
    const auto appended = copy.append(signed_entry);
    if (appended) return {};
    EXPECT_EQ(copy.head().size, log_.head().size);
    return appended.error().message;
  }
};

TEST_F(TransparencyLogTest, FollowsKeyPolicyAndManifest) {
  begin();
  EXPECT_EQ(log_.head().key, first_key_.public_key());
  EXPECT_EQ(base::as_text(log_.head().policy), std::string(32, 'p'));
  Entry next = entry(Entry::KIND_MANIFEST);
  next.clear_policy_sha256();
  next.set_manifest_sha256(std::string(32, 'n'));
  ASSERT_TRUE(log_.append(make_entry(log_.head(), next, 2000, first_key_)));
  EXPECT_EQ(log_.head().size, 2U);
  EXPECT_EQ(base::as_text(log_.head().policy), std::string(32, 'p'));
  EXPECT_EQ(base::as_text(log_.head().manifest), std::string(32, 'n'));
  EXPECT_EQ(log_.head().at_ms, 2000);
  // A clock that was set back makes no entry that is older.
  ASSERT_TRUE(log_.append(make_entry(log_.head(), entry(Entry::KIND_POLICY), 5, first_key_)));
  EXPECT_EQ(log_.head().at_ms, 2000);
  // From a head that was checked before.
  TransparencyLog later(log_.head());
  EXPECT_TRUE(later.append(make_entry(later.head(), entry(Entry::KIND_POLICY), 3000, first_key_)));
}

TEST_F(TransparencyLogTest, OnlyTheOldKeyNamesANewOne) {
  begin();
  const Entry change = entry(Entry::KIND_KEY, text_of(second_key_));
  TransparencyLog copy = log_;
  EXPECT_THAT(copy.append(make_entry(copy.head(), change, 2000, second_key_)).error().message,
              HasSubstr("key in force"));
  ASSERT_TRUE(copy.append(make_entry(copy.head(), change, 2000, first_key_)));
  EXPECT_EQ(copy.head().key, second_key_.public_key());
  EXPECT_FALSE(copy.append(make_entry(copy.head(), entry(Entry::KIND_POLICY), 3000, first_key_)));
  EXPECT_TRUE(copy.append(make_entry(copy.head(), entry(Entry::KIND_POLICY), 3000, second_key_)));
}

TEST_F(TransparencyLogTest, TheFirstEntryNamesItsKey) {
  EXPECT_FALSE(log_.append(make_entry(log_.head(), entry(Entry::KIND_POLICY), 1, first_key_)));
  EXPECT_FALSE(log_.append(
      make_entry(log_.head(), entry(Entry::KIND_POLICY, text_of(first_key_)), 1, first_key_)));
  EXPECT_FALSE(log_.append(
      make_entry(log_.head(), entry(Entry::KIND_KEY, text_of(first_key_)), 1, second_key_)));
  EXPECT_FALSE(log_.append(
      make_entry(log_.head(), entry(Entry::KIND_KEY, std::string(32, '\0')), 1, first_key_)));
  EXPECT_EQ(log_.head().size, 0U);
}

TEST_F(TransparencyLogTest, SaysWhatIsWrong) {
  begin();
  EXPECT_EQ(error_of([](Entry&) {}, first_key_), "");
  EXPECT_THAT(error_of([](Entry& e) { e.set_n(0); }, first_key_), HasSubstr("another number"));
  EXPECT_THAT(error_of([](Entry& e) { (*e.mutable_previous())[3] ^= 1; }, first_key_),
              HasSubstr("entry before"));
  EXPECT_THAT(error_of([](Entry& e) { e.set_at_ms(999); }, first_key_), HasSubstr("older"));
  EXPECT_THAT(error_of([](Entry& e) { e.clear_kind(); }, first_key_), HasSubstr("kind"));
  EXPECT_THAT(error_of([](Entry& e) { e.set_policy_sha256("x"); }, first_key_),
              HasSubstr("32 bytes"));
  EXPECT_THAT(error_of([](Entry& e) { e.set_summary(std::string(2001, 'x')); }, first_key_),
              HasSubstr("summary"));
  EXPECT_THAT(error_of([](Entry& e) { e.set_summary("a\x1b[31m"); }, first_key_),
              HasSubstr("summary"));
  EXPECT_THAT(error_of([&](Entry& e) { e.set_key(text_of(second_key_)); }, first_key_),
              HasSubstr("without saying so"));
  EXPECT_THAT(error_of([](Entry&) {}, second_key_), HasSubstr("key in force"));
  v1::SignedTransparencyEntry junk;
  junk.set_entry(std::string(5000, 'x'));
  EXPECT_FALSE(log_.append(junk));
}

}  // namespace
}  // namespace alcove::policy
