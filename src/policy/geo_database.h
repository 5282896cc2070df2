#pragma once
// Which country and which network an address belongs to, by an offline database (.mmdb). Lookups
// from any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "policy/country.h"

namespace alcove::policy {

// What is known of an address; each part may be missing.
struct GeoRecord {
  Country country;        // where it is said to be
  std::uint32_t asn = 0;  // the network that announces it; 0: not known
  std::string owner;      // the network's name; at most 256 bytes, UTF-8, no control characters
  Country owner_country;  // where the network's owner is registered
  bool anycast = false;   // said to be announced from many places: its country means nothing
};

// One .mmdb file or several: the first that knows a part gives it. Reads the fields of our own
// converter (country.iso_code, autonomous_system_number, autonomous_system_organization,
// owner_country, is_anycast), and those of GeoLite2 and of the npm tables (country_code).
class GeoDatabase {
 public:
  struct Id {
    std::string name;               // the files' names, without folders
    std::string date;               // YYYY-MM-DD of the newest build epoch
    crypto::Sha256Digest sha256{};  // of the file; of several: of their hashes in order
  };
  // kNotFound, kInvalidArgument; the message names the file.
  static base::Result<std::unique_ptr<GeoDatabase>> open(const std::vector<std::string>& paths);
  // The same of one file's bytes.
  static base::Result<std::unique_ptr<GeoDatabase>> parse(std::string name, base::Buffer file);
  // Knows nothing.
  static std::unique_ptr<GeoDatabase> empty();
  ~GeoDatabase();

  const Id& id() const;
  bool is_empty() const;
  GeoRecord find(const base::IpAddress& address) const;

 private:
  class Implementation;
  explicit GeoDatabase(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::policy
