#include "crypto/aes_gcm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"

namespace alcove::crypto {
namespace {

using base::Buffer;
using base::Bytes;
using base::MutableBytes;

struct Case {
  std::string_view key, nonce, aad, plaintext, sealed;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: cases 1, 2 and 4.
constexpr Case kCases[] = {
    {"00000000000000000000000000000000", "000000000000000000000000", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
     "aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
};

Buffer hex(std::string_view text) { return base::from_hex(text).value(); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(std::string_view text) {
  const Buffer bytes = hex(text);
  EXPECT_EQ(bytes.size(), N);
  std::array<std::uint8_t, N> out{};
  std::copy_n(bytes.begin(), N, out.begin());
  return out;
}

TEST(Aes128Gcm, SealsAndOpensThePublishedCases) {
  for (const Case& c : kCases) {
    Aes128Gcm gcm(fixed<16>(c.key));
    const auto nonce = fixed<12>(c.nonce);
    const Buffer plaintext = hex(c.plaintext);
    for (int again = 0; again < 2; ++again) {
      Buffer sealed(plaintext.size() + Aes128Gcm::kTagSize);
      gcm.seal(nonce, hex(c.aad), plaintext, sealed);
      EXPECT_EQ(sealed, hex(c.sealed));
      Buffer opened(plaintext.size());
      EXPECT_TRUE(gcm.open(nonce, hex(c.aad), sealed, opened));
      EXPECT_EQ(opened, plaintext);
    }
  }
}

TEST(Aes128Gcm, RefusesEveryChangedBit) {
  const Case& c = kCases[2];
  Aes128Gcm gcm(fixed<16>(c.key));
  const auto nonce = fixed<12>(c.nonce);
  const Buffer aad = hex(c.aad);
  const Buffer sealed = hex(c.sealed);
  Buffer out(sealed.size() - Aes128Gcm::kTagSize);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Buffer changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(gcm.open(nonce, aad, changed, out)) << bit;
  }
  EXPECT_FALSE(gcm.open(nonce, Bytes(aad).first(19), sealed, out));
  EXPECT_FALSE(gcm.open(fixed<12>("cafebabefacedbaddecaf889"), aad, sealed, out));
  EXPECT_FALSE(gcm.open(nonce, aad, Bytes(sealed).first(15), {}));
  EXPECT_TRUE(gcm.open(nonce, aad, sealed, out));
}

TEST(Aes128Gcm, WorksInPlaceAndWhenMoved) {
  base::SeededRandom random(1);
  Aes128Gcm first(random.bytes<16>());
  Aes128Gcm gcm(std::move(first));
  for (std::size_t size = 0; size < 200; ++size) {
    const auto nonce = random.bytes<12>();
    Buffer plaintext(size);
    random.fill(plaintext);
    Buffer frame = plaintext;
    frame.resize(size + Aes128Gcm::kTagSize);
    gcm.seal(nonce, {}, Bytes(frame).first(size), frame);
    EXPECT_TRUE(gcm.open(nonce, {}, frame, MutableBytes(frame).first(size)));
    frame.resize(size);
    EXPECT_EQ(frame, plaintext);
  }
}

}  // namespace
}  // namespace alcove::crypto
