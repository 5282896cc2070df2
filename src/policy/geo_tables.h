#pragma once
// Tables of address ranges as text (CSV): who is where, and which network announces what. The
// format is that of the npm packages @ip-location-db/* and of DB-IP's lite tables: first address,
// last address, value…, IPv4 and IPv6, inclusive. Any text is safe: everything is bounded. Any
// thread.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/address_key.h"
#include "policy/country.h"
#include "policy/policy.h"

namespace alcove::policy {

// Ranges that neither overlap nor touch out of order. value is what the table says it is.
struct AddressRange {
  AddressKey first;
  AddressKey last;
  std::uint32_t value = 0;
  bool operator==(const AddressRange&) const = default;
};

inline constexpr std::size_t kMaxTableRows = 10'000'000;

// first,last,country. Several texts may be added; then sorted() once.
class CountryTable {
 public:
  // The message has the line. Rows of codes that are no country (ZZ) are left out.
  base::Result<void> add(std::string_view csv);
  // Where rows overlap, the one that begins last holds, then the narrowest: tables put exceptions
  // behind the rule. value: the two letters of the code, big-endian.
  std::vector<AddressRange> sorted() &&;
  static Country country(std::uint32_t value);
  static std::uint32_t value(const Country& country);

 private:
  std::vector<AddressRange> ranges_;
};

// first,last,number,name. value: an index into networks().
class NetworkTable {
 public:
  struct Entry {
    std::uint32_t asn = 0;
    std::string name;  // at most 256 bytes
    auto operator<=>(const Entry&) const = default;
  };
  base::Result<void> add(std::string_view csv);
  const std::vector<Entry>& networks() const { return networks_; }
  std::vector<AddressRange> sorted() &&;

 private:
  std::vector<AddressRange> ranges_;
  std::vector<Entry> networks_;
  std::map<Entry, std::uint32_t, std::less<>> index_;
};

// One network a line, "#" begins a comment, what stands behind a comma is for the reader.
base::Result<std::vector<Network>> parse_network_list(std::string_view csv);

}  // namespace alcove::policy
