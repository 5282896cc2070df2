#include "policy/geo_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/geo_merge.h"
#include "support/test_geo.h"

namespace alcove::policy {
namespace {

using ::testing::HasSubstr;

AddressKey key(std::string_view text) {
  return AddressKey::of(base::IpAddress::parse(text).value());
}

template <typename Table>
std::string problem(std::string_view csv) {
  Table table;
  const auto result = table.add(csv);
  return result ? "" : result.error().message;
}

// "first-last CODE", a range a line.
std::string ranges_of(std::string_view csv) {
  CountryTable table;
  EXPECT_TRUE(table.add(csv));
  std::string text;
  for (const AddressRange& range : std::move(table).sorted())
    text += std::to_string(range.first.low) + "-" + std::to_string(range.last.low) + " " +
            std::string(CountryTable::country(range.value).code()) + "\n";
  return text;
}

TEST(AddressKey, Arithmetic) {
  EXPECT_EQ(key("1.2.3.4"), (AddressKey{0, 0x01020304}));
  EXPECT_EQ(key("2001:db8::1"), (AddressKey{0x20010db800000000, 1}));
  EXPECT_EQ((AddressKey{1, UINT64_MAX}.next()), (AddressKey{2, 0}));
  EXPECT_EQ((AddressKey{2, 0}.previous()), (AddressKey{1, UINT64_MAX}));
  EXPECT_EQ((AddressKey{UINT64_MAX, UINT64_MAX}.next()), AddressKey());
  EXPECT_EQ(key("2001:db8::").last_of_block(32), key("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(key("2001:db8::").last_of_block(64), key("2001:db8::ffff:ffff:ffff:ffff"));
  EXPECT_EQ(key("2001:db8::").last_of_block(128), key("2001:db8::"));
  EXPECT_EQ(key("198.51.100.0").last_of_block(96 + 24), key("198.51.100.255"));
  EXPECT_EQ(AddressKey().last_of_block(0), (AddressKey{UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(key("8000::").bit(0), 1U);
  EXPECT_EQ(key("0.0.0.1").bit(127), 1U);
  EXPECT_EQ(AddressKey().with_bit(95), (AddressKey{0, 0x1'0000'0000}));
}

TEST(GeoTables, SortsAndKeepsExceptions) {
  EXPECT_EQ(ranges_of("0.0.0.5,0.0.0.9,DE\n0.0.0.1,0.0.0.2,FR\n"), "1-2 FR\n5-9 DE\n");
  // A hole in a block, the block's rest as a row of its own or not.
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.99,DE\n0.0.0.10,0.0.0.19,FR\n"),
            "0-9 DE\n10-19 FR\n20-99 DE\n");
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.99,DE\n0.0.0.10,0.0.0.19,FR\n0.0.0.20,0.0.0.99,DE\n"),
            "0-9 DE\n10-19 FR\n20-99 DE\n");
  // Nested at the same beginning, in either order.
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.9,FR\n0.0.0.0,0.0.0.99,DE\n"), "0-9 FR\n10-99 DE\n");
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.99,DE\n0.0.0.0,0.0.0.9,FR\n0.0.0.0,0.0.0.4,IT\n"),
            "0-4 IT\n5-9 FR\n10-99 DE\n");
  // Overlapping at an end, and the same rows twice.
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.9,DE\n0.0.0.5,0.0.0.14,FR\n"), "0-4 DE\n5-14 FR\n");
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.9,DE\n0.0.0.0,0.0.0.9,FR\n"), "0-9 FR\n");
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.4,DE\n0.0.0.5,0.0.0.9,DE\n"), "0-9 DE\n");
}

TEST(GeoTables, ToTheEndOfTheSpace) {
  CountryTable table;
  ASSERT_TRUE(
      table.add("ff00::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n"
                "fff0::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,FR\n"));
  const auto ranges = std::move(table).sorted();
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].last, key("ffef:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(ranges[1].last, (AddressKey{UINT64_MAX, UINT64_MAX}));
}

TEST(GeoTables, UnknownCountriesAreLeftOut) {
  EXPECT_EQ(ranges_of("0.0.0.0,0.0.0.9,ZZ\n0.0.0.20,0.0.0.29,\n0.0.0.30,0.0.0.39,de\r\n\n"),
            "30-39 DE\n");
}

TEST(GeoTables, QuotedNames) {
  NetworkTable table;
  ASSERT_TRUE(
      table.add("1.0.0.0,1.0.0.255,13335,\"Cloudflare, Inc.\"\n"
                "1.0.1.0,1.0.1.255,201907,\"LLC \"\"SPUTNIK\"\"\"\n"
                "1.0.2.0,1.0.2.255,64500,\n"
                "1.0.3.0,1.0.3.255,0,nobody\n"));
  ASSERT_EQ(table.networks().size(), 3U);
  EXPECT_EQ(table.networks()[0].name, "Cloudflare, Inc.");
  EXPECT_EQ(table.networks()[1].name, "LLC \"SPUTNIK\"");
  EXPECT_EQ(table.networks()[2].name, "");
}

TEST(GeoTables, NamesAreBoundedAndUtf8) {
  NetworkTable table;
  const std::string name = std::string(255, 'a') + "é";
  ASSERT_TRUE(table.add("1.0.0.0,1.0.0.255,1," + name + "\n1.0.1.0,1.0.1.255,2,a\xffz\n"));
  EXPECT_EQ(table.networks()[0].name, std::string(255, 'a'));
  EXPECT_EQ(table.networks()[1].name, "a?z");
}

TEST(GeoTables, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(problem<CountryTable>("0.0.0.0,0.0.0.9,DE\n0.0.0.0,x,DE\n"), HasSubstr("line 2"));
  EXPECT_THAT(problem<CountryTable>("0.0.0.9,0.0.0.0,DE"), HasSubstr("ends before"));
  EXPECT_THAT(problem<CountryTable>("0.0.0.9,2001:db8::,DE"), HasSubstr("one kind"));
  EXPECT_THAT(problem<CountryTable>("::1:1,::1:2,DE"), HasSubstr("::/96"));
  EXPECT_THAT(problem<CountryTable>("0.0.0.0,0.0.0.9"), HasSubstr("country"));
  EXPECT_THAT(problem<CountryTable>("0.0.0.0,0.0.0.9,DEU"), HasSubstr("two letters"));
  EXPECT_THAT(problem<CountryTable>("0.0.0.0,0.0.0.9,\"DE"), HasSubstr("comma-separated"));
  EXPECT_THAT(problem<CountryTable>("0.0.0.0,0.0.0.9,\"D\"E"), HasSubstr("comma-separated"));
  EXPECT_THAT(problem<CountryTable>(std::string(20, ',')), HasSubstr("comma-separated"));
  EXPECT_THAT(problem<CountryTable>(std::string(5000, 'x')), HasSubstr("4096"));
  EXPECT_THAT(problem<NetworkTable>("0.0.0.0,0.0.0.9,AS1,x"), HasSubstr("number"));
  EXPECT_THAT(problem<NetworkTable>("0.0.0.0,0.0.0.9,4294967296,x"), HasSubstr("number"));
  EXPECT_THAT(problem<NetworkTable>("0.0.0.0,0.0.0.9,1"), HasSubstr("name"));
}

TEST(GeoTables, NetworkList) {
  const auto list = parse_network_list(
      "# a, b, c, d, e, f, g, h, i and \"\n1.1.1.0/24,\"Cloudflare, Inc.\"\n\n2606:4700::/32\n");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[1].text(), "2606:4700::/32");
  EXPECT_FALSE(parse_network_list("1.1.1.1/24"));
}

class OwnerCountry : public ::testing::Test {
 protected:
  std::string of(std::string_view networks, std::string_view registrations) {
    GeoTables tables;
    EXPECT_TRUE(tables.networks.add(networks));
    EXPECT_TRUE(tables.registrations.add(registrations));
    const MergedTables merged = merge_tables(std::move(tables));
    EXPECT_FALSE(merged.records.empty());
    return merged.records.empty() ? "" : std::string(merged.records[0].owner_country.code());
  }
};

TEST_F(OwnerCountry, IsThatOfTheGreatestPart) {
  EXPECT_EQ(of("1.0.0.0,1.0.0.255,1,x", "1.0.0.0,1.0.0.99,DE\n1.0.0.100,1.0.0.255,FR\n"), "FR");
  EXPECT_EQ(of("1.0.0.0,1.0.0.255,1,x\n2.0.0.0,2.0.3.255,1,x",
               "1.0.0.0,1.0.0.255,DE\n2.0.0.0,2.0.3.255,FR\n"),
            "FR");
  EXPECT_EQ(of("1.0.0.0,1.0.0.255,1,x", "2.0.0.0,2.0.0.99,DE\n"), "");
  // As much of each: the first by its code, always the same.
  EXPECT_EQ(of("1.0.0.0,1.0.0.255,1,x", "1.0.0.0,1.0.0.127,FR\n1.0.0.128,1.0.0.255,DE\n"), "DE");
}

TEST_F(OwnerCountry, GoesByIpv4WhereThereIsAny) {
  constexpr std::string_view kRegistered =
      "1.0.0.0,1.0.0.255,DE\n2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,FR\n";
  EXPECT_EQ(
      of("1.0.0.0,1.0.0.0,1,x\n2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,1,x", kRegistered),
      "DE");
  EXPECT_EQ(of("2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,1,x", kRegistered), "FR");
}

TEST_F(OwnerCountry, ARegionIsNoCountryWhereThereIsOne) {
  EXPECT_EQ(of("1.0.0.0,1.0.0.255,1,x", "1.0.0.0,1.0.0.249,EU\n1.0.0.250,1.0.0.255,FR\n"), "FR");
  EXPECT_EQ(of("1.0.0.0,1.0.0.255,1,x", "1.0.0.0,1.0.0.249,EU\n"), "EU");
}

}  // namespace
}  // namespace alcove::policy
