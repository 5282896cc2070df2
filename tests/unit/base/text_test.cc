#include "base/text.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace alcove::base {
namespace {

TEST(Hex, RoundTrip) {
  const Buffer bytes = {0x00, 0x9f, 0xab, 0xff};
  EXPECT_EQ(to_hex(bytes), "009fabff");
  EXPECT_EQ(from_hex("009FabFf"), bytes);
  EXPECT_EQ(from_hex(""), Buffer{});
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex("0 "));
}

// RFC 4648, section 10, without padding.
TEST(Base64Url, PublishedVectors) {
  const std::vector<std::pair<const char*, const char*>> vectors = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64url(as_bytes(plain)), encoded);
    const auto decoded = from_base64url(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
  EXPECT_EQ(to_base64url(Buffer{0xfb, 0xff}), "-_8");
}

TEST(Base64Url, RoundTripOfEveryLength) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    Buffer bytes(size);
    random.fill(bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
}

TEST(Base64Url, RefusesWhatHasASecondSpelling) {
  for (const char* text : {"Zg==", "Z", "Zm9vY", "Zh", "Zm9", "Z+8", "Z/8", "Zg ", " Zg", "Zg\n"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Utf8, WellFormed) {
  for (const std::string_view text :
       {"", "abc", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "Grüße, 世界 👋"})
    EXPECT_TRUE(is_utf8(text)) << to_hex(as_bytes(text));
}

TEST(Utf8, IllFormed) {
  for (const std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xe0\x9f\xbf",
        "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "ok\xfe"})
    EXPECT_FALSE(is_utf8(text)) << to_hex(as_bytes(text));
}

TEST(Utf8, CodePoints) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("abc"), 3U);
  EXPECT_EQ(count_code_points("é世👋"), 3U);
}

}  // namespace
}  // namespace alcove::base
