// Tables from anybody: whatever parses becomes sorted ranges, and those a database that says the
// same. The first byte splits the input into a table of countries and one of networks.

#include <cstdlib>

#include "policy/geo_merge.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

alcove::base::IpAddress address_of(const alcove::policy::AddressKey& key) {
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(key.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(key.low >> (56 - 8 * i));
  }
  if (key.is_v4()) return alcove::base::IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  return alcove::base::IpAddress::v6(bytes);
}

// 6to4, Teredo, NAT64 and mapped addresses lead to IPv4 instead.
bool is_alias(const alcove::policy::AddressKey& key) {
  return key.high >> 48 == 0x2002 || key.high >> 32 == 0x2001'0000 ||
         (key.high == 0x0064'ff9b'0000'0000 && key.low >> 32 == 0) ||
         (key.high == 0 && key.low >> 32 == 0xffff);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  if (size == 0) return 0;
  const std::string_view text = base::as_text({data + 1, size - 1});
  const std::size_t half = text.size() * data[0] / 255;
  policy::GeoTables tables;
  const auto locations = tables.locations.add(text.substr(0, half));
  const auto networks = tables.networks.add(text.substr(half));
  require(locations || !locations.error().message.empty());
  require(networks || !networks.error().message.empty());
  tables.registrations = tables.locations;
  if (const auto list = policy::parse_network_list(text)) tables.anycast = *list;

  const policy::MergedTables merged = policy::merge_tables(std::move(tables));
  for (std::size_t i = 0; i < merged.ranges.size(); ++i) {
    require(merged.ranges[i].first <= merged.ranges[i].last);
    require(i == 0 || merged.ranges[i - 1].last < merged.ranges[i].first);
    require(merged.ranges[i].value < merged.records.size());
  }
  auto file = policy::write_mmdb(merged, {.text = "fuzz"});
  require(file.has_value());
  const auto database = policy::GeoDatabase::parse("fuzz", std::move(*file));
  require(database.has_value());
  for (const policy::AddressRange& range : merged.ranges) {
    const policy::GeoRecord& record = merged.records[range.value];
    for (const policy::AddressKey& key : {range.first, range.last}) {
      if (is_alias(key)) continue;
      const policy::GeoRecord found = (*database)->find(address_of(key));
      require(found.country == record.country && found.asn == record.asn);
      require(found.owner_country == record.owner_country && found.anycast == record.anycast);
    }
  }
  return 0;
}
