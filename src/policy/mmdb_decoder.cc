#include "policy/mmdb_decoder.h"

namespace alcove::policy {
namespace {

std::optional<std::uint64_t> big_endian(base::Bytes data, std::size_t offset, std::size_t count) {
  if (offset > data.size() || count > data.size() - offset || count > 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | data[offset + i];
  return value;
}

}  // namespace

std::optional<MmdbDecoder::Value> MmdbDecoder::read_direct(std::size_t offset) const {
  const auto control = big_endian(data_, offset, 1);
  if (!control) return std::nullopt;
  Value value;
  auto type = static_cast<unsigned>(*control >> 5);
  ++offset;
  if (type == 1) {
    // The size's bits are the pointer's: how long it is, and its highest three.
    const auto length = static_cast<std::size_t>((*control >> 3 & 3) + 1);
    const auto low = big_endian(data_, offset, length);
    if (!low) return std::nullopt;
    constexpr std::uint64_t kBase[] = {0, 2048, 526336, 0};
    const std::uint64_t high = length == 4 ? 0 : (*control & 7) << (8 * length);
    return Value{.type = MmdbType::kPointer,
                 .content = static_cast<std::size_t>((high | *low) + kBase[length - 1]),
                 .next = offset + length};
  }
  if (type == 0) {
    const auto extended = big_endian(data_, offset++, 1);
    if (!extended || *extended == 0 || *extended > 8) return std::nullopt;
    type = static_cast<unsigned>(*extended) + 7;
  }
  value.type = static_cast<MmdbType>(type);
  value.size = *control & 0x1f;
  if (value.size >= 29) {
    constexpr std::uint32_t kBase[] = {29, 285, 65821};
    const std::size_t length = value.size - 28;
    const auto more = big_endian(data_, offset, length);
    if (!more) return std::nullopt;
    value.size = kBase[length - 1] + static_cast<std::uint32_t>(*more);
    offset += length;
  }
  value.content = offset;
  const bool has_bytes = value.type != MmdbType::kMap && value.type != MmdbType::kArray &&
                         value.type != MmdbType::kBoolean;
  value.next = offset + (has_bytes ? value.size : 0);
  if (value.next > data_.size()) return std::nullopt;
  return value;
}

std::optional<MmdbDecoder::Value> MmdbDecoder::read(std::size_t offset) const {
  const std::optional<Value> value = read_direct(offset);
  if (!value || value->type != MmdbType::kPointer) return value;
  const std::optional<Value> target = read_direct(value->content);
  // The format forbids a pointer to a pointer.
  if (!target || target->type == MmdbType::kPointer) return std::nullopt;
  return target;
}

std::optional<std::size_t> MmdbDecoder::skip(std::size_t offset, unsigned depth,
                                             unsigned& budget) const {
  if (depth > kMaxDepth || budget == 0) return std::nullopt;
  --budget;
  const std::optional<Value> value = read_direct(offset);
  if (!value) return std::nullopt;
  if (value->type != MmdbType::kMap && value->type != MmdbType::kArray) return value->next;
  const std::uint64_t elements =
      value->type == MmdbType::kMap ? std::uint64_t{value->size} * 2 : value->size;
  std::optional<std::size_t> behind = value->content;
  for (std::uint64_t i = 0; i < elements && behind; ++i) behind = skip(*behind, depth + 1, budget);
  return behind;
}

std::optional<std::string_view> MmdbDecoder::text(const Value& value) const {
  if (value.type != MmdbType::kString) return std::nullopt;
  return base::as_text(data_.subspan(value.content, value.size));
}

std::optional<std::uint64_t> MmdbDecoder::number(const Value& value) const {
  if (value.type != MmdbType::kUint16 && value.type != MmdbType::kUint32 &&
      value.type != MmdbType::kUint64)
    return std::nullopt;
  return big_endian(data_, value.content, value.size);
}

std::optional<bool> MmdbDecoder::truth(const Value& value) {
  if (value.type != MmdbType::kBoolean) return std::nullopt;
  return value.size != 0;
}

std::optional<MmdbDecoder::Value> MmdbDecoder::find(const Value& map, std::string_view key) const {
  std::optional<Value> found;
  for_each(map, [&](std::string_view name, const Value& value) {
    if (name == key && !found) found = value;
  });
  return found;
}

}  // namespace alcove::policy
