#pragma once
// Bytes as spans, and the two cursors that all parsers and writers use. Any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace alcove::base {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Reads network byte order from untrusted bytes. A read past the end returns nullopt and leaves the
// cursor where it was; nothing is copied but integers.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  bool empty() const { return remaining() == 0; }

  std::optional<std::uint8_t> read_u8() { return read_integer<std::uint8_t>(1); }
  std::optional<std::uint16_t> read_u16() { return read_integer<std::uint16_t>(2); }
  std::optional<std::uint32_t> read_u24() { return read_integer<std::uint32_t>(3); }
  std::optional<std::uint32_t> read_u32() { return read_integer<std::uint32_t>(4); }
  std::optional<std::uint64_t> read_u64() { return read_integer<std::uint64_t>(8); }
  std::optional<Bytes> read_bytes(std::size_t count) {
    if (count > remaining()) return std::nullopt;
    Bytes result = bytes_.subspan(position_, count);
    position_ += count;
    return result;
  }
  bool skip(std::size_t count) { return read_bytes(count).has_value(); }
  Bytes rest() const { return bytes_.subspan(position_); }

 private:
  template <typename T>
  std::optional<T> read_integer(std::size_t count) {
    if (count > remaining()) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes_[position_ + i];
    position_ += count;
    return static_cast<T>(value);
  }

  Bytes bytes_;
  std::size_t position_ = 0;
};

// Writes network byte order into a fixed buffer. A write that does not fit writes nothing and makes
// ok() false for good, so one check at the end is enough.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t size() const { return position_; }
  Bytes written() const { return bytes_.first(position_); }

  void write_u8(std::uint8_t value) { write_integer(value, 1); }
  void write_u16(std::uint16_t value) { write_integer(value, 2); }
  void write_u24(std::uint32_t value) { write_integer(value, 3); }
  void write_u32(std::uint32_t value) { write_integer(value, 4); }
  void write_u64(std::uint64_t value) { write_integer(value, 8); }
  void write_bytes(Bytes value) {
    if (!reserve(value.size())) return;
    if (!value.empty()) std::memcpy(bytes_.data() + position_, value.data(), value.size());
    position_ += value.size();
  }
  void write_zeros(std::size_t count) {
    if (!reserve(count)) return;
    if (count != 0) std::memset(bytes_.data() + position_, 0, count);
    position_ += count;
  }
  // Overwrites two bytes written earlier, such as a length field.
  void patch_u16(std::size_t offset, std::uint16_t value) {
    CHECK(offset + 2 <= position_);
    bytes_[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes_[offset + 1] = static_cast<std::uint8_t>(value);
  }

 private:
  bool reserve(std::size_t count) {
    if (ok_ && count <= bytes_.size() - position_) return true;
    ok_ = false;
    return false;
  }
  void write_integer(std::uint64_t value, std::size_t count) {
    if (!reserve(count)) return;
    for (std::size_t i = 0; i < count; ++i)
      bytes_[position_ + i] = static_cast<std::uint8_t>(value >> (8 * (count - 1 - i)));
    position_ += count;
  }

  MutableBytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace alcove::base
