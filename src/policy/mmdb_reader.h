#pragma once
// A MaxMind DB file (file format 2.0) in memory: the search tree and the few fields that Alcove
// uses. Any input is safe: every read is bounded, maps are skipped without recursion deeper than a
// bound. (libmaxminddb 1.7 recurses without one.) Any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "policy/geo_database.h"

namespace alcove::policy {

class MmdbReader {
 public:
  struct Metadata {
    std::uint32_t node_count = 0;
    unsigned record_size = 0;  // bits: 24, 28 or 32
    unsigned ip_version = 0;   // 4 or 6
    std::uint64_t build_epoch = 0;
  };

  // file must outlive this. The error is what is wrong, in words.
  static std::expected<MmdbReader, std::string_view> parse(base::Bytes file);

  const Metadata& metadata() const { return metadata_; }
  // An empty record where the file says nothing or is damaged.
  GeoRecord find(const base::IpAddress& address) const;

 private:
  MmdbReader() = default;
  std::uint32_t record(std::uint32_t node, unsigned bit) const;
  // Where the address's data begins in data_.
  std::optional<std::size_t> find_data(const base::IpAddress& address) const;
  std::uint32_t walk(std::uint32_t node, base::Bytes address) const;

  Metadata metadata_;
  base::Bytes tree_;
  base::Bytes data_;
  std::uint32_t ipv4_start_ = 0;  // the record of ::/96 in a file of IPv6
};

}  // namespace alcove::policy
