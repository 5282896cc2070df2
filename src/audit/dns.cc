#include "audit/dns.h"

#include <algorithm>

namespace alcove::audit {
namespace {

using base::ByteReader;
using base::Bytes;

constexpr std::size_t kMaxQuestions = 32;
constexpr std::size_t kMaxRecords = 256;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxAliases = 16;
constexpr std::size_t kMaxHints = 16;

// Section 4.1.4. position moves behind the name as it stands in the message.
std::optional<std::string> read_name(Bytes message, std::size_t& position) {
  std::string name;
  std::size_t at = position;
  std::size_t bound = message.size();  // a pointer leads to before what was read
  bool jumped = false;
  while (at < bound) {
    const std::size_t length = message[at];
    if (length == 0) {
      if (!jumped) position = at + 1;
      return name;
    }
    if ((length & 0xc0) == 0xc0) {
      if (at + 1 >= message.size()) return std::nullopt;
      const std::size_t target = (length & 0x3f) << 8 | message[at + 1];
      if (!jumped) position = at + 2;
      jumped = true;
      if (target >= at) return std::nullopt;
      bound = at;
      at = target;
      continue;
    }
    if (length > 63 || at + 1 + length > bound) return std::nullopt;
    if (!name.empty()) name.push_back('.');
    for (const std::uint8_t byte : message.subspan(at + 1, length)) {
      const bool plain = byte > ' ' && byte < 0x7f && byte != '.';
      const bool upper = byte >= 'A' && byte <= 'Z';
      name.push_back(static_cast<char>(upper ? byte + 32 : plain || byte == ' ' ? byte : '?'));
    }
    if (name.size() > kMaxName) return std::nullopt;
    at += 1 + length;
  }
  return std::nullopt;
}

std::optional<base::IpAddress> read_address(Bytes bytes) {
  if (bytes.size() == 4) return base::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  if (bytes.size() != 16) return std::nullopt;
  std::array<std::uint8_t, 16> six{};
  std::ranges::copy(bytes, six.begin());
  return base::IpAddress::v6(six);
}

// RFC 9460, sections 2.2 and 7.3.
void read_hints(Bytes parameters, DnsRecord& record) {
  constexpr std::uint16_t kIpv4Hint = 4;
  constexpr std::uint16_t kIpv6Hint = 6;
  ByteReader reader(parameters);
  while (const auto key = reader.read_u16()) {
    const auto length = reader.read_u16();
    const auto value = length ? reader.read_bytes(*length) : std::nullopt;
    if (!value) return;
    if (*key != kIpv4Hint && *key != kIpv6Hint) continue;
    ByteReader hints(*value);
    while (record.addresses.size() < kMaxHints) {
      const auto hint = hints.read_bytes(*key == kIpv4Hint ? 4 : 16);
      if (!hint) break;
      record.addresses.push_back(*read_address(*hint));
    }
  }
}

void read_data(Bytes message, std::size_t begin, std::size_t end, DnsRecord& record) {
  std::size_t at = begin;
  const Bytes data = message.subspan(begin, end - begin);
  switch (record.type) {
    case dns_type::kA:
    case dns_type::kAaaa:
      if (const auto address = read_address(data)) record.addresses.push_back(*address);
      return;
    case dns_type::kCname:
    case dns_type::kPtr:
      record.target = read_name(message, at).value_or("");
      return;
    case dns_type::kSrv:
      at += 6;
      if (at < end) record.target = read_name(message, at).value_or("");
      return;
    case dns_type::kSvcb:
    case dns_type::kHttps:
      at += 2;
      if (at >= end) return;
      record.target = read_name(message, at).value_or("");
      if (at <= end) read_hints(message.subspan(at, end - at), record);
      return;
    default:
      return;
  }
}

bool read_record(Bytes message, std::size_t& position, DnsRecord& record) {
  auto name = read_name(message, position);
  if (!name) return false;
  record.name = *std::move(name);
  ByteReader reader(message.subspan(position));
  const auto type = reader.read_u16();
  if (!type || !reader.skip(6)) return false;  // class, time to live
  const auto length = reader.read_u16();
  if (!length || *length > reader.remaining()) return false;
  record.type = *type;
  const std::size_t begin = position + reader.position();
  read_data(message, begin, begin + *length, record);
  position = begin + *length;
  return true;
}

}  // namespace

std::optional<DnsMessage> parse_dns(Bytes bytes) {
  ByteReader reader(bytes);
  const auto id = reader.read_u16();
  const auto flags = reader.read_u16();
  const auto questions = reader.read_u16();
  const auto answers = reader.read_u16();
  const auto authorities = reader.read_u16();
  const auto additional = reader.read_u16();
  if (!additional || *questions > kMaxQuestions) return std::nullopt;
  // Opcode and the reserved bit: anything but a query or an mDNS message is not told apart here.
  if ((*flags & 0x7800) != 0) return std::nullopt;
  DnsMessage message;
  message.id = *id;
  message.response = (*flags & 0x8000) != 0;
  std::size_t position = reader.position();
  for (std::uint16_t i = 0; i < *questions; ++i) {
    auto name = read_name(bytes, position);
    ByteReader question(bytes.subspan(position));
    const auto type = question.read_u16();
    if (!name || !type || !question.skip(2)) return std::nullopt;
    message.questions.push_back({*std::move(name), *type});
    position += 4;
  }
  const std::size_t records =
      std::min<std::size_t>(kMaxRecords, std::size_t{*answers} + *authorities + *additional);
  while (message.records.size() < records) {
    DnsRecord record;
    if (!read_record(bytes, position, record)) break;
    message.records.push_back(std::move(record));
  }
  return message;
}

std::vector<base::IpAddress> addresses_of(const DnsMessage& message, std::string_view name) {
  std::vector<base::IpAddress> result;
  std::string current(name);
  for (std::size_t aliases = 0; aliases < kMaxAliases; ++aliases) {
    const DnsRecord* alias = nullptr;
    for (const DnsRecord& record : message.records) {
      if (record.name != current) continue;
      result.insert(result.end(), record.addresses.begin(), record.addresses.end());
      const bool leads_on = record.type == dns_type::kCname ||
                            (record.type == dns_type::kHttps && !record.target.empty());
      if (leads_on) alias = &record;
    }
    if (alias == nullptr || alias->target == current) break;
    current = alias->target;
  }
  return result;
}

}  // namespace alcove::audit
