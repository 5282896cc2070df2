#include "alcove/policy_convert.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "policy/geo_merge.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxTable = 1U << 30;

base::Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > kMaxTable)
    return base::fail(base::ErrorCode::kNotFound,
                      fmt::format("cannot read {}: {}", path,
                                  error ? error.message() : "it is larger than 1 GiB"));
  std::string text(size, '\0');
  std::ifstream stream(path, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(size));
  if (!stream) return base::fail(base::ErrorCode::kNotFound, "cannot read " + path);
  return text;
}

struct Package {
  std::string_view name;
  std::vector<std::string> PolicyConvert::* files;
};
constexpr Package kPackages[] = {{"geo-whois-asn-country", &PolicyConvert::locations},
                                 {"asn", &PolicyConvert::networks},
                                 {"asn-country", &PolicyConvert::registrations}};

// "2.3.2026061719" of a package.json is 2026-06-17; "" where it says no day.
std::string date_of_version(std::string_view json) {
  constexpr std::string_view kKey = "\"version\": \"";
  const std::size_t key = json.find(kKey);
  if (key == std::string_view::npos) return "";
  std::string_view version = json.substr(key + kKey.size());
  version = version.substr(0, version.find('"'));
  const std::size_t dot = version.rfind('.');
  if (dot == std::string_view::npos || version.size() < dot + 9) return "";
  const std::string_view day = version.substr(dot + 1, 8);
  if (day.find_first_not_of("0123456789") != std::string_view::npos) return "";
  return fmt::format("{}-{}-{}", day.substr(0, 4), day.substr(4, 2), day.substr(6, 2));
}

// Adds what is in the folder of tables to the lists of files; false: a table is missing.
bool find_tables(PolicyConvert& arguments) {
  const fs::path folder(arguments.tables);
  std::string newest;
  for (const Package& package : kPackages) {
    for (const char* family : {"ipv4", "ipv6"}) {
      const std::string file = fmt::format("{}-{}.csv", package.name, family);
      fs::path path = folder / "@ip-location-db" / package.name / file;
      std::error_code ignored;
      if (!fs::exists(path, ignored)) path = folder / file;
      if (!fs::exists(path, ignored)) {
        fmt::print(stderr, "alcove: there is no {} in {}\n", file, arguments.tables);
        return false;
      }
      (arguments.*package.files).push_back(path.string());
    }
    const auto json =
        read_file((folder / "@ip-location-db" / package.name / "package.json").string());
    if (json) newest = std::max(newest, date_of_version(*json));
  }
  if (arguments.date.empty()) arguments.date = newest;
  return true;
}

std::optional<std::int64_t> parse_date(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) != 3 ||
      static_cast<std::size_t>(used) != text.size())
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 1970) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::sys_days(date)).time_since_epoch().count();
}

template <typename Table>
base::Result<void> add_tables(Table& table, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const base::Result<std::string> text = read_file(file);
    if (!text) return std::unexpected(text.error());
    const base::Result<void> added = table.add(*text);
    if (!added) return base::fail(added.error().code, file + ": " + added.error().message);
  }
  return {};
}

base::Result<policy::GeoTables> read_tables(const PolicyConvert& arguments) {
  policy::GeoTables tables;
  base::Result<void> step = add_tables(tables.locations, arguments.locations);
  if (step) step = add_tables(tables.networks, arguments.networks);
  if (step) step = add_tables(tables.registrations, arguments.registrations);
  if (!step) return std::unexpected(step.error());
  for (const std::string& file : arguments.anycast) {
    const base::Result<std::string> text = read_file(file);
    if (!text) return std::unexpected(text.error());
    const auto list = policy::parse_network_list(*text);
    if (!list) return base::fail(list.error().code, file + ": " + list.error().message);
    tables.anycast.insert(tables.anycast.end(), list->begin(), list->end());
  }
  return tables;
}

// A reader never sees half of the file.
bool write_file(const std::string& path, base::Bytes bytes) {
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, error);
  const std::string part = path + ".part";
  {
    std::ofstream stream(part, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) return false;
  }
  fs::rename(part, path, error);
  return !error;
}

}  // namespace

int convert_tables(const PolicyConvert& given) {
  PolicyConvert arguments = given;
  if (!arguments.tables.empty() && !find_tables(arguments)) return 2;
  std::int64_t built = 0;
  if (!arguments.date.empty()) {
    const auto date = parse_date(arguments.date);
    if (!date) {
      fmt::print(stderr, "alcove: --date needs a day such as 2026-06-17\n");
      return 2;
    }
    built = *date;
  }
  base::Result<policy::GeoTables> tables = read_tables(arguments);
  if (!tables) {
    fmt::print(stderr, "alcove: {}\n", tables.error().message);
    return 2;
  }
  const policy::MergedTables merged = policy::merge_tables(std::move(*tables));
  if (merged.ranges.empty()) {
    fmt::print(stderr, "alcove: the tables are empty; --tables or --location names them\n");
    return 2;
  }
  const base::Result<base::Buffer> file = policy::write_mmdb(
      merged, {.text = "Country, network and network's owner by address, made by Alcove",
               .build_epoch = built});
  if (!file || !write_file(arguments.output, *file)) {
    fmt::print(stderr, "alcove: {}\n",
               file ? "cannot write " + arguments.output : file.error().message);
    return 1;
  }
  fmt::print("{}: {} ranges, {} records, {} bytes, of {}\n", arguments.output, merged.ranges.size(),
             merged.records.size(), file->size(),
             arguments.date.empty() ? "an unknown day" : arguments.date);
  return 0;
}

}  // namespace alcove::app
