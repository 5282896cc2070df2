#pragma once
// An address as a number of 128 bits, for ranges and search trees: IPv4 stands in ::/96, as in a
// MaxMind DB. Any thread.

#include <bit>
#include <compare>
#include <cstdint>

#include "base/address.h"

namespace alcove::policy {

struct AddressKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const AddressKey&) const = default;

  static AddressKey of(const base::IpAddress& address) {
    AddressKey key;
    for (const std::uint8_t byte : address.bytes()) {
      key.high = key.high << 8 | key.low >> 56;
      key.low = key.low << 8 | byte;
    }
    return key;
  }
  // Whether it stands for an IPv4 address.
  bool is_v4() const { return high == 0 && low >> 32 == 0; }
  // Wraps at the end of the space.
  AddressKey next() const { return {high + (low == UINT64_MAX ? 1 : 0), low + 1}; }
  AddressKey previous() const { return {high - (low == 0 ? 1 : 0), low - 1}; }
  // Bit 0 is the highest.
  unsigned bit(unsigned index) const {
    return static_cast<unsigned>(index < 64 ? high >> (63 - index) : low >> (127 - index)) & 1;
  }
  AddressKey with_bit(unsigned index) const {
    AddressKey key = *this;
    (index < 64 ? key.high : key.low) |= std::uint64_t{1} << (63 - index % 64);
    return key;
  }
  // The last address of the block that begins here.
  AddressKey last_of_block(unsigned prefix) const {
    AddressKey key = *this;
    if (prefix < 64) key.high |= UINT64_MAX >> prefix;
    if (prefix <= 64)
      key.low = UINT64_MAX;
    else if (prefix < 128)
      key.low |= UINT64_MAX >> (prefix - 64);
    return key;
  }
};

}  // namespace alcove::policy
