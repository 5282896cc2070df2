#pragma once
// Tables of ranges into one table of records, and that into a MaxMind DB file. Any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "policy/geo_database.h"
#include "policy/geo_tables.h"

namespace alcove::policy {

struct GeoTables {
  CountryTable locations;
  NetworkTable networks;
  // The country that a block was registered in. It gives the owner's: the registered country of the
  // greatest part of what a network announces, by its IPv4 addresses or, where it has none, by its
  // IPv6 networks of 64 bits. "EU" and "AP" count only where nothing else is.
  CountryTable registrations;
  std::vector<Network> anycast;
};

struct MergedTables {
  std::vector<GeoRecord> records;    // each once
  std::vector<AddressRange> ranges;  // value: the index of the record
};

MergedTables merge_tables(GeoTables&& tables);

struct MmdbDescription {
  std::string text;              // English
  std::int64_t build_epoch = 0;  // seconds
};

// File format 2.0, IPv6, the smallest record size that is enough. IPv4 stands in ::/96, to which
// ::ffff:0:0/96, 2002::/16 (6to4), 2001::/32 (Teredo's servers) and 64:ff9b::/96 (NAT64) lead as
// well. The same tables give the same bytes. The error: more data than the format can point to.
base::Result<base::Buffer> write_mmdb(const MergedTables& tables,
                                      const MmdbDescription& description);

}  // namespace alcove::policy
