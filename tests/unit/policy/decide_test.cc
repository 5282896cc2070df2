#include "policy/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_geo.h"

namespace alcove::policy {
namespace {

using ::testing::HasSubstr;

base::IpAddress address(std::string_view text) { return base::IpAddress::parse(text).value(); }

class Decide : public ::testing::Test {
 protected:
  Decision judge(std::string_view toml, std::string_view text) {
    const auto policy = parse_policy(toml);
    EXPECT_TRUE(policy) << policy.error().message;
    return decide(*policy, *database_, address(text));
  }
  Reason reason(std::string_view toml, std::string_view text) { return judge(toml, text).reason; }

  std::unique_ptr<GeoDatabase> database_ = test::open_test_geo();
};

constexpr std::string_view kTestPolicy =
    "unknown = \"deny\"\n[location]\ndeny = [\"CN\"]\n[owner]\ndeny = [\"CN\"]\n";

struct Case {
  std::string_view toml;
  std::string_view address;
  Reason reason;
};

TEST_F(Decide, EveryReason) {
  using enum Reason;
  const Case cases[] = {
      {"", "198.51.100.7", kAllowedByDefault},
      {"", "203.0.113.7", kAllowedByDefault},
      {"", "192.0.2.200", kAllowedByDefault},
      {"", "8.8.8.8", kAllowedByDefault},
      {"unknown = \"deny\"", "8.8.8.8", kAllowedByDefault},
      {"location.allow = [\"DE\"]", "198.51.100.7", kAllowedCountry},
      {"location.allow = [\"EU\"]", "198.51.100.7", kAllowedCountry},
      {"location.allow = [\"FR\"]", "198.51.100.7", kCountryNotAllowed},
      {"location.allow = [\"DE\"]", "203.0.113.7", kCountryNotAllowed},
      {"location.deny = [\"CN\"]", "203.0.113.7", kDeniedCountry},
      {"location.deny = [\"CN\"]", "198.51.100.7", kAllowedByDefault},
      {"location.deny = [\"CN\"]", "192.0.2.7", kAllowedByDefault},
      {"location.deny = [\"CN\"]", "8.8.8.8", kUnknownCountry},
      {"location.allow = [\"DE\"]", "8.8.8.8", kUnknownCountry},
      {"unknown = \"allow\"\nlocation.deny = [\"CN\"]", "8.8.8.8", kAllowedByDefault},
      {"owner.deny = [\"CN\"]", "192.0.2.7", kDeniedOwnerCountry},
      {"owner.deny = [\"CN\"]", "198.51.100.7", kAllowedByDefault},
      {"owner.deny = [\"CN\"]", "8.8.8.8", kUnknownOwner},
      {"owner.deny = [\"CN\"]", "36.96.0.1", kUnknownOwner},
      {"unknown = \"allow\"\nowner.deny = [\"CN\"]", "36.96.0.1", kAllowedByDefault},
      {"owner.allow = [\"DE\"]", "192.0.2.7", kOwnerCountryNotAllowed},
      {"owner.allow = [\"DE\"]", "198.51.100.7", kAllowedByDefault},
      {"owner.deny_asn = [64511]", "192.0.2.7", kDeniedAsn},
      {"owner.deny_asn = [64510]", "192.0.2.7", kAllowedByDefault},
      {"owner.deny_asn = [64510]", "8.8.8.8", kUnknownOwner},
      {"owner.deny_name = [\"GLOBAL back\"]", "192.0.2.7", kDeniedOwnerName},
      {"owner.deny_name = [\"beijing\"]", "198.51.100.7", kAllowedByDefault},
      {"owner.deny_name = [\"beijing\"]", "36.96.0.1", kUnknownOwner},
      {"owner.deny = [\"RU\"]\nowner.country_of = { \"64500\" = \"RU\" }", "198.51.100.7",
       kDeniedOwnerCountry},
      {"owner.deny = [\"CN\"]\nowner.country_of = { \"64511\" = \"DE\" }", "192.0.2.7",
       kAllowedByDefault},
      {"location.deny = [\"CN\"]", "192.0.2.200", kAnycast},
      {"location.deny = [\"CN\"]\nanycast = \"allow\"", "192.0.2.200", kAllowedByDefault},
      {"location.allow = [\"FR\"]\nanycast = \"allow\"", "192.0.2.200", kAllowedByDefault},
      {"location.deny = [\"DE\"]\nanycast = \"allow\"", "192.0.2.200", kDeniedCountry},
      {"anycast = \"deny\"", "192.0.2.200", kAnycast},
      {"owner.deny = [\"CN\"]", "192.0.2.200", kAllowedByDefault},
      {"addresses.deny = [\"198.51.100.0/25\"]", "198.51.100.7", kDeniedNetwork},
      {"addresses.deny = [\"198.51.100.0/25\"]", "198.51.100.128", kAllowedByDefault},
      {"location.deny = [\"CN\"]\naddresses.allow = [\"203.0.113.7\"]", "203.0.113.7",
       kAllowedNetwork},
      {"location.deny = [\"CN\"]\naddresses.allow = [\"203.0.113.7\"]", "203.0.113.8",
       kDeniedCountry},
      {"addresses.allow = [\"10.0.0.0/8\"]\naddresses.deny = [\"10.1.0.0/16\"]", "10.1.0.1",
       kDeniedNetwork},
      {"addresses.allow = [\"0.0.0.0/0\"]", "224.0.0.1", kNotUnicast},
      {"private = \"deny\"", "127.0.0.1", kDeniedPrivate},
      {"private = \"deny\"", "fe80::1", kDeniedPrivate},
      {"private = \"deny\"\naddresses.allow = [\"10.0.0.0/8\"]", "10.0.0.1", kAllowedNetwork},
      {kTestPolicy, "10.0.0.1", kAllowedPrivate},
      {kTestPolicy, "::1", kAllowedPrivate},
      {kTestPolicy, "255.255.255.255", kNotUnicast},
      {kTestPolicy, "::", kNotUnicast},
      {kTestPolicy, "2001:db8:de::7", kAllowedByDefault},
      {kTestPolicy, "2001:db8:c::7", kDeniedCountry},
      {kTestPolicy, "2001:db8:b::7", kDeniedOwnerCountry},
      {kTestPolicy, "2001:db8:de:ffff:ffff:ffff:ffff:ffff", kAllowedByDefault},
      {kTestPolicy, "2001:db8:df::", kUnknownCountry},
      {kTestPolicy, "114.114.114.114", kDeniedCountry},
      {kTestPolicy, "2400:3200::1", kDeniedCountry},
      {kTestPolicy, "119.29.29.29", kDeniedOwnerCountry},
  };
  for (const Case& one : cases) {
    const Decision decision = judge(one.toml, one.address);
    EXPECT_EQ(decision.reason, one.reason)
        << one.toml << " " << one.address << ": " << explain_en(decision);
    const bool is_allowed = one.reason == kAllowedByDefault || one.reason == kAllowedCountry ||
                            one.reason == kAllowedNetwork || one.reason == kAllowedPrivate;
    EXPECT_EQ(decision.allowed, is_allowed) << one.toml << " " << one.address;
  }
}

TEST_F(Decide, WithoutADatabaseARuleDenies) {
  const auto policy = parse_policy(kTestPolicy);
  const auto none = GeoDatabase::empty();
  EXPECT_EQ(decide(*policy, *none, address("198.51.100.7")).reason, Reason::kUnknownCountry);
  EXPECT_EQ(decide(Policy(), *none, address("198.51.100.7")).reason, Reason::kAllowedByDefault);
}

TEST_F(Decide, TheDefaultPolicyOfAValueDeniesNothing) {
  EXPECT_TRUE(decide(Policy(), *database_, address("203.0.113.7")).allowed);
  EXPECT_TRUE(decide(Policy(), *database_, address("192.0.2.200")).allowed);
}

TEST_F(Decide, MappedIpv4IsIpv4) {
  EXPECT_EQ(reason(kTestPolicy, "::ffff:203.0.113.7"), Reason::kDeniedCountry);
  EXPECT_EQ(reason(kTestPolicy, "::ffff:198.51.100.7"), Reason::kAllowedByDefault);
}

TEST_F(Decide, EmbeddedIpv4IsJudged) {
  // 6to4 and NAT64 of 203.0.113.7, 192.0.2.7 and 198.51.100.7.
  for (const char* denied : {"2002:cb00:7107::1", "64:ff9b::203.0.113.7"}) {
    const Decision decision = judge(kTestPolicy, denied);
    EXPECT_EQ(decision.reason, Reason::kDeniedCountry) << denied;
    EXPECT_EQ(decision.address, address("203.0.113.7"));
  }
  EXPECT_EQ(reason(kTestPolicy, "2002:c000:207::"), Reason::kDeniedOwnerCountry);
  EXPECT_EQ(reason(kTestPolicy, "64:ff9b::198.51.100.7"), Reason::kAllowedByDefault);
  // Teredo: server 198.51.100.7 and client 203.0.113.7, and the other way round.
  EXPECT_EQ(reason(kTestPolicy, "2001:0:c633:6407:0:0:34ff:8ef8"), Reason::kDeniedCountry);
  EXPECT_EQ(reason(kTestPolicy, "2001:0:cb00:7107:0:0:39cc:9bf8"), Reason::kDeniedCountry);
  EXPECT_EQ(reason(kTestPolicy, "2001:0:c633:6407:0:0:39cc:9bf8"), Reason::kAllowedByDefault);
}

TEST_F(Decide, ATunnelToAPrivateAddressIsNone) {
  EXPECT_EQ(reason("", "64:ff9b::10.0.0.1"), Reason::kNotUnicast);
  EXPECT_EQ(reason("", "2002:7f00:1::"), Reason::kNotUnicast);
  EXPECT_EQ(reason("", "2002:e000:1::"), Reason::kNotUnicast);
}

TEST_F(Decide, ABlockOfTunnelsCanBeDeniedButNotAllowedBlindly) {
  EXPECT_EQ(reason("addresses.deny = [\"2002::/16\"]", "2002:c633:6407::"), Reason::kDeniedNetwork);
  EXPECT_EQ(reason("location.deny = [\"CN\"]\naddresses.allow = [\"64:ff9b::/96\"]",
                   "64:ff9b::203.0.113.7"),
            Reason::kDeniedCountry);
  EXPECT_EQ(reason("location.deny = [\"CN\"]\naddresses.allow = [\"203.0.113.7\"]",
                   "64:ff9b::203.0.113.7"),
            Reason::kAllowedNetwork);
}

TEST(Classify, Boundaries) {
  using enum AddressClass;
  const std::pair<const char*, AddressClass> cases[] = {
      {"0.0.0.0", kReserved},
      {"0.255.255.255", kReserved},
      {"1.0.0.0", kGlobal},
      {"9.255.255.255", kGlobal},
      {"10.0.0.0", kPrivate},
      {"10.255.255.255", kPrivate},
      {"11.0.0.0", kGlobal},
      {"100.63.255.255", kGlobal},
      {"100.64.0.0", kPrivate},
      {"100.127.255.255", kPrivate},
      {"100.128.0.0", kGlobal},
      {"126.255.255.255", kGlobal},
      {"127.0.0.0", kLoopback},
      {"127.255.255.255", kLoopback},
      {"128.0.0.0", kGlobal},
      {"169.253.255.255", kGlobal},
      {"169.254.0.0", kLinkLocal},
      {"169.254.255.255", kLinkLocal},
      {"169.255.0.0", kGlobal},
      {"172.15.255.255", kGlobal},
      {"172.16.0.0", kPrivate},
      {"172.31.255.255", kPrivate},
      {"172.32.0.0", kGlobal},
      {"192.0.0.1", kReserved},
      {"192.0.1.0", kGlobal},
      {"192.0.2.1", kGlobal},
      {"192.167.255.255", kGlobal},
      {"192.168.0.0", kPrivate},
      {"192.169.0.0", kGlobal},
      {"198.17.255.255", kGlobal},
      {"198.18.0.0", kReserved},
      {"198.19.255.255", kReserved},
      {"198.20.0.0", kGlobal},
      {"198.51.100.1", kGlobal},
      {"203.0.113.1", kGlobal},
      {"223.255.255.255", kGlobal},
      {"224.0.0.0", kMulticast},
      {"239.255.255.255", kMulticast},
      {"240.0.0.0", kReserved},
      {"255.255.255.255", kReserved},
      {"::", kReserved},
      {"::1", kLoopback},
      {"::2", kReserved},
      {"::198.51.100.7", kReserved},
      {"64:ff9b::1.2.3.4", kGlobal},
      {"64:ff9b:1::1", kReserved},
      {"100::1", kReserved},
      {"1fff:ffff::", kReserved},
      {"2000::", kGlobal},
      {"2001::1", kGlobal},
      {"2001:2::1", kReserved},
      {"2001:2:1::1", kGlobal},
      {"2001:10::1", kReserved},
      {"2001:1f:ffff::", kReserved},
      {"2001:20::1", kReserved},
      {"2001:2f:ffff::", kReserved},
      {"2001:30::", kGlobal},
      {"2001:db8::1", kGlobal},
      {"2002::1", kGlobal},
      {"3ffe::1", kReserved},
      {"3fff::1", kGlobal},
      {"3fff:ffff::", kGlobal},
      {"4000::", kReserved},
      {"fbff:ffff::", kReserved},
      {"fc00::", kPrivate},
      {"fdff:ffff::", kPrivate},
      {"fe00::", kReserved},
      {"fe80::", kLinkLocal},
      {"febf:ffff::", kLinkLocal},
      {"fec0::", kReserved},
      {"ff00::", kMulticast},
      {"ff02::1", kMulticast},
      {"::ffff:10.0.0.1", kPrivate},
      {"::ffff:127.0.0.1", kLoopback},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(classify(address(text)), expected) << text;
}

TEST_F(Decide, ExplainsInWords) {
  const Decision denied = judge(kTestPolicy, "192.0.2.7");
  EXPECT_THAT(explain_en(denied),
              testing::MatchesRegex(
                  "192\\.0\\.2\\.7 is denied: it is in Germany, but its network AS64511 "
                  "\\(Example Global Backbone\\) belongs to a company in China, and owner\\.deny "
                  "names CN\\. Database test\\.mmdb of 2026-06-17 \\([0-9a-f]{12}…\\)\\."));
  EXPECT_THAT(explain_fr(denied), HasSubstr("192.0.2.7 est refusée : elle se trouve en Allemagne"));
  EXPECT_THAT(explain_fr(denied), HasSubstr("établie en Chine, et owner.deny nomme CN."));
  EXPECT_THAT(explain_fr(denied), HasSubstr("Base test.mmdb du 2026-06-17"));
  EXPECT_THAT(explain_en(judge("location.allow = [\"US\"]", "198.51.100.7")),
              HasSubstr("it is in Germany, and location.allow does not name DE"));
  EXPECT_THAT(explain_en(judge("", "192.0.2.200")), HasSubstr("anycast"));
  EXPECT_THAT(explain_en(judge("owner.allow = [\"DE\"]", "192.0.2.200")),
              HasSubstr("belongs to a company in the United States"));
  EXPECT_THAT(explain_fr(judge("owner.allow = [\"DE\"]", "192.0.2.200")),
              HasSubstr("établie aux États-Unis"));
  const auto none = GeoDatabase::empty();
  EXPECT_THAT(explain_en(decide(Policy(), *none, address("192.0.2.7"))),
              HasSubstr("No database is in use."));
}

TEST(Explain, EveryReasonHasWordsInBothLanguages) {
  for (int i = 0; i <= static_cast<int>(Reason::kNotAnAddress); ++i) {
    Decision decision{.reason = static_cast<Reason>(i), .address = address("198.51.100.7")};
    for (int kind = 0; kind <= static_cast<int>(AddressClass::kReserved); ++kind) {
      decision.address_class = static_cast<AddressClass>(kind);
      EXPECT_THAT(explain_en(decision), testing::Not(HasSubstr(": ."))) << i;
      EXPECT_THAT(explain_fr(decision), testing::Not(HasSubstr(": ."))) << i;
    }
  }
}

TEST_F(Decide, Offer) {
  const auto policy = parse_policy("[offer]\ndeny = [\"CN\"]\nwarn = [\"DE\"]\n");
  const auto offer = [&](std::string_view text) {
    return decide_offer(*policy, *database_, address(text));
  };
  EXPECT_EQ(offer("203.0.113.7"), OfferDecision::kDenied);
  EXPECT_EQ(offer("2001:db8:c::7"), OfferDecision::kDenied);
  EXPECT_EQ(offer("198.51.100.7"), OfferDecision::kWarned);
  EXPECT_EQ(offer("8.8.8.8"), OfferDecision::kOffered);
  EXPECT_EQ(offer("10.0.0.1"), OfferDecision::kOffered);
  EXPECT_EQ(offer("::1"), OfferDecision::kOffered);
  EXPECT_EQ(offer("2002:cb00:7107::1"), OfferDecision::kDenied);
  EXPECT_EQ(offer("2001:0:c633:6407:0:0:34ff:8ef8"), OfferDecision::kDenied);
  EXPECT_EQ(offer("2001:0:cb00:7107:0:0:39cc:9bf8"), OfferDecision::kWarned);
  EXPECT_EQ(decide_offer(Policy(), *database_, address("203.0.113.7")), OfferDecision::kOffered);
}

}  // namespace
}  // namespace alcove::policy
