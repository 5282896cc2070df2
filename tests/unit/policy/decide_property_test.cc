// What holds of every policy and every address, over thousands of generated ones.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "policy/address_class.h"
#include "policy/decide.h"
#include "policy/describe.h"
#include "support/test_geo.h"

namespace alcove::policy {
namespace {

class DecideProperty : public ::testing::Test {
 protected:
  bool coin(unsigned one_in) { return random_() % one_in == 0; }

  std::set<Country> random_countries(unsigned one_in) {
    std::set<Country> result;
    for (const char* code : {"CN", "DE", "US", "HK", "FR"})
      if (coin(one_in)) result.insert(*Country::parse(code));
    return result;
  }

  Policy random_policy() {
    Policy policy;
    if (coin(2)) policy.denied_countries = random_countries(3);
    if (coin(3)) policy.allowed_countries = random_countries(2);
    if (coin(2)) policy.denied_owner_countries = random_countries(3);
    if (coin(3)) policy.allowed_owner_countries = random_countries(2);
    if (coin(4)) policy.denied_asns = {static_cast<std::uint32_t>(64500 + random_() % 15)};
    if (coin(6)) policy.denied_owner_names = {"example"};
    if (coin(4)) policy.owner_country_of[64500 + random_() % 15] = *Country::parse("US");
    if (coin(4)) policy.denied_networks.push_back(random_network());
    if (coin(4)) policy.allowed_networks.push_back(random_network());
    if (coin(2)) policy.unknown = Policy::Treatment::kAllow;
    if (coin(2)) policy.anycast = Policy::Treatment::kAllow;
    policy.anycast_is_written = coin(4);
    if (coin(3)) policy.private_addresses = Policy::Treatment::kDeny;
    return policy;
  }

  Network random_network() {
    const base::IpAddress address = random_address();
    const unsigned bits = address.is_v4() ? 32 : 128;
    for (unsigned prefix = bits - static_cast<unsigned>(random_() % (bits - 7));; ++prefix) {
      // The block of this size around the address.
      std::array<std::uint8_t, 16> bytes{};
      for (unsigned bit = 0; bit < prefix; ++bit)
        bytes[bit / 8] |= static_cast<std::uint8_t>(address.bytes()[bit / 8] & 0x80 >> bit % 8);
      const auto start = bits == 32 ? base::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]})
                                    : base::IpAddress::v6(bytes);
      if (start.is_v4() == address.is_v4()) return {start, prefix};
    }
  }

  base::IpAddress random_v4() {
    constexpr std::array<std::array<std::uint8_t, 3>, 9> kBlocks = {{{198, 51, 100},
                                                                     {203, 0, 113},
                                                                     {192, 0, 2},
                                                                     {114, 114, 114},
                                                                     {119, 29, 29},
                                                                     {10, 0, 0},
                                                                     {127, 0, 0},
                                                                     {224, 0, 0},
                                                                     {8, 8, 8}}};
    const auto& block = kBlocks[random_() % kBlocks.size()];
    return base::IpAddress::v4(
        {block[0], block[1], block[2], static_cast<std::uint8_t>(random_())});
  }

  base::IpAddress random_address() {
    constexpr const char* kSix[] = {
        "2001:db8:de::1", "2001:db8:c::1", "2001:db8:b::1", "2001:db8:ff::1", "2400:3200::1",
        "fe80::1",        "::1",           "fd00::1",       "ff02::1"};
    if (coin(4)) return *base::IpAddress::parse(kSix[random_() % std::size(kSix)]);
    const base::IpAddress four = random_v4();
    return coin(4) ? embed(four, static_cast<unsigned>(random_() % 3)) : four;
  }

  static base::IpAddress embed(const base::IpAddress& four, unsigned kind) {
    std::array<std::uint8_t, 16> bytes{};
    const base::Bytes inside = four.bytes();
    if (kind == 0) {
      bytes[0] = 0x20, bytes[1] = 0x02;
      std::ranges::copy(inside, bytes.begin() + 2);
    } else if (kind == 1) {
      bytes[1] = 0x64, bytes[2] = 0xff, bytes[3] = 0x9b;
      std::ranges::copy(inside, bytes.begin() + 12);
    } else {
      bytes[0] = 0x20, bytes[1] = 0x01;
      std::ranges::copy(inside, bytes.begin() + 4);
      for (std::size_t i = 0; i < 4; ++i) bytes[12 + i] = inside[i] ^ 0xff;
    }
    return base::IpAddress::v6(bytes);
  }

  bool is_in(const std::vector<Network>& networks, const base::IpAddress& address) {
    return std::ranges::any_of(networks, [&](const Network& n) { return n.contains(address); });
  }

  GeoRecord record_of(const Policy& policy, const base::IpAddress& address) {
    GeoRecord record = database_->find(address);
    if (const auto better = policy.owner_country_of.find(record.asn);
        better != policy.owner_country_of.end())
      record.owner_country = better->second;
    return record;
  }

  // Asks the rules in another way than decide() does.
  void expect_justified(const Policy& policy, const base::IpAddress& one) {
    const std::string where = one.text();
    const AddressClass address_class = classify(one);
    EXPECT_NE(address_class, AddressClass::kMulticast) << where;
    EXPECT_NE(address_class, AddressClass::kReserved) << where;
    EXPECT_FALSE(is_in(policy.denied_networks, one)) << where;
    if (is_in(policy.allowed_networks, one)) return;
    if (address_class != AddressClass::kGlobal) {
      EXPECT_EQ(policy.private_addresses, Policy::Treatment::kAllow) << where;
      return;
    }
    const GeoRecord record = record_of(policy, one);
    EXPECT_FALSE(policy.denied_countries.contains(record.country)) << where;
    EXPECT_FALSE(policy.denied_asns.contains(record.asn)) << where;
    EXPECT_FALSE(policy.denied_owner_countries.contains(record.owner_country)) << where;
    EXPECT_FALSE(record.anycast && policy.denies_anycast()) << where;
    const bool strict = policy.unknown == Policy::Treatment::kDeny;
    const bool place_known = record.country.known() || record.anycast;
    const bool owner_known = record.owner_country.known();
    const bool place_named = policy.allowed_countries.empty() || record.anycast ||
                             policy.allowed_countries.contains(record.country);
    const bool owner_named = policy.allowed_owner_countries.empty() ||
                             policy.allowed_owner_countries.contains(record.owner_country);
    EXPECT_TRUE(place_named || (!strict && !place_known)) << where;
    EXPECT_TRUE(owner_named || (!strict && !owner_known)) << where;
    EXPECT_TRUE(!strict || policy.denied_countries.empty() || place_known) << where;
    EXPECT_TRUE(!strict || policy.denied_owner_countries.empty() || owner_known) << where;
  }

  std::mt19937 random_{5};
  std::unique_ptr<GeoDatabase> database_ = test::open_test_geo();
};

TEST_F(DecideProperty, NothingThatIsNamedDeniedIsAllowed) {
  int allowed = 0;
  int denied = 0;
  for (int i = 0; i < 50'000; ++i) {
    const Policy policy = random_policy();
    const base::IpAddress address = random_address();
    const Decision decision = decide(policy, *database_, address);
    (decision.allowed ? allowed : denied) += 1;
    if (!decision.allowed) continue;
    EXPECT_FALSE(is_in(policy.denied_networks, address)) << address.text();
    const EmbeddedAddresses inside = embedded_addresses(address);
    std::vector<base::IpAddress> judged(inside.begin(), inside.end());
    if (judged.empty()) judged.push_back(address);
    for (const base::IpAddress& one : judged) expect_justified(policy, one);
  }
  // The generator must reach both.
  EXPECT_GT(allowed, 5000);
  EXPECT_GT(denied, 5000);
}

TEST_F(DecideProperty, ATunnelIsNeverBetterThanWhatIsInside) {
  for (int i = 0; i < 20'000; ++i) {
    const Policy policy = random_policy();
    const base::IpAddress four = random_v4();
    const bool plain = decide(policy, *database_, four).allowed;
    for (unsigned kind = 0; kind < 3; ++kind) {
      const base::IpAddress six = embed(four, kind);
      EXPECT_TRUE(plain || !decide(policy, *database_, six).allowed) << six.text();
    }
  }
}

TEST_F(DecideProperty, MoreDenialNeverAllowsMore) {
  for (int i = 0; i < 20'000; ++i) {
    const Policy policy = random_policy();
    Policy stricter = policy;
    stricter.denied_countries.insert(*Country::parse("DE"));
    stricter.denied_owner_countries.insert(*Country::parse("US"));
    stricter.denied_networks.push_back(random_network());
    stricter.unknown = Policy::Treatment::kDeny;
    stricter.private_addresses = Policy::Treatment::kDeny;
    stricter.anycast = Policy::Treatment::kDeny;
    const base::IpAddress address = random_address();
    EXPECT_TRUE(!decide(stricter, *database_, address).allowed ||
                decide(policy, *database_, address).allowed)
        << address.text();
  }
}

TEST_F(DecideProperty, EveryDecisionAndPolicyHasWords) {
  for (int i = 0; i < 5'000; ++i) {
    const Policy policy = random_policy();
    const Decision decision = decide(policy, *database_, random_address());
    EXPECT_TRUE(explain_en(decision).contains(decision.allowed ? " is allowed: " : " is denied: "));
    EXPECT_TRUE(
        explain_fr(decision).contains(decision.allowed ? " est autorisée : " : " est refusée : "));
    EXPECT_FALSE(code_of(decision.reason).empty());
    EXPECT_EQ(describe_en(policy).size(), describe_fr(policy).size());
  }
}

TEST(Describe, SaysTheRules) {
  const auto policy = parse_policy(
      "[location]\ndeny=[\"CN\"]\n[owner]\nallow=[\"DE\",\"US\"]\ndeny_asn=[64510]\n"
      "[addresses]\nallow=[\"198.51.100.0/24\"]\n[offer]\nwarn=[\"CN\"]\n");
  ASSERT_TRUE(policy);
  EXPECT_EQ(describe_en(*policy),
            (std::vector<std::string>{
                "Allowed whatever follows: 198.51.100.0/24.",
                "Private, loopback and link-local addresses are allowed.",
                "Multicast and reserved addresses are never allowed.",
                "Anycast addresses are denied: nobody can say where packets to them end.",
                "Addresses in these countries are denied: China (CN).",
                "These networks are denied: AS64510.",
                "Only networks of companies in these countries are allowed: Germany (DE), United "
                "States (US).",
                "What the database does not know is denied.",
                "People who connect from China (CN) are warned."}));
  EXPECT_EQ(describe_fr(Policy())[2],
            "Aucune règle ne porte sur un pays ou un réseau : toutes les adresses publiques sont "
            "autorisées.");
}

TEST(Countries, Names) {
  const auto germany = Country::parse("de");
  ASSERT_TRUE(germany);
  EXPECT_EQ(germany->code(), "DE");
  EXPECT_EQ(germany->name_en(), "Germany");
  EXPECT_EQ(germany->name_fr(), "Allemagne");
  for (const char* code : {"EU", "AP", "XK"}) EXPECT_TRUE(Country::parse(code)) << code;
  for (const char* code : {"", "D", "DEU", "ZZ", "UK", "d1", "\0\0", "ÄÖ"})
    EXPECT_FALSE(Country::parse(code)) << code;
  EXPECT_FALSE(Country::parse(std::string_view("\0\0", 2)));
  EXPECT_FALSE(Country().known());
  EXPECT_EQ(Country().code(), "");
  EXPECT_EQ(Country().name_en(), "");
  EXPECT_LT(Country(), *germany);
}

}  // namespace
}  // namespace alcove::policy
