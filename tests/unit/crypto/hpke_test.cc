#include "crypto/hpke.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "vectors.h"

namespace alcove::crypto {
namespace {

using base::Buffer;
using base::Bytes;
using testing::Vectors;

// Yields the ephemeral key that a vector prescribes.
class FixedBytes final : public base::RandomSource {
 public:
  explicit FixedBytes(Buffer bytes) : bytes_(std::move(bytes)) {}
  void fill(base::MutableBytes out) override {
    ASSERT_EQ(out.size(), bytes_.size());
    std::ranges::copy(bytes_, out.begin());
  }

 private:
  Buffer bytes_;
};

HpkePublicKey public_key(Bytes bytes) {
  HpkePublicKey key{};
  EXPECT_EQ(bytes.size(), key.size());
  std::ranges::copy(bytes, key.begin());
  return key;
}

Buffer joined(const Buffer& a, const Buffer& b) {
  Buffer out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

TEST(Hpke, SealsAndOpensTheVectorOfTheRfc) {
  const Vectors vectors("hpke/rfc9180_a11_base.txt");
  HpkePrivateBytes bytes{};
  vectors.copy_to("skRm", bytes);
  const HpkePrivateKey receiver = HpkePrivateKey::from_bytes(bytes);
  EXPECT_EQ(base::to_buffer(receiver.public_key()), vectors.get("pkRm"));

  FixedBytes ephemeral(vectors.get("skEm"));
  const Buffer box = joined(vectors.get("enc"), vectors.get("ct"));
  EXPECT_EQ(hpke_seal(receiver.public_key(), vectors.get("info"), vectors.get("aad"),
                      vectors.get("pt"), ephemeral),
            box);
  std::optional<HpkeSealContext> context =
      HpkeSealContext::make(receiver.public_key(), vectors.get("info"), ephemeral);
  ASSERT_TRUE(context);
  HpkeSealContext moved = std::move(*context);
  EXPECT_EQ(std::move(moved).seal(vectors.get("aad"), vectors.get("pt")), box);
  EXPECT_EQ(hpke_open(receiver, vectors.get("info"), vectors.get("aad"), box), vectors.get("pt"));
}

TEST(Hpke, AContextSealsOnce) {
  base::SeededRandom random(1);
  const HpkePrivateKey receiver = HpkePrivateKey::make(random);
  std::optional<HpkeSealContext> context = HpkeSealContext::make(receiver.public_key(), {}, random);
  ASSERT_TRUE(context);
  std::move(*context).seal({}, {});
  EXPECT_DEATH(std::move(*context).seal({}, {}), "");
}

TEST(Hpke, RefusesWhatWasChanged) {
  base::SeededRandom random(2);
  const HpkePrivateKey receiver = HpkePrivateKey::make(random);
  const HpkePrivateKey other = HpkePrivateKey::make(random);
  const Buffer info{1, 2, 3};
  const Buffer aad{4, 5};
  const Buffer plaintext(32, 6);
  const Buffer box = hpke_seal(receiver.public_key(), info, aad, plaintext, random).value();
  ASSERT_EQ(box.size(), 80U);
  EXPECT_EQ(hpke_open(receiver, info, aad, box), plaintext);
  EXPECT_FALSE(hpke_open(other, info, aad, box));
  EXPECT_FALSE(hpke_open(receiver, aad, info, box));
  EXPECT_FALSE(hpke_open(receiver, info, {}, box));
  for (std::size_t size = 0; size < box.size(); ++size)
    EXPECT_FALSE(hpke_open(receiver, info, aad, Bytes(box).first(size)));
  for (std::size_t at = 0; at < box.size(); ++at) {
    Buffer changed = box;
    changed[at] ^= 0x80;  // of byte 31 too: X25519 ignores that bit, the key schedule does not
    EXPECT_FALSE(hpke_open(receiver, info, aad, changed)) << at;
  }
}

TEST(Hpke, RefusesKeysOfSmallOrder) {
  base::SeededRandom random(3);
  // u = 0, 1, -1, one of order 8, and 0 and 1 plus p: RFC 7748 gives the all-zero secret.
  for (const std::string_view text :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const Buffer bytes = base::from_hex(text).value();
    EXPECT_FALSE(HpkeSealContext::make(public_key(bytes), {}, random)) << text;
    EXPECT_FALSE(hpke_seal(public_key(bytes), {}, {}, {}, random)) << text;
    Buffer box = bytes;
    box.resize(80);
    EXPECT_FALSE(hpke_open(HpkePrivateKey::make(random), {}, {}, box)) << text;
  }
}

TEST(Hpke, EveryBoxIsFresh) {
  base::SeededRandom random(4);
  const HpkePrivateKey receiver = HpkePrivateKey::make(random);
  const auto first = hpke_seal(receiver.public_key(), {}, {}, Buffer(32), random).value();
  const auto second = hpke_seal(receiver.public_key(), {}, {}, Buffer(32), random).value();
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 32, second.begin()));
  EXPECT_EQ(hpke_open(receiver, {}, {}, first), hpke_open(receiver, {}, {}, second));
}

}  // namespace
}  // namespace alcove::crypto
