// The matcher against a plain search, and the forms of identifiers.

#include "audit/pattern_matcher.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "audit/identifiers.h"
#include "base/random.h"
#include "base/text.h"

namespace alcove::audit {
namespace {

using Match = std::tuple<std::size_t, std::size_t, std::uint32_t>;

std::multiset<Match> matches_of(const PatternMatcher& matcher, std::string_view text,
                                std::size_t begin = 0, std::size_t end = std::string::npos) {
  std::multiset<Match> result;
  matcher.scan(base::as_bytes(text), begin, std::min(end, text.size()),
               [&](std::size_t at, std::size_t length, std::uint32_t value) {
                 result.emplace(at, length, value);
               });
  return result;
}

TEST(PatternMatcher, AgreesWithAPlainSearch) {
  base::SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    PatternMatcher matcher;
    std::vector<std::string> patterns;
    for (std::uint32_t i = 0; i < 40; ++i) {
      std::string pattern;
      const std::uint32_t size = 4 + random.below(8);
      // Few letters: patterns begin with, contain and repeat one another.
      while (pattern.size() < size) pattern.push_back(static_cast<char>('a' + random.below(2)));
      matcher.add(base::as_bytes(pattern), i);
      patterns.push_back(pattern);
    }
    matcher.build();
    std::string text;
    while (text.size() < 300) text.push_back(static_cast<char>('a' + random.below(2)));
    std::multiset<Match> expected;
    for (std::uint32_t i = 0; i < patterns.size(); ++i)
      for (std::size_t at = text.find(patterns[i]); at != std::string::npos;
           at = text.find(patterns[i], at + 1))
        expected.emplace(at, patterns[i].size(), i);
    ASSERT_EQ(matches_of(matcher, text), expected);
    std::erase_if(expected, [](const Match& match) {
      return std::get<0>(match) < 50 || std::get<0>(match) >= 222;
    });
    ASSERT_EQ(matches_of(matcher, text, 50, 222), expected);
  }
}

TEST(PatternMatcher, TakesShortAndEmptyTexts) {
  PatternMatcher none;
  none.build();
  EXPECT_TRUE(matches_of(none, "abcdefgh").empty());
  PatternMatcher matcher;
  matcher.add(base::as_bytes("abcd"), 1);
  matcher.build();
  for (const char* text : {"", "a", "abc"}) EXPECT_TRUE(matches_of(matcher, text).empty());
  EXPECT_EQ(matches_of(matcher, "abcd").size(), 1U);
}

TEST(Identifiers, Base64CoreIsInEveryEncodingOfWhatContainsIt) {
  base::SeededRandom random(3);
  const std::string identifier = "user-4000123457";
  for (int round = 0; round < 300; ++round) {
    base::Buffer bytes(random.below(7));
    random.fill(bytes);
    const std::size_t offset = bytes.size() % 3;
    const base::Bytes inner = base::as_bytes(identifier);
    bytes.insert(bytes.end(), inner.begin(), inner.end());
    base::Buffer behind(random.below(5));
    random.fill(behind);
    bytes.insert(bytes.end(), behind.begin(), behind.end());
    const std::string core = base64_core(inner, offset, true);
    EXPECT_NE(base::to_base64url(bytes).find(core), std::string::npos);
    EXPECT_GE(core.size(), identifier.size());
  }
}

TEST(Identifiers, ShortOnesHaveNoBase64) {
  EXPECT_EQ(forms_of("4711").size(), 2U);  // plain, and hexadecimal without letters
  EXPECT_GE(forms_of("user-4000123457").size(), 6U);
}

TEST(Identifiers, ANumberWithinANumberIsAnother) {
  const auto alone = [](std::string_view text, std::string_view id) {
    return stands_alone(base::as_bytes(text), text.find(id), id.size());
  };
  EXPECT_TRUE(alone("uid=4000123457&", "4000123457"));
  EXPECT_FALSE(alone("uid=94000123457&", "4000123457"));
  EXPECT_FALSE(alone("40001234570", "4000123457"));
  EXPECT_FALSE(alone("joanna", "anna"));
  EXPECT_TRUE(alone("dr. anna!", "anna"));
  EXPECT_TRUE(alone("xmWvXQ9abx", "mWvXQ9ab"));
}

// 2^26 bytes that stand for ciphertext, 1,000 identifiers of all lengths from 4 on.
TEST(Identifiers, RandomBytesAreNoIdentifier) {
  base::SeededRandom random(11);
  PatternMatcher matcher;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (std::uint32_t i = 0; i < 1000; ++i) {
    std::string identifier;
    const std::size_t size = 4 + i % 20;
    while (identifier.size() < size)
      identifier.push_back(kLetters[random.below(static_cast<std::uint32_t>(kLetters.size()))]);
    add_identifier(matcher, identifier, [i](Encoding) { return i; });
  }
  matcher.build();
  std::size_t candidates = 0;
  base::Buffer bytes(1 << 20);
  for (int round = 0; round < 64; ++round) {
    random.fill(bytes);
    matcher.scan(bytes, 0, bytes.size(), [&](std::size_t at, std::size_t length, std::uint32_t) {
      ++candidates;
      EXPECT_FALSE(cannot_be_chance(bytes, at, length)) << "of " << length;
    });
  }
  // 2^26 * 50 identifiers of 4 bytes / 2^32: the context is what holds these back.
  EXPECT_LT(candidates, 10U);
}

// The share of random surroundings that pass for text, by many more trials than a capture has
// candidates.
TEST(Identifiers, RandomSurroundingsAreNoText) {
  base::SeededRandom random(13);
  base::Buffer bytes(68);
  int passed = 0;
  for (int round = 0; round < 1'000'000; ++round) {
    random.fill(bytes);
    passed += cannot_be_chance(bytes, 32, 4) ? 1 : 0;
  }
  EXPECT_LE(passed, 8);
}

}  // namespace
}  // namespace alcove::audit
