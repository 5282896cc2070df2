#include "crypto/certificate.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace alcove::crypto {
namespace {

constexpr base::WallTime kNow{std::chrono::sys_days{std::chrono::year(2026) / 3 / 9} +
                              std::chrono::hours(11)};

TEST(Certificate, FingerprintIsTheHashOfItsDer) {
  SystemRandom random;
  const Certificate certificate = Certificate::generate(random, kNow);
  EXPECT_EQ(certificate.fingerprint(), sha256(certificate.der()));
  EXPECT_EQ(parse_fingerprint(certificate.sha256_fingerprint()), certificate.fingerprint());
}

TEST(Certificate, NothingLastsFromOneToTheNext) {
  SystemRandom random;
  const Certificate one = Certificate::generate(random, kNow);
  const Certificate two = Certificate::generate(random, kNow);
  EXPECT_NE(one.fingerprint(), two.fingerprint());
  // A run of 12 bytes in both would be a name, number or key that stays; what DER itself and the
  // dates of one day share is known by its place: the algorithm names and the validity.
  const std::string_view other = base::as_text(two.der());
  const std::string_view own = base::as_text(one.der());
  const std::size_t name = own.find("\x06\x03\x55\x04\x03");  // id-at-commonName
  ASSERT_NE(name, std::string_view::npos);
  EXPECT_EQ(other.find(own.substr(name + 5, 14)), std::string_view::npos);
}

TEST(Certificate, FitsIntoOneDatagramWithTheFlight) {
  SystemRandom random;
  EXPECT_LT(Certificate::generate(random, kNow).der().size(), 400U);
}

TEST(Certificate, CanBeMoved) {
  SystemRandom random;
  Certificate first = Certificate::generate(random, kNow);
  const Fingerprint fingerprint = first.fingerprint();
  const Certificate second = std::move(first);
  EXPECT_EQ(second.fingerprint(), fingerprint);
}

TEST(Fingerprint, TextAndBack) {
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < fingerprint.size(); ++i)
    fingerprint[i] = static_cast<std::uint8_t>(i * 8 + 7);
  const std::string text = format_fingerprint(fingerprint);
  EXPECT_EQ(text.size(), 95U);
  EXPECT_TRUE(text.starts_with("07:0F:17:1F:"));
  EXPECT_EQ(parse_fingerprint(text), fingerprint);
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(parse_fingerprint(lower), fingerprint);
}

TEST(Fingerprint, BadTextIsRefused) {
  const std::string good = format_fingerprint(Fingerprint{});
  EXPECT_FALSE(parse_fingerprint(""));
  EXPECT_FALSE(parse_fingerprint(good + ":00"));
  EXPECT_FALSE(parse_fingerprint(good + " "));
  EXPECT_FALSE(parse_fingerprint(good.substr(3)));
  for (const char c : {'G', ' ', '-', '\0', ':'}) {
    std::string bad = good;
    bad[c == ':' ? 3 : 2] = c;
    EXPECT_FALSE(parse_fingerprint(bad)) << c;
  }
}

}  // namespace
}  // namespace alcove::crypto
