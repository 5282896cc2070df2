#include "support/test_geo.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace alcove::test {
namespace {

constexpr std::int64_t kBuilt = 1'781'654'400;  // 2026-06-17

std::string read(const std::string& name) {
  std::ifstream stream(std::string(ALCOVE_TEST_GEO) + "/" + name, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  CHECK(!text.empty());
  return text;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const base::Buffer& bytes) {
    std::string pattern = (std::filesystem::temp_directory_path() / "alcove-geo-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    path_ = folder_ + "/test.mmdb";
    std::ofstream stream(path_, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    CHECK(stream.good());
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace

policy::GeoTables read_test_tables() {
  policy::GeoTables tables;
  for (const char* family : {"-ipv4.csv", "-ipv6.csv"}) {
    CHECK(tables.locations.add(read(std::string("geo-whois-asn-country") + family)));
    CHECK(tables.networks.add(read(std::string("asn") + family)));
    CHECK(tables.registrations.add(read(std::string("asn-country") + family)));
  }
  auto anycast = policy::parse_network_list(read("anycast.csv"));
  CHECK(anycast);
  tables.anycast = std::move(*anycast);
  return tables;
}

base::Buffer make_test_mmdb() {
  auto file = policy::write_mmdb(policy::merge_tables(read_test_tables()),
                                 {.text = "A small world for tests", .build_epoch = kBuilt});
  CHECK(file);
  return std::move(*file);
}

std::unique_ptr<policy::GeoDatabase> open_test_geo() {
  auto database = policy::GeoDatabase::parse("test.mmdb", make_test_mmdb());
  CHECK(database);
  return std::move(*database);
}

const std::string& build_test_geo() {
  static const TemporaryFile file(make_test_mmdb());
  return file.path();
}

policy::Policy test_policy() {
  auto policy = policy::parse_policy(
      "unknown = \"deny\"\n[location]\ndeny = [\"CN\"]\n[owner]\ndeny = [\"CN\"]\n");
  CHECK(policy);
  return std::move(*policy);
}

}  // namespace alcove::test
