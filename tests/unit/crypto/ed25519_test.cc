#include "crypto/ed25519.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace alcove::crypto {
namespace {

using base::Buffer;

Buffer hex(std::string_view text) { return base::from_hex(text).value(); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(std::string_view text) {
  const Buffer bytes = hex(text);
  EXPECT_EQ(bytes.size(), N);
  std::array<std::uint8_t, N> out{};
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}

std::vector<std::vector<std::string>> read_lines(const std::string& file) {
  std::ifstream in(std::string(ALCOVE_VECTORS) + "/ed25519/" + file);
  EXPECT_TRUE(in.good()) << file;
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    lines.emplace_back(std::istream_iterator<std::string>(words),
                       std::istream_iterator<std::string>());
  }
  return lines;
}

struct Case {
  std::string_view seed, key, message, signature;
};
// RFC 8032, section 7.1: tests 1 to 3.
constexpr Case kCases[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519, SignsAndVerifiesAsTheRfc) {
  for (const Case& c : kCases) {
    const Ed25519PrivateKey key = Ed25519PrivateKey::from_seed(fixed<32>(c.seed));
    EXPECT_EQ(base::to_buffer(key.public_key()), hex(c.key));
    EXPECT_EQ(key.seed(), fixed<32>(c.seed));
    EXPECT_EQ(base::to_buffer(key.sign(hex(c.message))), hex(c.signature));
    EXPECT_TRUE(ed25519_verify(fixed<32>(c.key), hex(c.message), fixed<64>(c.signature)));
    EXPECT_TRUE(ed25519_key_is_valid(key.public_key()));
  }
}

TEST(Ed25519, RefusesEveryChangedBit) {
  base::SeededRandom random(1);
  const Ed25519PrivateKey key = Ed25519PrivateKey::make(random);
  const Buffer message{1, 2, 3};
  const Ed25519Signature signature = key.sign(message);
  ASSERT_TRUE(ed25519_verify(key.public_key(), message, signature));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Ed25519Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(ed25519_verify(key.public_key(), message, changed)) << bit;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Ed25519PublicKey changed = key.public_key();
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(ed25519_verify(changed, message, signature)) << bit;
  }
  EXPECT_FALSE(ed25519_verify(key.public_key(), Buffer{1, 2}, signature));
  EXPECT_FALSE(ed25519_verify(Ed25519PrivateKey::make(random).public_key(), message, signature));
}

TEST(Ed25519, IsStrictAtTheEdges) {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const std::vector<std::string>& line : read_lines("edges.txt")) {
    ASSERT_EQ(line.size(), 5U);
    const bool expected = line[1] == "accept";
    EXPECT_EQ(ed25519_verify(fixed<32>(line[2]), hex(line[3]), fixed<64>(line[4])), expected)
        << line[0];
    ++(expected ? accepted : refused);
  }
  EXPECT_EQ(accepted, 3U);
  EXPECT_EQ(refused, 17U);
}

TEST(Ed25519, KnowsTheKeysThatItWouldNeverAccept) {
  std::size_t valid = 0;
  for (const std::vector<std::string>& line : read_lines("keys.txt")) {
    ASSERT_EQ(line.size(), 2U);
    const bool expected = line[0] == "valid";
    EXPECT_EQ(ed25519_key_is_valid(fixed<32>(line[1])), expected) << line[1];
    if (expected) ++valid;
  }
  EXPECT_GT(valid, 10U);
  for (const std::vector<std::string>& line : read_lines("edges.txt"))
    EXPECT_EQ(ed25519_key_is_valid(fixed<32>(line[2])),
              !line[0].starts_with("small") && !line[0].starts_with("key"))
        << line[0];
  base::SeededRandom random(2);
  for (int i = 0; i < 200; ++i)
    EXPECT_TRUE(ed25519_key_is_valid(Ed25519PrivateKey::make(random).public_key()));
}

}  // namespace
}  // namespace alcove::crypto
