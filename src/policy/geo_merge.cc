#include "policy/geo_merge.h"

#include <algorithm>
#include <unordered_map>

namespace alcove::policy {
namespace {

// Walks sorted ranges beside others: what holds at a position, and until where.
class Cursor {
 public:
  explicit Cursor(const std::vector<AddressRange>& ranges) : ranges_(ranges) {}

  // position never goes back. Null: no range holds there.
  const AddressRange* at(const AddressKey& position) {
    while (index_ < ranges_.size() && ranges_[index_].last < position) ++index_;
    if (index_ == ranges_.size() || position < ranges_[index_].first) return nullptr;
    return &ranges_[index_];
  }
  // The last address, from position on, for which at(position) stays the same.
  AddressKey until(const AddressKey& position) {
    if (const AddressRange* holds = at(position)) return holds->last;
    if (index_ == ranges_.size()) return {UINT64_MAX, UINT64_MAX};
    return ranges_[index_].first.previous();
  }

 private:
  const std::vector<AddressRange>& ranges_;
  std::size_t index_ = 0;
};

constexpr AddressKey kLastAddress = {UINT64_MAX, UINT64_MAX};

// How many addresses (IPv4) or networks of 64 bits (IPv6, at least 1).
std::uint64_t weight_of(const AddressKey& first, const AddressKey& last) {
  if (first.is_v4()) return last.low - first.low + 1;
  const std::uint64_t networks = last.high - first.high;
  return networks == UINT64_MAX ? networks : networks + 1;
}

bool is_region(std::uint32_t value) {
  const Country country = CountryTable::country(value);
  return country.code() == "EU" || country.code() == "AP";
}

// What one network has in one country; a greater one is preferred.
struct Share {
  bool is_country = false;
  std::uint64_t ipv4 = 0;
  std::uint64_t ipv6 = 0;
  auto operator<=>(const Share&) const = default;
};

std::unordered_map<std::uint32_t, Country> find_owner_countries(
    const std::vector<NetworkTable::Entry>& entries, const std::vector<AddressRange>& networks,
    const std::vector<AddressRange>& registrations) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Share> shares;  // of network and country
  Cursor registered(registrations);
  for (const AddressRange& range : networks) {
    AddressKey position = range.first;
    while (true) {
      const AddressKey last = std::min(range.last, registered.until(position));
      if (const AddressRange* holds = registered.at(position)) {
        Share& share = shares[{entries[range.value].asn, holds->value}];
        share.is_country = !is_region(holds->value);
        std::uint64_t& sum = position.is_v4() ? share.ipv4 : share.ipv6;
        const std::uint64_t weight = weight_of(position, last);
        sum = weight > UINT64_MAX - sum ? UINT64_MAX : sum + weight;
      }
      if (last == range.last) break;
      position = last.next();
    }
  }
  std::unordered_map<std::uint32_t, Country> result;
  const Share* best = nullptr;
  std::uint32_t asn = 0;
  for (const auto& [key, share] : shares) {
    if (best == nullptr || key.first != asn || share > *best) {
      asn = key.first;
      best = &share;
      result[asn] = CountryTable::country(key.second);
    }
  }
  return result;
}

std::vector<AddressRange> ranges_of(const std::vector<Network>& networks) {
  std::vector<AddressRange> ranges;
  for (const Network& network : networks) {
    const AddressKey first = AddressKey::of(network.address);
    const unsigned prefix = network.prefix + (network.address.is_v4() ? 96 : 0);
    ranges.push_back({first, first.last_of_block(prefix), 1});
  }
  std::ranges::sort(ranges, {}, &AddressRange::first);
  // Blocks are nested or apart: one that begins inside of the last ends there as well.
  std::vector<AddressRange> apart;
  for (const AddressRange& range : ranges) {
    if (apart.empty() || apart.back().last < range.first)
      apart.push_back(range);
    else
      apart.back().last = std::max(apart.back().last, range.last);
  }
  return apart;
}

// Gives each different record one number.
class Records {
 public:
  explicit Records(std::vector<GeoRecord>& records) : records_(records) {}

  // network: the index of the entry plus one, or 0.
  std::uint32_t number_of(std::uint32_t location, std::uint32_t network, bool anycast,
                          const NetworkTable::Entry* entry, const Country& owner_country) {
    const std::uint64_t key =
        std::uint64_t{network} << 32 | std::uint64_t{location} << 1 | (anycast ? 1 : 0);
    const auto [place, is_new] =
        numbers_.try_emplace(key, static_cast<std::uint32_t>(records_.size()));
    if (is_new) {
      GeoRecord& record = records_.emplace_back();
      record.country = CountryTable::country(location);
      record.anycast = anycast;
      if (entry != nullptr) {
        record.asn = entry->asn;
        record.owner = entry->name;
        record.owner_country = owner_country;
      }
    }
    return place->second;
  }

 private:
  std::vector<GeoRecord>& records_;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
};

}  // namespace

MergedTables merge_tables(GeoTables&& tables) {
  const std::vector<NetworkTable::Entry> entries = tables.networks.networks();
  const std::vector<AddressRange> locations = std::move(tables.locations).sorted();
  const std::vector<AddressRange> networks = std::move(tables.networks).sorted();
  const std::vector<AddressRange> anycast = ranges_of(tables.anycast);
  const auto owner_countries =
      find_owner_countries(entries, networks, std::move(tables.registrations).sorted());
  MergedTables result;
  Records records(result.records);
  Cursor location(locations);
  Cursor network(networks);
  Cursor many_places(anycast);
  AddressKey position;
  while (true) {
    const AddressRange* place = location.at(position);
    const AddressRange* carrier = network.at(position);
    const bool is_anycast = many_places.at(position) != nullptr;
    const AddressKey last =
        std::min({location.until(position), network.until(position), many_places.until(position)});
    if (place != nullptr || carrier != nullptr || is_anycast) {
      const NetworkTable::Entry* entry = carrier == nullptr ? nullptr : &entries[carrier->value];
      Country owner_country;
      if (entry != nullptr)
        if (const auto found = owner_countries.find(entry->asn); found != owner_countries.end())
          owner_country = found->second;
      const std::uint32_t number = records.number_of(place == nullptr ? 0 : place->value,
                                                     carrier == nullptr ? 0 : carrier->value + 1,
                                                     is_anycast, entry, owner_country);
      const bool joins = !result.ranges.empty() && result.ranges.back().value == number &&
                         result.ranges.back().last.next() == position;
      if (joins)
        result.ranges.back().last = last;
      else
        result.ranges.push_back({position, last, number});
    }
    if (last == kLastAddress) break;
    position = last.next();
  }
  return result;
}

}  // namespace alcove::policy
