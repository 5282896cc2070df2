#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/text.h"
#include "crypto/hmac_key.h"
#include "crypto/random.h"

namespace alcove::crypto {
namespace {

using base::as_bytes;
using base::Buffer;
using base::to_hex;

TEST(Hash, Sha256) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

struct HmacCase {
  Buffer key;
  Buffer message;
  const char* expected;
};

Buffer text(std::string_view value) { return base::to_buffer(as_bytes(value)); }

TEST(Hash, HmacSha1OfRfc2202) {
  const HmacCase cases[] = {
      {Buffer(20, 0x0b), text("Hi There"), "b617318655057264e28bc0b6fb378c8ef146be00"},
      {text("Jefe"), text("what do ya want for nothing?"),
       "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
      {Buffer(20, 0xaa), Buffer(50, 0xdd), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
      {Buffer(20, 0x0c), text("Test With Truncation"), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"},
      {Buffer(80, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"),
       "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
      {Buffer(80, 0xaa),
       text("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"),
       "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"},
  };
  for (const HmacCase& c : cases) EXPECT_EQ(to_hex(hmac_sha1(c.key, c.message)), c.expected);
}

TEST(Hash, HmacSha256OfRfc4231) {
  const HmacCase cases[] = {
      {Buffer(20, 0x0b), text("Hi There"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text("Jefe"), text("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Buffer(20, 0xaa), Buffer(50, 0xdd),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {Buffer(131, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const HmacCase& c : cases) EXPECT_EQ(to_hex(hmac_sha256(c.key, c.message)), c.expected);
}

TEST(Hash, EmptyKeyAndMessage) {
  EXPECT_EQ(to_hex(hmac_sha1({}, {})), "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hash, ConstantTimeEqual) {
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_TRUE(constant_time_equal(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(constant_time_equal(as_bytes("same"), as_bytes("sama")));
  EXPECT_FALSE(constant_time_equal(as_bytes("same"), as_bytes("sam")));
}

TEST(Random, FillsAnySizeAndDoesNotRepeat) {
  SystemRandom random;
  std::set<std::array<std::uint8_t, 16>> seen;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(random.bytes<16>()).second);
  random.fill({});
  Buffer large((1 << 20) + 7);
  random.fill(large);
  EXPECT_NE(base::Bytes(large).last(7)[0] | base::Bytes(large).last(7)[3] | large[0] | large[9], 0);
}

template <typename Key>
std::size_t bytes_left_of(base::Bytes key) {
  alignas(Key) std::array<std::uint8_t, sizeof(Key)> place{};
  Key* made = std::construct_at(reinterpret_cast<Key*>(place.data()), key);
  EXPECT_NE(std::ranges::count(place, 0), std::ssize(place));
  std::destroy_at(made);
  return place.size() - static_cast<std::size_t>(std::ranges::count(place, 0));
}

TEST(Hash, AKeyOfHmacLeavesNothingBehind) {
  const Buffer key = text("a key that nobody may find");
  EXPECT_EQ(bytes_left_of<HmacSha1Key>(key), 0U);
  EXPECT_EQ(bytes_left_of<HmacSha256Key>(key), 0U);
}

TEST(Hash, AKeyOfHmacJoinsThePartsAndCanBeCopied) {
  const Buffer key(100, 7);  // longer than a block
  HmacSha256Key copy;
  {
    const HmacSha256Key made(key);
    copy = made;
  }
  EXPECT_EQ(copy.mac({as_bytes("ab"), {}, as_bytes("c")}), hmac_sha256(key, as_bytes("abc")));
}

}  // namespace
}  // namespace alcove::crypto
