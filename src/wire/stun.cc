#include "wire/stun.h"

#include <algorithm>
#include <boost/crc.hpp>

namespace alcove::wire {
namespace {

constexpr std::uint32_t kMagicCookie = 0x2112a442;
constexpr std::uint32_t kFingerprintXor = 0x5354554e;
constexpr std::size_t kAttributeHeaderSize = 4;
constexpr std::size_t kIntegritySize = 20;
constexpr std::size_t kMaxUsername = 513;
constexpr std::size_t kMaxText = 763;  // SOFTWARE and reason phrases

enum AttributeType : std::uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000a,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kSoftware = 0x8022,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802a,
};

constexpr std::uint8_t kFamilyV4 = 1;
constexpr std::uint8_t kFamilyV6 = 2;

// The bits of class and method are interleaved (RFC 8489, section 5): M11-7 C1 M6-4 C0 M3-0.
constexpr std::uint16_t to_type(StunClass message_class, std::uint16_t method) {
  const auto bits = static_cast<unsigned>(message_class);
  return static_cast<std::uint16_t>((method & 0x000fU) | (method & 0x0070U) << 1 |
                                    (method & 0x0f80U) << 2 | (bits & 1U) << 4 | (bits & 2U) << 7);
}
constexpr std::uint16_t method_of(std::uint16_t type) {
  return static_cast<std::uint16_t>((type & 0x000fU) | (type & 0x00e0U) >> 1 |
                                    (type & 0x3e00U) >> 2);
}
constexpr StunClass class_of(std::uint16_t type) {
  return static_cast<StunClass>((type >> 4 & 1U) | (type >> 7 & 2U));
}

std::uint32_t fingerprint_of(base::Bytes bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum() ^ kFingerprintXor;
}

// X-Port and X-Address: XOR with the cookie and the transaction id; its own inverse.
void apply_xor(base::MutableBytes address, const TransactionId& transaction) {
  std::array<std::uint8_t, 16> mask{};
  base::ByteWriter writer(mask);
  writer.write_u32(kMagicCookie);
  writer.write_bytes(transaction);
  for (std::size_t i = 0; i < address.size(); ++i) address[i] ^= mask[i];
}

Parsed<base::SocketAddress> parse_address(base::Bytes value, const TransactionId* xor_with) {
  base::ByteReader reader(value);
  reader.skip(1);
  const auto family = reader.read_u8();
  const auto port = reader.read_u16();
  if (!port) return std::unexpected(ParseError::kBadAttribute);
  const std::size_t size = *family == kFamilyV4 ? 4 : *family == kFamilyV6 ? 16 : 0;
  if (size == 0 || reader.remaining() != size) return std::unexpected(ParseError::kBadAttribute);

  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(reader.rest(), bytes.begin());
  base::SocketAddress address;
  address.port = *port;
  if (xor_with != nullptr) {
    apply_xor(base::MutableBytes(bytes).first(size), *xor_with);
    address.port = static_cast<std::uint16_t>(*port ^ kMagicCookie >> 16);
  }
  address.ip = size == 4 ? base::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]})
                         : base::IpAddress::v6(bytes);
  return address;
}

Parsed<StunError> parse_error_code(base::Bytes value) {
  if (value.size() < 4 || value.size() > 4 + kMaxText)
    return std::unexpected(ParseError::kBadAttribute);
  const unsigned hundreds = value[2] & 7U;
  const unsigned number = value[3];
  if (hundreds < 3 || hundreds > 6 || number > 99)
    return std::unexpected(ParseError::kBadAttribute);
  return StunError{static_cast<std::uint16_t>(hundreds * 100 + number),
                   base::as_text(value.subspan(4))};
}

bool parse_type_list(base::Bytes value, StunAttributeList& list) {
  if (value.size() % 2 != 0) return false;
  base::ByteReader reader(value);
  while (list.size() < list.capacity()) {
    const auto type = reader.read_u16();
    if (!type) break;
    list.push_back(*type);
  }
  return true;
}

// Sets field when it has no value yet. False when value is not of the field's size.
template <typename T>
bool parse_integer(base::Bytes value, std::optional<T>& field) {
  if (value.size() != sizeof(T)) return false;
  if (field) return true;
  base::ByteReader reader(value);
  if constexpr (sizeof(T) == 4) {
    field = reader.read_u32();
  } else {
    field = reader.read_u64();
  }
  return true;
}

bool parse_text(base::Bytes value, std::size_t limit, std::optional<std::string_view>& field) {
  if (value.size() > limit) return false;
  if (!field) field = base::as_text(value);
  return true;
}

template <typename T>
bool keep_first(const Parsed<T>& parsed, std::optional<T>& field) {
  if (!parsed) return false;
  if (!field) field = *parsed;
  return true;
}

bool parse_attribute(std::uint16_t type, base::Bytes value, StunMessage& message) {
  switch (type) {
    case kMappedAddress:
      return keep_first(parse_address(value, nullptr), message.mapped_address);
    case kXorMappedAddress:
      return keep_first(parse_address(value, &message.transaction), message.xor_mapped_address);
    case kUsername:
      return parse_text(value, kMaxUsername, message.username);
    case kSoftware:
      return parse_text(value, kMaxText, message.software);
    case kErrorCode:
      return keep_first(parse_error_code(value), message.error);
    case kUnknownAttributes:
      return parse_type_list(value, message.unknown_attributes);
    case kPriority:
      return parse_integer(value, message.priority);
    case kIceControlled:
      return parse_integer(value, message.ice_controlled);
    case kIceControlling:
      return parse_integer(value, message.ice_controlling);
    case kUseCandidate:
      message.use_candidate = true;
      return value.empty();
    default:
      if (type < 0x8000 && message.not_understood.size() < kMaxUnknownAttributes)
        message.not_understood.push_back(type);
      return true;
  }
}

// The header; what is left in reader are the attributes.
Parsed<StunMessage> parse_header(base::Bytes bytes) {
  if (bytes.size() < kStunHeaderSize) return std::unexpected(ParseError::kTruncated);
  if (bytes.size() > kMaxStunMessage) return std::unexpected(ParseError::kTooLong);
  base::ByteReader reader(bytes);
  const std::uint16_t type = *reader.read_u16();
  const std::size_t length = *reader.read_u16();
  const std::uint32_t cookie = *reader.read_u32();
  if ((type & 0xc000) != 0 || cookie != kMagicCookie) return std::unexpected(ParseError::kBadMagic);
  if (length % 4 != 0) return std::unexpected(ParseError::kBadLength);
  if (kStunHeaderSize + length > bytes.size()) return std::unexpected(ParseError::kTruncated);
  if (kStunHeaderSize + length < bytes.size()) return std::unexpected(ParseError::kBadLength);

  StunMessage message;
  message.bytes = bytes;
  message.message_class = class_of(type);
  message.method = method_of(type);
  std::ranges::copy(bytes.subspan(8, message.transaction.size()), message.transaction.begin());
  return message;
}

}  // namespace

Parsed<StunMessage> parse_stun(base::Bytes bytes) {
  Parsed<StunMessage> message = parse_header(bytes);
  if (!message) return message;
  base::ByteReader reader(bytes);
  reader.skip(kStunHeaderSize);
  while (!reader.empty()) {
    if (message->has_fingerprint) return std::unexpected(ParseError::kBadFingerprint);
    const std::size_t offset = reader.position();
    const auto type = reader.read_u16();
    const auto length = reader.read_u16();
    if (!length) return std::unexpected(ParseError::kBadLength);
    const auto value = reader.read_bytes(*length);
    if (!value || !reader.skip((4U - *length % 4U) % 4U))
      return std::unexpected(ParseError::kBadLength);

    if (*type == kFingerprint) {
      std::optional<std::uint32_t> fingerprint;
      if (!parse_integer(*value, fingerprint) ||
          *fingerprint != fingerprint_of(bytes.first(offset)))
        return std::unexpected(ParseError::kBadFingerprint);
      message->has_fingerprint = true;
    } else if (message->integrity_offset != 0) {
      continue;
    } else if (*type == kMessageIntegrity) {
      if (value->size() != kIntegritySize) return std::unexpected(ParseError::kBadAttribute);
      message->integrity_offset = offset;
    } else if (!parse_attribute(*type, *value, *message)) {
      return std::unexpected(ParseError::kBadAttribute);
    }
  }
  return message;
}

bool check_integrity(const StunMessage& message, base::Bytes password, HmacSha1Function hmac_sha1) {
  if (message.integrity_offset == 0) return false;
  // The sender computed it when the message ended with MESSAGE-INTEGRITY: the length says so.
  std::array<std::uint8_t, kMaxStunMessage> copy;
  const std::size_t size = message.integrity_offset;
  std::ranges::copy(message.bytes.first(size), copy.begin());
  const std::size_t length = size + kAttributeHeaderSize + kIntegritySize - kStunHeaderSize;
  copy[2] = static_cast<std::uint8_t>(length >> 8);
  copy[3] = static_cast<std::uint8_t>(length);
  const auto expected = hmac_sha1(password, base::Bytes(copy).first(size));
  const base::Bytes actual = message.bytes.subspan(size + kAttributeHeaderSize, kIntegritySize);
  unsigned difference = 0;
  for (std::size_t i = 0; i < kIntegritySize; ++i) difference |= unsigned{expected[i]} ^ actual[i];
  return difference == 0;
}

void StunWriter::begin(StunClass message_class, std::uint16_t method,
                       const TransactionId& transaction) {
  CHECK(writer_.size() == 0 && method <= 0xfff);
  transaction_ = transaction;
  writer_.write_u16(to_type(message_class, method));
  writer_.write_u16(0);
  writer_.write_u32(kMagicCookie);
  writer_.write_bytes(transaction);
}

void StunWriter::add_attribute(std::uint16_t type, base::Bytes value) {
  CHECK(value.size() <= kMaxStunMessage);
  writer_.write_u16(type);
  writer_.write_u16(static_cast<std::uint16_t>(value.size()));
  writer_.write_bytes(value);
  writer_.write_zeros((4 - value.size() % 4) % 4);
}

void StunWriter::add_address(std::uint16_t type, const base::SocketAddress& address,
                             bool is_xored) {
  std::array<std::uint8_t, 16> ip{};
  const std::size_t size = address.ip.bytes().size();
  std::ranges::copy(address.ip.bytes(), ip.begin());
  std::uint16_t port = address.port;
  if (is_xored) {
    apply_xor(base::MutableBytes(ip).first(size), transaction_);
    port = static_cast<std::uint16_t>(port ^ kMagicCookie >> 16);
  }
  std::array<std::uint8_t, 20> value{};
  base::ByteWriter writer(value);
  writer.write_u8(0);
  writer.write_u8(address.ip.is_v4() ? kFamilyV4 : kFamilyV6);
  writer.write_u16(port);
  writer.write_bytes(base::Bytes(ip).first(size));
  add_attribute(type, writer.written());
}

void StunWriter::set_length(std::size_t total) {
  if (!writer_.ok()) return;
  writer_.patch_u16(2, static_cast<std::uint16_t>(total - kStunHeaderSize));
}

void StunWriter::add_username(std::string_view username) {
  CHECK(username.size() <= kMaxUsername);
  add_attribute(kUsername, base::as_bytes(username));
}
void StunWriter::add_software(std::string_view software) {
  CHECK(software.size() <= kMaxText);
  add_attribute(kSoftware, base::as_bytes(software));
}
void StunWriter::add_mapped_address(const base::SocketAddress& address) {
  add_address(kMappedAddress, address, false);
}
void StunWriter::add_xor_mapped_address(const base::SocketAddress& address) {
  add_address(kXorMappedAddress, address, true);
}

void StunWriter::add_priority(std::uint32_t priority) {
  std::array<std::uint8_t, 4> value{};
  base::ByteWriter(value).write_u32(priority);
  add_attribute(kPriority, value);
}
void StunWriter::add_use_candidate() { add_attribute(kUseCandidate, {}); }
void StunWriter::add_ice_controlled(std::uint64_t tie_breaker) {
  std::array<std::uint8_t, 8> value{};
  base::ByteWriter(value).write_u64(tie_breaker);
  add_attribute(kIceControlled, value);
}
void StunWriter::add_ice_controlling(std::uint64_t tie_breaker) {
  std::array<std::uint8_t, 8> value{};
  base::ByteWriter(value).write_u64(tie_breaker);
  add_attribute(kIceControlling, value);
}

void StunWriter::add_error_code(std::uint16_t code, std::string_view reason) {
  CHECK(code >= 300 && code <= 699 && reason.size() <= kMaxText);
  std::array<std::uint8_t, 4 + kMaxText> value{};
  base::ByteWriter writer(value);
  writer.write_u16(0);
  writer.write_u8(static_cast<std::uint8_t>(code / 100));
  writer.write_u8(static_cast<std::uint8_t>(code % 100));
  writer.write_bytes(base::as_bytes(reason));
  add_attribute(kErrorCode, writer.written());
}

void StunWriter::add_unknown_attributes(std::span<const std::uint16_t> types) {
  CHECK(types.size() <= kMaxUnknownAttributes);
  std::array<std::uint8_t, 2 * kMaxUnknownAttributes> value{};
  base::ByteWriter writer(value);
  for (const std::uint16_t type : types) writer.write_u16(type);
  add_attribute(kUnknownAttributes, writer.written());
}

void StunWriter::add_integrity(base::Bytes password, HmacSha1Function hmac_sha1) {
  set_length(writer_.size() + kAttributeHeaderSize + kIntegritySize);
  add_attribute(kMessageIntegrity, hmac_sha1(password, writer_.written()));
}

void StunWriter::add_fingerprint() {
  constexpr std::size_t kFingerprintSize = 4;
  set_length(writer_.size() + kAttributeHeaderSize + kFingerprintSize);
  std::array<std::uint8_t, kFingerprintSize> value{};
  base::ByteWriter(value).write_u32(fingerprint_of(writer_.written()));
  add_attribute(kFingerprint, value);
}

base::Bytes StunWriter::finish() {
  if (!writer_.ok() || writer_.size() > kMaxStunMessage) return {};
  set_length(writer_.size());
  return writer_.written();
}

}  // namespace alcove::wire
