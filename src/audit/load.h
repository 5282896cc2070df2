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

}  // namespace alcove::audit
