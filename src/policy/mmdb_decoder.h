#pragma once
// Values of a MaxMind DB's data section (file format 2.0, "Data Section"), read one at a time from
// untrusted bytes. Any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace alcove::policy {

enum class MmdbType : std::uint8_t {
  kPointer = 1,
  kString = 2,
  kDouble = 3,
  kBytes = 4,
  kUint16 = 5,
  kUint32 = 6,
  kMap = 7,
  kInt32 = 8,
  kUint64 = 9,
  kUint128 = 10,
  kArray = 11,
  kContainer = 12,
  kEndMarker = 13,
  kBoolean = 14,
  kFloat = 15,
};

class MmdbDecoder {
 public:
  explicit MmdbDecoder(base::Bytes data) : data_(data) {}

  struct Value {
    MmdbType type = MmdbType::kEndMarker;
    std::uint32_t size = 0;   // bytes, or elements of an array or a map, or a truth value
    std::size_t content = 0;  // where the bytes or the first element are
    std::size_t next = 0;     // behind the value; of a map and an array their first element
  };
  // The value at offset, pointers followed; nullopt when it does not fit into the data.
  std::optional<Value> read(std::size_t offset) const;

  std::optional<std::string_view> text(const Value& value) const;
  std::optional<std::uint64_t> number(const Value& value) const;  // uint16, uint32, uint64
  static std::optional<bool> truth(const Value& value);
  // Of a map; nullopt when it has no such key or is damaged.
  std::optional<Value> find(const Value& map, std::string_view key) const;
  // Calls visit(key, value) for each of a map. False: the map is damaged, or larger than a bound.
  template <typename Visit>
  bool for_each(const Value& map, Visit visit) const;

 private:
  // Up to here a map or a list may be nested, and hold entries.
  static constexpr unsigned kMaxDepth = 16;
  static constexpr unsigned kMaxValues = 10'000;

  std::optional<Value> read_direct(std::size_t offset) const;
  // The offset behind the value at offset. budget counts down.
  std::optional<std::size_t> skip(std::size_t offset, unsigned depth, unsigned& budget) const;

  base::Bytes data_;
};

template <typename Visit>
bool MmdbDecoder::for_each(const Value& map, Visit visit) const {
  if (map.type != MmdbType::kMap) return false;
  unsigned budget = kMaxValues;
  std::size_t offset = map.content;
  for (std::uint32_t i = 0; i < map.size; ++i) {
    const std::optional<Value> key = read(offset);
    const std::optional<std::size_t> behind = skip(offset, 0, budget);
    if (!key || !behind) return false;
    const std::optional<std::string_view> name = text(*key);
    const std::optional<Value> value = read(*behind);
    const std::optional<std::size_t> next = skip(*behind, 0, budget);
    if (!name || !value || !next) return false;
    visit(*name, *value);
    offset = *next;
  }
  return true;
}

}  // namespace alcove::policy
