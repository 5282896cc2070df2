#include "policy/geo_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <maxminddb.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/text.h"
#include "policy/geo_merge.h"
#include "support/test_geo.h"

namespace alcove::policy {
namespace {

using ::testing::HasSubstr;

base::IpAddress address(std::string_view text) { return base::IpAddress::parse(text).value(); }

std::string describe(const GeoRecord& record) {
  return std::string(record.country.code()) + " " + std::to_string(record.asn) + " " +
         record.owner + " " + std::string(record.owner_country.code()) +
         (record.anycast ? " anycast" : "");
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "alcove-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string write(const std::string& name, base::Bytes bytes) const {
    const std::string path = path_ + "/" + name;
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(GeoDatabase, TheSmallWorld) {
  const auto database = GeoDatabase::open({test::build_test_geo()});
  ASSERT_TRUE(database) << database.error().message;
  const auto find = [&](std::string_view text) {
    return describe((*database)->find(address(text)));
  };
  EXPECT_EQ(find("198.51.100.0"), "DE 64500 Alcove Example GmbH DE");
  EXPECT_EQ(find("198.51.100.255"), "DE 64500 Alcove Example GmbH DE");
  EXPECT_EQ(find("198.51.99.255"), " 0  ");
  EXPECT_EQ(find("203.0.113.1"), "CN 64510 Example Cloud Beijing CN");
  EXPECT_EQ(find("192.0.2.127"), "DE 64511 Example Global Backbone CN");
  EXPECT_EQ(find("192.0.2.128"), "DE 64512 Example Anycast US anycast");
  EXPECT_EQ(find("2001:db8:de::1"), "DE 64500 Alcove Example GmbH DE");
  EXPECT_EQ(find("2001:db8:c::1"), "CN 64510 Example Cloud Beijing CN");
  EXPECT_EQ(find("2001:db8:b::1"), "DE 64511 Example Global Backbone CN");
  EXPECT_EQ(find("223.5.5.5"), "CN 45102 Alibaba (US) Technology Co., Ltd. CN");
  EXPECT_EQ(find("2001:db8::1"), " 0  ");
}

TEST(GeoDatabase, TunnelsLeadToTheIpv4AddressInside) {
  const auto database = test::open_test_geo();
  for (const char* text : {"2002:cb00:7101::1", "64:ff9b::203.0.113.1", "2001:0:cb00:7101::1"})
    EXPECT_EQ(describe(database->find(address(text))), "CN 64510 Example Cloud Beijing CN") << text;
}

TEST(GeoDatabase, Identity) {
  const base::Buffer bytes = test::make_test_mmdb();
  const auto database = GeoDatabase::open({test::build_test_geo()});
  ASSERT_TRUE(database);
  EXPECT_EQ((*database)->id().name, "test.mmdb");
  EXPECT_EQ((*database)->id().date, "2026-06-17");
  EXPECT_EQ((*database)->id().sha256, crypto::sha256(bytes));
  EXPECT_FALSE((*database)->is_empty());
  EXPECT_EQ(bytes, test::make_test_mmdb()) << "the same tables must give the same bytes";
  EXPECT_TRUE(GeoDatabase::empty()->is_empty());
  EXPECT_EQ(GeoDatabase::empty()->id().name, "");
}

// An .mmdb of two tables.
base::Buffer make(std::string_view locations, std::string_view networks, std::int64_t epoch) {
  GeoTables tables;
  EXPECT_TRUE(tables.locations.add(locations));
  EXPECT_TRUE(tables.networks.add(networks));
  return write_mmdb(merge_tables(std::move(tables)), {.text = "x", .build_epoch = epoch}).value();
}

TEST(GeoDatabase, OfSeveralTheFirstThatKnowsAPartGivesIt) {
  const TemporaryFolder folder;
  const base::Buffer first = make("1.0.0.0,1.0.0.255,DE", "", 0);
  const base::Buffer second = make("1.0.0.0,1.0.1.255,FR", "1.0.0.0,1.0.1.255,7,seven", 86'400);
  const auto database =
      GeoDatabase::open({folder.write("a.mmdb", first), folder.write("b.mmdb", second)});
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(describe((*database)->find(address("1.0.0.1"))), "DE 7 seven ");
  EXPECT_EQ(describe((*database)->find(address("1.0.1.1"))), "FR 7 seven ");
  EXPECT_EQ((*database)->id().name, "a.mmdb, b.mmdb");
  EXPECT_EQ((*database)->id().date, "1970-01-02");
  base::Buffer hashes;
  for (const base::Buffer* file : {&first, &second})
    for (const std::uint8_t byte : crypto::sha256(*file)) hashes.push_back(byte);
  EXPECT_EQ((*database)->id().sha256, crypto::sha256(hashes));
}

TEST(GeoDatabase, WhatCannotBeOpened) {
  const TemporaryFolder folder;
  const auto problem = [](const std::string& path) {
    const auto database = GeoDatabase::open({path});
    return database ? base::Error{.message = ""} : database.error();
  };
  EXPECT_EQ(problem(folder.path() + "/none.mmdb").code, base::ErrorCode::kNotFound);
  EXPECT_THAT(problem(folder.path() + "/none.mmdb").message, HasSubstr("none.mmdb"));
  EXPECT_EQ(problem(folder.path()).code, base::ErrorCode::kNotFound);
  const std::string text = folder.write("text.mmdb", base::as_bytes("hello"));
  EXPECT_EQ(problem(text).code, base::ErrorCode::kInvalidArgument);
  EXPECT_THAT(problem(text).message, HasSubstr("text.mmdb"));
}

// A value of the data section, for hostile files.
base::Buffer file_of(base::Bytes data, base::Bytes metadata, std::size_t tree_bytes = 6) {
  base::Buffer file;
  // One node of 24 bits: both halves lead to the beginning of the data.
  const std::uint8_t node[] = {0, 0, 17, 0, 0, 17};
  for (std::size_t i = 0; i < tree_bytes; ++i) file.push_back(node[i % 6]);
  file.resize(file.size() + 16);
  file.insert(file.end(), data.begin(), data.end());
  constexpr std::string_view kMarker = "\xab\xcd\xefMaxMind.com";
  file.insert(file.end(), kMarker.begin(), kMarker.end());
  file.insert(file.end(), metadata.begin(), metadata.end());
  return file;
}

base::Buffer metadata_of(std::uint32_t nodes, std::uint16_t bits, std::uint16_t version) {
  base::Buffer out = {0xe4};
  const auto text = [&](std::string_view key) {
    out.push_back(static_cast<std::uint8_t>(0x40 | std::min<std::size_t>(key.size(), 29)));
    if (key.size() >= 29) out.push_back(static_cast<std::uint8_t>(key.size() - 29));
    out.insert(out.end(), key.begin(), key.end());
  };
  text("node_count");
  out.push_back(0xc4);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(nodes >> shift));
  const auto small = [&](std::string_view key, std::uint16_t value) {
    text(key);
    out.insert(out.end(),
               {0xa2, static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
  };
  small("record_size", bits);
  small("ip_version", version);
  small("binary_format_major_version", 2);
  return out;
}

TEST(GeoDatabase, TreesThatDoNotFitAreRefused) {
  const base::Buffer data = {0xe0};
  const auto parse = [&](std::uint32_t nodes, std::uint16_t bits, std::uint16_t version) {
    return GeoDatabase::parse("x", file_of(data, metadata_of(nodes, bits, version))).has_value();
  };
  EXPECT_TRUE(parse(1, 24, 4));
  EXPECT_TRUE(parse(1, 24, 6));
  EXPECT_FALSE(parse(0, 24, 6));
  EXPECT_FALSE(parse(100, 24, 6));
  EXPECT_FALSE(parse(1, 25, 6));
  EXPECT_FALSE(parse(1, 24, 5));
  // 2^29 + 1 nodes of 8 bytes are 8 bytes when they are counted in 32 bits.
  EXPECT_FALSE(parse((1U << 29) + 1, 32, 6));
  EXPECT_FALSE(parse(UINT32_MAX, 32, 6));
}

TEST(GeoDatabase, DamagedDataSaysNothing) {
  const auto find = [](const base::Buffer& data) {
    const auto database = GeoDatabase::parse("x", file_of(data, metadata_of(1, 24, 4)));
    EXPECT_TRUE(database);
    return describe((*database)->find(address("1.2.3.4")));
  };
  const std::string nothing = " 0  ";
  EXPECT_EQ(find({}), nothing);
  EXPECT_EQ(find({0xe1}), nothing);                          // a map without its entry
  EXPECT_EQ(find({0xff, 0xff, 0xff, 0xff}), nothing);        // a map of 16 million entries
  EXPECT_EQ(find({0x20, 0x00}), nothing);                    // a pointer to itself
  EXPECT_EQ(find({0x20, 0x02, 0x20, 0x00}), nothing);        // two that point at each other
  EXPECT_EQ(find({0x38, 0xff, 0xff, 0xff, 0xff}), nothing);  // one to nowhere
  EXPECT_EQ(find({0x00, 0x00}), nothing);                    // no such type
  EXPECT_EQ(find({0x5f, 0xff, 0xff, 0xff}), nothing);        // a text beyond the file
  base::Buffer good = {0xe1, 0x4c};
  for (const char c : std::string_view("country_code"))
    good.push_back(static_cast<std::uint8_t>(c));
  good.insert(good.end(), {0x42, 'D', 'E'});
  EXPECT_EQ(find(good), "DE 0  ");
  // Lists in lists, deeper than any stack.
  base::Buffer deep = {0xe1, 0x41, 'x'};
  for (int i = 0; i < 1'000'000; ++i) deep.insert(deep.end(), {0x01, 0x04});
  EXPECT_EQ(find(deep), nothing);
  // A list of many lists: bounded work.
  base::Buffer wide = {0xe1, 0x41, 'x', 0x1f, 0x04, 0xff, 0xff, 0xff};
  wide.resize(wide.size() + 10'000'000, 0xe0);
  EXPECT_EQ(find(wide), nothing);
}

TEST(GeoDatabase, NamesAreMadeHarmless) {
  const auto owner = [](std::string_view name) {
    base::Buffer data = {0xe1, 0x47};
    for (const char c : std::string_view("as_name")) data.push_back(static_cast<std::uint8_t>(c));
    data.insert(data.end(), {0x5e, static_cast<std::uint8_t>((name.size() - 285) >> 8),
                             static_cast<std::uint8_t>(name.size() - 285)});
    data.insert(data.end(), name.begin(), name.end());
    const auto database = GeoDatabase::parse("x", file_of(data, metadata_of(1, 24, 4)));
    return (*database)->find(address("1.2.3.4")).owner;
  };
  const std::string filler(300, 'x');
  EXPECT_EQ(owner(filler), std::string(256, 'x'));
  EXPECT_EQ(owner("\x1b[2J\r\nA\u202E\u2066B\u0085" + filler).substr(0, 5), "[2JAB");
  EXPECT_EQ(owner("\xff\xfe" + filler).substr(0, 3), "??x");
  const std::string accents = owner(std::string(255, 'x') + "éé" + filler);
  EXPECT_EQ(accents, std::string(255, 'x'));
  EXPECT_TRUE(base::is_utf8(accents));
}

TEST(GeoDatabase, AnyByteOfAFileMayBeWrong) {
  const base::Buffer good = test::make_test_mmdb();
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    base::Buffer bad = good;
    const std::size_t changes = 1 + random() % 8;
    for (std::size_t i = 0; i < changes; ++i)
      bad[random() % bad.size()] = static_cast<std::uint8_t>(random());
    if (round % 4 == 0) bad.resize(random() % bad.size());
    const auto database = GeoDatabase::parse("bad", std::move(bad));
    if (!database) continue;
    for (const char* text : {"198.51.100.7", "192.0.2.200", "2001:db8:de::1", "2002:cb00:7101::"}) {
      const GeoRecord record = (*database)->find(address(text));
      EXPECT_LE(record.owner.size(), 256U);
      EXPECT_TRUE(base::is_utf8(record.owner));
    }
  }
}

// A generated table and what MaxMind's own library reads in it.
class Generated : public ::testing::Test {
 protected:
  struct Row {
    AddressKey first;
    AddressKey last;
    std::string value;
  };

  std::string text_of(const AddressKey& key) const {
    std::array<std::uint8_t, 16> bytes{};
    for (unsigned i = 0; i < 8; ++i) {
      bytes[i] = static_cast<std::uint8_t>(key.high >> (56 - 8 * i));
      bytes[8 + i] = static_cast<std::uint8_t>(key.low >> (56 - 8 * i));
    }
    if (key.is_v4())
      return base::IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]}).text();
    return base::IpAddress::v6(bytes).text();
  }

  // Addresses in a few narrow blocks, so that rows are nested and overlap.
  AddressKey random_key(bool is_v4) {
    if (is_v4) return {0, 0x0100'0000U + random_() % 0x4'0000};
    return {0x2a00'0000'0000'0000U + (std::uint64_t{random_() % 4096} << 32),
            random_() % 4 == 0 ? std::uint64_t{random_()} << 32 : 0};
  }

  std::vector<Row> random_rows(std::size_t count, std::span<const char* const> values) {
    std::vector<Row> rows;
    while (rows.size() < count) {
      const bool is_v4 = random_() % 2 == 0;
      Row row{.first = random_key(is_v4), .value = values[random_() % values.size()]};
      row.last = row.first;
      if (is_v4)
        row.last.low += random_() % 3000;
      else
        row.last.high += std::uint64_t{random_() % 30} << 28;
      if (row.last < row.first) continue;
      rows.push_back(row);
    }
    return rows;
  }

  std::string csv_of(const std::vector<Row>& rows) const {
    std::string csv;
    for (const Row& row : rows)
      csv += text_of(row.first) + "," + text_of(row.last) + "," + row.value + "\n";
    return csv;
  }

  // The row that begins last, then the narrowest, then the later.
  static std::string expected(const std::vector<Row>& rows, const AddressKey& key) {
    const Row* best = nullptr;
    for (const Row& row : rows) {
      if (key < row.first || row.last < key) continue;
      if (best == nullptr || row.first > best->first ||
          (row.first == best->first && row.last <= best->last))
        best = &row;
    }
    return best == nullptr ? "" : best->value;
  }

  std::mt19937 random_{2026};
};

std::string library_text(const MMDB_s& file, const std::string& text) {
  int gai_error = 0;
  int error = 0;
  MMDB_lookup_result_s found = MMDB_lookup_string(&file, text.c_str(), &gai_error, &error);
  EXPECT_EQ(gai_error, 0);
  EXPECT_EQ(error, MMDB_SUCCESS);
  if (!found.found_entry) return " 0";
  const auto get = [&](auto... path) {
    MMDB_entry_data_s data{};
    const int status = MMDB_get_value(&found.entry, &data, path..., nullptr);
    return status == MMDB_SUCCESS ? data : MMDB_entry_data_s{};
  };
  const MMDB_entry_data_s country = get("country", "iso_code");
  const MMDB_entry_data_s asn = get("autonomous_system_number");
  std::string result;
  if (country.has_data) result.assign(country.utf8_string, country.data_size);
  return result + " " + std::to_string(asn.has_data ? asn.uint32 : 0);
}

TEST_F(Generated, ReadsBackWhatTheTablesSay) {
  constexpr const char* kCountries[] = {"DE", "FR", "CN", "US", "JP"};
  constexpr const char* kNetworks[] = {"1,one", "2,\"two, Inc.\"", "3,three"};
  const auto locations = random_rows(600, kCountries);
  const auto networks = random_rows(600, kNetworks);
  GeoTables tables;
  ASSERT_TRUE(tables.locations.add(csv_of(locations)));
  ASSERT_TRUE(tables.networks.add(csv_of(networks)));
  const auto file = write_mmdb(merge_tables(std::move(tables)), {.text = "generated"});
  ASSERT_TRUE(file);
  const TemporaryFolder folder;
  const std::string path = folder.write("generated.mmdb", *file);
  const auto database = GeoDatabase::open({path});
  ASSERT_TRUE(database) << database.error().message;
  MMDB_s library{};
  ASSERT_EQ(MMDB_open(path.c_str(), MMDB_MODE_MMAP, &library), MMDB_SUCCESS);

  std::size_t known = 0;
  for (int i = 0; i < 10'000; ++i) {
    AddressKey key = random_key(i % 2 == 0);
    // Often just at a boundary.
    const auto& rows = i % 3 == 0 ? networks : locations;
    const Row& row = rows[random_() % rows.size()];
    if (i % 5 == 0) key = row.first;
    if (i % 5 == 1) key = row.last;
    if (i % 5 == 2) key = row.last.next();
    if (i % 5 == 3) key = row.first.previous();
    const std::string text = text_of(key);
    const GeoRecord record = (*database)->find(address(text));
    const std::string network = expected(networks, key);
    const std::string wanted = expected(locations, key) + " " +
                               (network.empty() ? "0" : network.substr(0, network.find(',')));
    EXPECT_EQ(std::string(record.country.code()) + " " + std::to_string(record.asn), wanted)
        << text;
    EXPECT_EQ(library_text(library, text), wanted) << text;
    if (wanted != " 0") ++known;
  }
  EXPECT_GT(known, 5000U);
  EXPECT_LT(known, 9900U);
  MMDB_close(&library);
}

TEST(GeoDatabase, AgreesWithMmdblookup) {
  if (std::system("command -v mmdblookup >/dev/null 2>&1") != 0) GTEST_SKIP() << "no mmdblookup";
  const auto look_up = [](const std::string& text, const std::string& field) {
    const std::string command = "mmdblookup --file " + test::build_test_geo() + " --ip " + text +
                                " " + field + " 2>/dev/null";
    std::FILE* output = ::popen(command.c_str(), "r");
    std::string result;
    std::array<char, 256> part{};
    while (output != nullptr && std::fgets(part.data(), part.size(), output) != nullptr)
      result += part.data();
    if (output != nullptr) ::pclose(output);
    return result;
  };
  const auto database = test::open_test_geo();
  for (const char* text : {"198.51.100.7", "192.0.2.7", "192.0.2.200", "2001:db8:c::1",
                           "2002:c633:6401::", "223.5.5.5", "::ffff:203.0.113.1"}) {
    const GeoRecord record = database->find(address(text));
    const auto quoted = [](std::string_view value) { return "\"" + std::string(value) + "\""; };
    EXPECT_THAT(look_up(text, "country iso_code"), HasSubstr(quoted(record.country.code())));
    EXPECT_THAT(look_up(text, "autonomous_system_organization"), HasSubstr(quoted(record.owner)));
    EXPECT_THAT(look_up(text, "owner_country"), HasSubstr(quoted(record.owner_country.code())));
    EXPECT_THAT(look_up(text, "autonomous_system_number"), HasSubstr(std::to_string(record.asn)));
    EXPECT_EQ(look_up(text, "is_anycast").contains("true"), record.anycast);
  }
}

}  // namespace
}  // namespace alcove::policy
