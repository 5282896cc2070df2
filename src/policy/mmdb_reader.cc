#include "policy/mmdb_reader.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/mmdb_decoder.h"

namespace alcove::policy {
namespace {

constexpr std::string_view kMarker = "\xab\xcd\xefMaxMind.com";
constexpr std::size_t kMaxMetadata = 128 << 10;
constexpr std::size_t kSeparator = 16;
constexpr std::size_t kMaxOwner = 256;

std::optional<std::uint64_t> field(const MmdbDecoder& decoder, const MmdbDecoder::Value& map,
                                   std::string_view key) {
  const auto value = decoder.find(map, key);
  return value ? decoder.number(*value) : std::nullopt;
}

// Characters that a screen does not show but obeys: C0, DEL, C1, and those of text direction.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

char32_t decode(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  char32_t code = character.size() == 1 ? lead : lead & (0xffU >> (character.size() + 1));
  for (const char c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return code;
}

// Of a damaged or hostile file: UTF-8 without control characters, of bounded length.
std::string clean_name(std::string_view text) {
  std::string result;
  const bool is_utf8 = base::is_utf8(text.substr(0, std::min<std::size_t>(text.size(), 4096))) &&
                       text.size() <= 4096;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = 1;
    if (is_utf8 && lead >= 0xc0) length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const std::string_view character = text.substr(i, length);
    i += length;
    if (result.size() + length > kMaxOwner) break;
    if (!is_utf8 && lead >= 0x80)
      result += '?';
    else if (!is_control(decode(character)))
      result += character;
  }
  return result;
}

void read_asn(GeoRecord& record, const MmdbDecoder& decoder, const MmdbDecoder::Value& value) {
  std::optional<std::uint64_t> asn = decoder.number(value);
  if (const auto text = decoder.text(value);
      text && text->size() <= 12 && text->starts_with("AS")) {
    asn = 0;
    for (const char c : text->substr(2)) {
      if (c < '0' || c > '9') return;
      asn = *asn * 10 + static_cast<unsigned>(c - '0');
    }
  }
  if (asn && *asn <= 0xffff'ffff) record.asn = static_cast<std::uint32_t>(*asn);
}

Country read_country(const MmdbDecoder& decoder, const MmdbDecoder::Value& value) {
  std::optional<std::string_view> code = decoder.text(value);
  if (value.type == MmdbType::kMap)
    if (const auto inner = decoder.find(value, "iso_code")) code = decoder.text(*inner);
  return code ? Country::parse(*code).value_or(Country()) : Country();
}

void read_field(GeoRecord& record, const MmdbDecoder& decoder, std::string_view key,
                const MmdbDecoder::Value& value) {
  if ((key == "country" || key == "country_code") && !record.country.known()) {
    record.country = read_country(decoder, value);
  } else if (key == "autonomous_system_number" || key == "asn") {
    read_asn(record, decoder, value);
  } else if (key == "autonomous_system_organization" || key == "as_name") {
    if (const auto name = decoder.text(value)) record.owner = clean_name(*name);
  } else if (key == "owner_country") {
    record.owner_country = read_country(decoder, value);
  } else if (key == "is_anycast") {
    record.anycast = MmdbDecoder::truth(value).value_or(false);
  } else if (key == "traits" && value.type == MmdbType::kMap) {
    if (const auto anycast = decoder.find(value, "is_anycast"))
      record.anycast = MmdbDecoder::truth(*anycast).value_or(false);
  }
}

}  // namespace

std::expected<MmdbReader, std::string_view> MmdbReader::parse(base::Bytes file) {
  const std::string_view text = base::as_text(file);
  const std::size_t marker = text.rfind(kMarker);
  if (marker == std::string_view::npos || file.size() - marker > kMaxMetadata + kMarker.size())
    return std::unexpected("it is not a MaxMind DB");
  const MmdbDecoder decoder(file.subspan(marker + kMarker.size()));
  const auto map = decoder.read(0);
  if (!map) return std::unexpected("its metadata are damaged");
  const auto nodes = field(decoder, *map, "node_count");
  const auto bits = field(decoder, *map, "record_size");
  const auto version = field(decoder, *map, "ip_version");
  const auto major = field(decoder, *map, "binary_format_major_version");
  if (!nodes || !bits || !version || !major) return std::unexpected("its metadata are damaged");
  if (*major != 2) return std::unexpected("it is of another version of the format");
  if ((*bits != 24 && *bits != 28 && *bits != 32) || (*version != 4 && *version != 6) ||
      *nodes == 0 || *nodes > 0xffff'ffff)
    return std::unexpected("its metadata are damaged");
  const std::uint64_t tree_size = *nodes * (*bits / 4);
  if (tree_size + kSeparator > marker) return std::unexpected("its search tree is cut off");
  MmdbReader reader;
  reader.metadata_ = {.node_count = static_cast<std::uint32_t>(*nodes),
                      .record_size = static_cast<unsigned>(*bits),
                      .ip_version = static_cast<unsigned>(*version),
                      .build_epoch = field(decoder, *map, "build_epoch").value_or(0)};
  reader.tree_ = file.first(tree_size);
  reader.data_ = file.subspan(tree_size + kSeparator, marker - tree_size - kSeparator);
  if (*version == 6) {
    constexpr std::array<std::uint8_t, 12> kZeros{};
    reader.ipv4_start_ = reader.walk(0, kZeros);
  }
  return reader;
}

std::uint32_t MmdbReader::record(std::uint32_t node, unsigned bit) const {
  const auto at = [&](std::size_t i) { return std::uint32_t{tree_[i]}; };
  const std::size_t size = metadata_.record_size / 4;  // of a node
  std::size_t start = std::size_t{node} * size;
  if (metadata_.record_size == 28) {
    const std::uint32_t middle = at(start + 3);
    if (bit == 0)
      return (middle & 0xf0) << 20 | at(start) << 16 | at(start + 1) << 8 | at(start + 2);
    return (middle & 0x0f) << 24 | at(start + 4) << 16 | at(start + 5) << 8 | at(start + 6);
  }
  start += bit * size / 2;
  const std::uint32_t value = at(start) << 16 | at(start + 1) << 8 | at(start + 2);
  return metadata_.record_size == 24 ? value : value << 8 | at(start + 3);
}

std::uint32_t MmdbReader::walk(std::uint32_t node, base::Bytes address) const {
  for (const std::uint8_t byte : address)
    for (int shift = 7; shift >= 0; --shift) {
      if (node >= metadata_.node_count) return node;
      node = record(node, byte >> shift & 1);
    }
  return node;
}

std::optional<std::size_t> MmdbReader::find_data(const base::IpAddress& address) const {
  if (address.is_v6() && metadata_.ip_version == 4) return std::nullopt;
  const std::uint32_t start = address.is_v4() ? ipv4_start_ : 0;
  const std::uint32_t found = walk(start, address.bytes());
  if (found < std::uint64_t{metadata_.node_count} + kSeparator) return std::nullopt;
  return found - metadata_.node_count - kSeparator;
}

GeoRecord MmdbReader::find(const base::IpAddress& address) const {
  GeoRecord record;
  const std::optional<std::size_t> offset = find_data(address);
  if (!offset) return record;
  const MmdbDecoder decoder(data_);
  const std::optional<MmdbDecoder::Value> map = decoder.read(*offset);
  if (!map) return record;
  const bool whole =
      decoder.for_each(*map, [&](std::string_view key, const MmdbDecoder::Value& value) {
        read_field(record, decoder, key, value);
      });
  // Half of a damaged record would be half of the truth.
  return whole ? record : GeoRecord();
}

}  // namespace alcove::policy
