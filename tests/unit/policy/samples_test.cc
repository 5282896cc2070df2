// The files that are shipped for operators to begin with.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "policy/geo_tables.h"
#include "policy/policy.h"

namespace alcove::policy {
namespace {

std::string read(const std::string& name) {
  std::ifstream stream(std::string(ALCOVE_SAMPLES) + "/" + name, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// "#key = …" is an example; "# Words" is a comment.
bool is_example(const std::string& line) {
  return line.size() > 1 && line[0] == '#' && line[1] != ' ' && line[1] != '#';
}

TEST(Samples, ThePolicyDeniesNothingAsShipped) {
  const auto policy = parse_policy(read("policy.toml"));
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_FALSE(policy->needs_database());
  EXPECT_TRUE(policy->denied_networks.empty());
}

TEST(Samples, EveryLineOfThePolicyParsesByItself) {
  const std::vector<std::string> lines = lines_of(read("policy.toml"));
  std::string section;
  int examples = 0;
  for (const std::string& line : lines) {
    if (line.starts_with('[')) section = line;
    if (!is_example(line)) continue;
    ++examples;
    const auto policy = parse_policy(section + "\n" + line.substr(1));
    EXPECT_TRUE(policy) << line << ": " << policy.error().message;
  }
  EXPECT_EQ(examples, 16);
}

TEST(Samples, ThePolicyShowsEveryKey) {
  std::string text;
  for (const std::string& line : lines_of(read("policy.toml")))
    text += (is_example(line) ? line.substr(1) : line) + "\n";
  // A country cannot be allowed and denied, and Europe and Russia are not.
  const auto policy = parse_policy(text);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_TRUE(policy->anycast_is_written);
  for (const auto* countries :
       {&policy->allowed_countries, &policy->denied_countries, &policy->allowed_owner_countries,
        &policy->denied_owner_countries, &policy->offer.denied, &policy->offer.warned})
    EXPECT_FALSE(countries->empty());
  EXPECT_FALSE(policy->denied_asns.empty());
  EXPECT_FALSE(policy->denied_owner_names.empty());
  EXPECT_FALSE(policy->owner_country_of.empty());
  EXPECT_FALSE(policy->allowed_networks.empty());
  EXPECT_FALSE(policy->denied_networks.empty());
  EXPECT_FALSE(policy->offer.text_en.empty());
  EXPECT_FALSE(policy->offer.text_fr.empty());
}

TEST(Samples, OwnersAreASectionOfAPolicy) {
  const auto policy = parse_policy(read("geo/owners.toml"));
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->owner_country_of.at(45102).code(), "CN");
  EXPECT_EQ(policy->owner_country_of.at(132203).code(), "CN");
  EXPECT_GT(policy->owner_country_of.size(), 20U);
}

TEST(Samples, AnycastNetworks) {
  const auto list = parse_network_list(read("geo/anycast.csv"));
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_GT(list->size(), 80U);
  const auto address = base::IpAddress::parse("1.1.1.1");
  EXPECT_TRUE(std::ranges::any_of(*list, [&](const Network& n) { return n.contains(*address); }));
}

TEST(Samples, TheLockFileNamesNoRegistry) {
  const std::string lock = read("geo/package-lock.json");
  EXPECT_THAT(lock, testing::Not(testing::HasSubstr("resolved")));
  EXPECT_THAT(lock, testing::HasSubstr("sha512-"));
  EXPECT_THAT(lock, testing::HasSubstr("\"node_modules/@ip-location-db/geo-whois-asn-country\""));
}

}  // namespace
}  // namespace alcove::policy
