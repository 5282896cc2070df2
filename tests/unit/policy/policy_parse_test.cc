#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/policy.h"

namespace alcove::policy {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Country country(std::string_view code) { return Country::parse(code).value(); }

base::IpAddress address(std::string_view text) { return base::IpAddress::parse(text).value(); }

std::string problem(std::string_view toml) {
  const auto policy = parse_policy(toml);
  return policy ? "" : policy.error().message;
}

TEST(PolicyParse, AnEmptyFileIsTheDefault) {
  const auto policy = parse_policy("");
  ASSERT_TRUE(policy);
  EXPECT_FALSE(policy->needs_database());
  EXPECT_EQ(policy->unknown, Policy::Treatment::kDeny);
  EXPECT_EQ(policy->anycast, Policy::Treatment::kDeny);
  EXPECT_FALSE(policy->denies_anycast());
  EXPECT_EQ(policy->private_addresses, Policy::Treatment::kAllow);
}

TEST(PolicyParse, EveryKey) {
  const std::string text = R"(
unknown = "allow"
anycast = "allow"
private = "deny"
[location]
allow = ["de", "FR"]
deny = ["CN"]
[owner]
allow = ["US"]
deny = ["CN", "RU"]
deny_asn = [64510, "AS64511", "64512"]
deny_name = ["Example Cloud", "Backbone"]
country_of = { "45102" = "CN", "AS132203" = "CN" }
[addresses]
allow = ["198.51.100.7"]
deny = ["203.0.113.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120"]
[offer]
deny = ["KP"]
warn = ["CN"]
text_en = "Not here."
text_fr = "Pas ici."
)";
  const auto policy = parse_policy(text);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->unknown, Policy::Treatment::kAllow);
  EXPECT_EQ(policy->anycast, Policy::Treatment::kAllow);
  EXPECT_EQ(policy->private_addresses, Policy::Treatment::kDeny);
  EXPECT_EQ(policy->allowed_countries, (std::set{country("DE"), country("FR")}));
  EXPECT_EQ(policy->denied_countries, std::set{country("CN")});
  EXPECT_EQ(policy->allowed_owner_countries, std::set{country("US")});
  EXPECT_EQ(policy->denied_owner_countries, (std::set{country("CN"), country("RU")}));
  EXPECT_EQ(policy->denied_asns, (std::set<std::uint32_t>{64510, 64511, 64512}));
  EXPECT_EQ(policy->denied_owner_names, (std::vector<std::string>{"Example Cloud", "Backbone"}));
  EXPECT_EQ(policy->owner_country_of,
            (std::map<std::uint32_t, Country>{{45102, country("CN")}, {132203, country("CN")}}));
  ASSERT_EQ(policy->allowed_networks.size(), 1U);
  EXPECT_EQ(policy->allowed_networks[0].text(), "198.51.100.7/32");
  ASSERT_EQ(policy->denied_networks.size(), 3U);
  EXPECT_EQ(policy->denied_networks[1].text(), "2001:db8::/32");
  EXPECT_EQ(policy->denied_networks[2].text(), "192.0.2.0/24");
  EXPECT_EQ(policy->offer.denied, std::set{country("KP")});
  EXPECT_EQ(policy->offer.warned, std::set{country("CN")});
  EXPECT_EQ(policy->offer.text_en, "Not here.");
  EXPECT_EQ(policy->offer.text_fr, "Pas ici.");
  EXPECT_EQ(policy->text, text);
  EXPECT_TRUE(policy->needs_location());
  EXPECT_TRUE(policy->needs_owner());
  EXPECT_TRUE(policy->needs_database());
}

TEST(PolicyParse, EuropeanUnionStandsForItsMemberStates) {
  const auto policy = parse_policy("location.allow = [\"EU\", \"CH\"]");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->allowed_countries.size(), 27U + 2U);
  EXPECT_TRUE(policy->allowed_countries.contains(country("IE")));
  EXPECT_TRUE(policy->allowed_countries.contains(country("EU")));
  EXPECT_FALSE(policy->allowed_countries.contains(country("GB")));
}

TEST(PolicyParse, WhatNeedsADatabase) {
  const auto needs = [](std::string_view toml) {
    const auto policy = parse_policy(toml);
    EXPECT_TRUE(policy) << policy.error().message;
    return policy && policy->needs_database();
  };
  EXPECT_TRUE(needs("location.deny = [\"CN\"]"));
  EXPECT_TRUE(needs("owner.deny_asn = [64500]"));
  EXPECT_TRUE(needs("owner.deny_name = [\"x\"]"));
  EXPECT_TRUE(needs("offer.warn = [\"CN\"]"));
  EXPECT_TRUE(needs("anycast = \"deny\""));
  EXPECT_FALSE(needs("anycast = \"allow\""));
  EXPECT_FALSE(needs("unknown = \"deny\""));
  EXPECT_FALSE(needs("addresses.deny = [\"203.0.113.0/24\"]"));
  EXPECT_FALSE(needs("owner.country_of = { \"64500\" = \"DE\" }"));
}

TEST(PolicyParse, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(problem("\n[location]\ndenny = [\"CN\"]"),
              AllOf(StartsWith("line 3: "), HasSubstr("location.denny"), HasSubstr("allow, deny")));
  EXPECT_THAT(problem("[locations]\n"), AllOf(StartsWith("line 1: "), HasSubstr("locations")));
  EXPECT_THAT(problem("[location]\ndeny = [\n\"DE\",\n\"China\"]"),
              AllOf(StartsWith("line 4: "), HasSubstr("China is CN")));
  EXPECT_THAT(problem("location.deny = [\"UK\"]"), HasSubstr("GB"));
  EXPECT_THAT(problem("location.deny = [\"ZZ\"]"), HasSubstr("\"ZZ\" is not a country"));
  EXPECT_THAT(problem("location.deny = [1]"), HasSubstr("list of countries"));
  EXPECT_THAT(problem("location.deny = 1"), HasSubstr("list of countries"));
  EXPECT_THAT(problem("location = \"CN\""), HasSubstr("[location]"));
  EXPECT_THAT(problem("unknown = \"denied\""), HasSubstr("\"allow\" or \"deny\""));
  EXPECT_THAT(problem("unknown = true"), HasSubstr("\"allow\" or \"deny\""));
  EXPECT_THAT(problem("owner.deny_asn = [0]"), HasSubstr("network numbers"));
  EXPECT_THAT(problem("owner.deny_asn = [4294967296]"), HasSubstr("network numbers"));
  EXPECT_THAT(problem("owner.deny_asn = [-1]"), HasSubstr("network numbers"));
  EXPECT_THAT(problem("owner.deny_asn = [\"AS\"]"), HasSubstr("network numbers"));
  EXPECT_THAT(problem("owner.deny_name = [\"\"]"), HasSubstr("part of a name"));
  EXPECT_THAT(problem("owner.deny_name = [\" \"]"), HasSubstr("part of a name"));
  EXPECT_THAT(problem("owner.country_of = { x = \"DE\" }"), HasSubstr("network number"));
  EXPECT_THAT(problem("owner.country_of = { \"1\" = \"ZZ\" }"), HasSubstr("owner.country_of.1"));
  EXPECT_THAT(problem("owner.country_of = [\"DE\"]"), HasSubstr("table"));
  EXPECT_THAT(problem("addresses.deny = [\"198.51.100.7/24\"]"), HasSubstr("zeros"));
  EXPECT_THAT(problem("offer.text_en = \"\\u0007\""), HasSubstr("offer.text_en"));
  EXPECT_THAT(problem("location.deny = [\"CN\""), StartsWith("line 1: "));
  EXPECT_THAT(problem(std::string(300 << 10, ' ')), HasSubstr("256 KiB"));
}

TEST(PolicyParse, ACountryCannotBeAllowedAndDenied) {
  EXPECT_THAT(problem("[location]\nallow=[\"DE\"]\ndeny=[\"DE\"]"),
              HasSubstr("location.allow and location.deny both name DE"));
  EXPECT_THAT(problem("[location]\nallow=[\"EU\"]\ndeny=[\"HU\"]"), HasSubstr("both name HU"));
  EXPECT_THAT(problem("[owner]\nallow=[\"DE\"]\ndeny=[\"DE\"]"), HasSubstr("owner.allow"));
  EXPECT_THAT(problem("[offer]\nwarn=[\"DE\"]\ndeny=[\"DE\"]"), HasSubstr("offer.warn"));
}

TEST(PolicyParse, ShowsAllProblemsAtOnce) {
  const std::string text = problem("a = 1\nb = 2\nunknown = 3");
  EXPECT_THAT(text, AllOf(HasSubstr("line 1"), HasSubstr("line 2"), HasSubstr("line 3")));
}

TEST(Network, Parse) {
  EXPECT_EQ(parse_network("0.0.0.0/0")->prefix, 0U);
  EXPECT_EQ(parse_network("2001:db8::1")->text(), "2001:db8::1/128");
  EXPECT_EQ(parse_network("::/0")->text(), "::/0");
  for (const char* bad : {"", "/", "198.51.100.0/", "198.51.100.0/33", "198.51.100.0/24x",
                          "198.51.100.1/24", "2001:db8::/129", "2001:db8::1/64", "example.org/24",
                          "198.51.100.0/-1", "::ffff:198.51.100.0/95", "198.51.100.0/24/24"})
    EXPECT_FALSE(parse_network(bad)) << bad;
}

TEST(Network, Boundaries) {
  const Network network = *parse_network("198.51.100.64/27");
  EXPECT_FALSE(network.contains(address("198.51.100.63")));
  EXPECT_TRUE(network.contains(address("198.51.100.64")));
  EXPECT_TRUE(network.contains(address("198.51.100.95")));
  EXPECT_FALSE(network.contains(address("198.51.100.96")));
  EXPECT_TRUE(network.contains(address("::ffff:198.51.100.95")));
  EXPECT_FALSE(parse_network("::/0")->contains(address("198.51.100.95")));
  EXPECT_TRUE(parse_network("0.0.0.0/0")->contains(address("255.255.255.255")));
  const Network six = *parse_network("2001:db8:0:8000::/49");
  EXPECT_FALSE(six.contains(address("2001:db8:0:7fff:ffff::")));
  EXPECT_TRUE(six.contains(address("2001:db8:0:ffff::1")));
}

}  // namespace
}  // namespace alcove::policy
