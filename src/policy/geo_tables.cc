#include "policy/geo_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/text.h"

namespace alcove::policy {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxFields = 8;

base::Error bad_line(std::size_t line, std::string_view what) {
  return {base::ErrorCode::kInvalidArgument, fmt::format("line {}: {}", line, what)};
}

// The fields of one line; a field in quotes may have commas, and "" for a quote (RFC 4180, without
// line ends inside).
bool split(std::string_view line, std::vector<std::string>& fields) {
  fields.clear();
  while (true) {
    if (fields.size() == kMaxFields) return false;
    std::string& field = fields.emplace_back();
    if (!line.starts_with('"')) {
      const std::size_t comma = std::min(line.find(','), line.size());
      field = line.substr(0, comma);
      line.remove_prefix(comma);
    } else {
      line.remove_prefix(1);
      while (true) {
        const std::size_t quote = line.find('"');
        if (quote == std::string_view::npos) return false;
        field += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"')) break;
        field += '"';
        line.remove_prefix(1);
      }
    }
    if (line.empty()) return true;
    if (line.front() != ',') return false;
    line.remove_prefix(1);
  }
}

// Calls handle(fields) for each line that is neither blank nor a comment; handle returns what is
// wrong, or "".
template <typename Handle>
base::Result<void> each_line(std::string_view csv, Handle handle) {
  std::vector<std::string> fields;
  for (std::size_t number = 1; !csv.empty(); ++number) {
    const std::size_t end = std::min(csv.find('\n'), csv.size());
    std::string_view line = csv.substr(0, end);
    csv.remove_prefix(std::min(end + 1, csv.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.size() > kMaxLine) return std::unexpected(bad_line(number, "longer than 4096 bytes"));
    if (!split(line, fields))
      return std::unexpected(bad_line(number, "not comma-separated values"));
    const std::string_view problem = handle(fields);
    if (!problem.empty()) return std::unexpected(bad_line(number, problem));
  }
  return {};
}

// The first two fields.
std::string_view parse_range(const std::vector<std::string>& fields, AddressRange& range) {
  const auto first = base::IpAddress::parse(fields[0]);
  const auto last = base::IpAddress::parse(fields[1]);
  if (!first || !last || first->is_v4() != last->is_v4())
    return "the range is not two addresses of one kind";
  range.first = AddressKey::of(*first);
  range.last = AddressKey::of(*last);
  if (range.first > range.last) return "the range ends before it begins";
  if (first->is_v6() && range.first.is_v4()) return "::/96 is not a place of IPv6 addresses";
  return {};
}

// By the beginning, then the wider first, then as in the table. (Not std::stable_sort: libstdc++ 12
// implements it with what C++23 has deprecated.)
std::vector<std::uint32_t> order_of(const std::vector<AddressRange>& ranges) {
  std::vector<std::uint32_t> order(ranges.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::uint32_t left, std::uint32_t right) {
    const AddressRange& a = ranges[left];
    const AddressRange& b = ranges[right];
    if (a.first != b.first) return a.first < b.first;
    if (a.last != b.last) return a.last > b.last;
    return left < right;
  });
  return order;
}

std::vector<AddressRange> flatten(const std::vector<AddressRange>& ranges) {
  std::vector<AddressRange> result;
  result.reserve(ranges.size());
  std::vector<AddressRange> open;  // the last holds, from position on
  AddressKey position;
  bool is_done = false;  // behind the last address there is
  const auto emit = [&](const AddressKey& last) {
    if (is_done || last < position) return;
    const AddressRange& holds = open.back();
    const bool joins = !result.empty() && result.back().value == holds.value &&
                       result.back().last.next() == position;
    if (joins)
      result.back().last = last;
    else
      result.push_back({position, last, holds.value});
    position = last.next();
    is_done = position == AddressKey();
  };
  for (const std::uint32_t index : order_of(ranges)) {
    const AddressRange& range = ranges[index];
    while (!open.empty() && open.back().last < range.first) {
      emit(open.back().last);
      open.pop_back();
    }
    if (!open.empty() && position < range.first) emit(range.first.previous());
    position = range.first;
    open.push_back(range);
  }
  for (; !open.empty(); open.pop_back()) emit(open.back().last);
  return result;
}

std::string cut_name(std::string name) {
  if (!base::is_utf8(name))
    for (char& c : name)
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  std::size_t size = std::min(name.size(), kMaxName);
  while (size < name.size() && size > 0 && (static_cast<unsigned char>(name[size]) & 0xc0) == 0x80)
    --size;
  name.resize(size);
  return name;
}

}  // namespace

base::Result<void> CountryTable::add(std::string_view csv) {
  return each_line(csv, [&](const std::vector<std::string>& fields) -> std::string_view {
    if (fields.size() != 3) return "expected first address, last address, country";
    AddressRange range;
    if (const auto problem = parse_range(fields, range); !problem.empty()) return problem;
    if (fields[2].size() > 2) return "a country has two letters";
    const auto country = Country::parse(fields[2]);
    if (!country) return {};
    if (ranges_.size() == kMaxTableRows) return "more than ten million rows";
    range.value = value(*country);
    ranges_.push_back(range);
    return {};
  });
}

std::vector<AddressRange> CountryTable::sorted() && { return flatten(ranges_); }

Country CountryTable::country(std::uint32_t value) {
  const char code[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
  return Country::parse({code, 2}).value_or(Country());
}

std::uint32_t CountryTable::value(const Country& country) {
  const std::string_view code = country.code();
  if (code.empty()) return 0;
  return static_cast<std::uint32_t>(code[0]) << 8 | static_cast<std::uint32_t>(code[1]);
}

base::Result<void> NetworkTable::add(std::string_view csv) {
  return each_line(csv, [&](const std::vector<std::string>& fields) -> std::string_view {
    if (fields.size() != 4) return "expected first address, last address, network number, name";
    AddressRange range;
    if (const auto problem = parse_range(fields, range); !problem.empty()) return problem;
    Entry entry;
    const char* const end = fields[2].data() + fields[2].size();
    const auto [behind, error] = std::from_chars(fields[2].data(), end, entry.asn);
    if (error != std::errc() || behind != end) return "the network number is not a number";
    if (entry.asn == 0) return {};
    if (ranges_.size() == kMaxTableRows) return "more than ten million rows";
    entry.name = cut_name(fields[3]);
    const auto [place, is_new] =
        index_.try_emplace(entry, static_cast<std::uint32_t>(networks_.size()));
    if (is_new) networks_.push_back(std::move(entry));
    range.value = place->second;
    ranges_.push_back(range);
    return {};
  });
}

std::vector<AddressRange> NetworkTable::sorted() && { return flatten(ranges_); }

base::Result<std::vector<Network>> parse_network_list(std::string_view csv) {
  constexpr std::size_t kMaxNetworks = 100'000;
  std::vector<Network> networks;
  const auto result = each_line(csv, [&](const std::vector<std::string>& line) -> std::string_view {
    const auto network = parse_network(line[0]);
    if (!network) return "not a network such as 198.51.100.0/24, with zeros behind the prefix";
    if (networks.size() == kMaxNetworks) return "more than 100,000 networks";
    networks.push_back(*network);
    return {};
  });
  if (!result) return std::unexpected(result.error());
  return networks;
}

}  // namespace alcove::policy
