// Databases from anybody: lookups end, and give names that may be shown.

#include <cstdlib>

#include "base/text.h"
#include "policy/geo_database.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const auto database = policy::GeoDatabase::parse("fuzz", base::to_buffer({data, size}));
  if (!database) {
    require(!database.error().message.empty());
    return 0;
  }
  const std::string& date = (*database)->id().date;
  require(date.empty() || date.size() == 10);
  for (const char* text : {"0.0.0.0", "1.2.3.4", "198.51.100.7", "192.0.2.200", "255.255.255.255",
                           "2001:db8:de::1", "2002:cb00:7101::", "ffff::"}) {
    const policy::GeoRecord record = (*database)->find(*base::IpAddress::parse(text));
    require(record.owner.size() <= 256 && base::is_utf8(record.owner));
    for (const char c : record.owner) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  return 0;
}
