#include "crypto/password.h"

#include <gtest/gtest.h>

namespace alcove::crypto {
namespace {

// Argon2's least, so that the test is quick.
constexpr PasswordCost kCheap{.memory_kib = 8, .iterations = 1, .parallelism = 1};

TEST(Password, VerifiesWhatItHashed) {
  base::SeededRandom random(1);
  const std::string encoded = hash_password("correct horse", random, kCheap);
  EXPECT_TRUE(encoded.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
  EXPECT_TRUE(verify_password(encoded, "correct horse"));
  EXPECT_FALSE(verify_password(encoded, "correct horsf"));
  EXPECT_FALSE(verify_password(encoded, ""));
}

TEST(Password, EmptyAndBinaryPasswordsWork) {
  base::SeededRandom random(2);
  EXPECT_TRUE(verify_password(hash_password("", random, kCheap), ""));
  const std::string_view with_null("a\0b", 3);
  const std::string encoded = hash_password(with_null, random, kCheap);
  EXPECT_TRUE(verify_password(encoded, with_null));
  EXPECT_FALSE(verify_password(encoded, "a"));
}

TEST(Password, SaltIsFresh) {
  base::SeededRandom random(3);
  EXPECT_NE(hash_password("same", random, kCheap), hash_password("same", random, kCheap));
}

TEST(Password, DefaultCost) {
  base::SeededRandom random(4);
  const std::string encoded = hash_password("slow", random);
  EXPECT_TRUE(encoded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(verify_password(encoded, "slow"));
  EXPECT_FALSE(needs_rehash(encoded));
}

TEST(Password, NeedsRehashWhenTheCostChanged) {
  base::SeededRandom random(5);
  const std::string encoded = hash_password("x", random, kCheap);
  EXPECT_TRUE(needs_rehash(encoded));
  EXPECT_FALSE(needs_rehash(encoded, kCheap));
  EXPECT_TRUE(needs_rehash("$2b$10$something-else", kCheap));
}

TEST(Password, DamagedHashesAreRefused) {
  base::SeededRandom random(6);
  const std::string good = hash_password("x", random, kCheap);
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(verify_password(good.substr(0, length), "x")) << length;
  for (const char* bad : {
           "",
           "$",
           "$argon2id$",
           "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
           "$argon2id$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
           "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
           "$argon2id$v=19$m=8,t=4294967295,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
           "$argon2id$v=19$m=8,t=1,p=99999999999$c2FsdHNhbHQ$aGFzaGhhc2g",
           "$argon2id$v=19$m=-8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
       }) {
    EXPECT_FALSE(verify_password(bad, "x")) << bad;
    EXPECT_TRUE(needs_rehash(bad, kCheap)) << bad;
  }
}

}  // namespace
}  // namespace alcove::crypto
