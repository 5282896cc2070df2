#pragma once
// Integers out of bytes whose bounds the caller has checked: the paths that every packet takes,
// where base::ByteReader's check of each field would count. Any thread.

#include <bit>
#include <cstdint>
#include <cstring>

namespace alcove::audit {

template <typename T>
T load_native(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
T load_big(const std::uint8_t* at) {
  const T value = load_native<T>(at);
  return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

// The headers of the record behind this one come into the cache while this one is looked at. The
// address need not be one that can be read.
inline void prefetch(const std::uint8_t* at) {
  __builtin_prefetch(at);
  __builtin_prefetch(at + 64);
}

}  // namespace alcove::audit
