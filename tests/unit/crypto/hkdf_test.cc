#include "crypto/hkdf.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/text.h"

namespace alcove::crypto {
namespace {

using base::Buffer;
using base::Bytes;

Buffer hex(std::string_view text) { return base::from_hex(text).value(); }
Buffer counting(std::uint8_t first, std::size_t size) {
  Buffer bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}
Buffer expanded(Bytes key, Bytes info, std::size_t size) {
  Buffer out(size);
  hkdf_expand(key, info, out);
  return out;
}

// RFC 5869, appendix A.1.
TEST(Hkdf, BasicCase) {
  const Sha256Digest key = hkdf_extract(counting(0, 13), Buffer(22, 0x0b));
  EXPECT_EQ(base::to_buffer(key),
            hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"));
  EXPECT_EQ(
      expanded(key, counting(0xf0, 10), 42),
      hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
}

// A.2: longer than a block of the hash everywhere.
TEST(Hkdf, LongInputs) {
  const Sha256Digest key = hkdf_extract(counting(0x60, 80), counting(0, 80));
  EXPECT_EQ(base::to_buffer(key),
            hex("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"));
  EXPECT_EQ(
      expanded(key, counting(0xb0, 80), 82),
      hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
          "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"));
}

// A.3.
TEST(Hkdf, EmptySaltAndInfo) {
  const Buffer input(22, 0x0b);
  const Sha256Digest key = hkdf_extract({}, input);
  EXPECT_EQ(base::to_buffer(key),
            hex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"));
  EXPECT_EQ(key, hkdf_extract(Buffer(32), input));
  EXPECT_EQ(
      expanded(key, {}, 42),
      hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST(Hkdf, ShorterOutputsBeginLongerOnes) {
  const Buffer key(32, 7);
  const Buffer longest = expanded(key, {}, 255 * 32);
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 64U, 8159U})
    EXPECT_EQ(expanded(key, {}, size), Buffer(longest.begin(), longest.begin() + size));
  EXPECT_DEATH(expanded(key, {}, 255 * 32 + 1), "");
}

}  // namespace
}  // namespace alcove::crypto
