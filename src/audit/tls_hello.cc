#include "audit/tls_hello.h"

#include <fmt/core.h>

#include <algorithm>

namespace alcove::audit {
namespace {

using base::ByteReader;
using base::Bytes;

constexpr std::uint16_t kServerName = 0;
constexpr std::uint16_t kUseSrtp = 14;
constexpr std::uint16_t kAlpn = 16;
constexpr std::uint16_t kEncryptThenMac = 22;
constexpr std::uint16_t kExtendedMasterSecret = 23;
constexpr std::uint16_t kSupportedVersions = 43;
constexpr std::uint16_t kEncryptedClientHello = 0xfe0d;

// RFC 8446, section 4.1.3: SHA-256 of "HelloRetryRequest".
constexpr HelloRandom kRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

std::optional<Bytes> read_vector8(ByteReader& reader) {
  const auto size = reader.read_u8();
  return size ? reader.read_bytes(*size) : std::nullopt;
}
std::optional<Bytes> read_vector16(ByteReader& reader) {
  const auto size = reader.read_u16();
  return size ? reader.read_bytes(*size) : std::nullopt;
}

std::vector<std::uint16_t> read_numbers(Bytes bytes) {
  std::vector<std::uint16_t> numbers;
  ByteReader reader(bytes);
  while (numbers.size() < kMaxHelloItems) {
    const auto number = reader.read_u16();
    if (!number) break;
    numbers.push_back(*number);
  }
  return numbers;
}

// RFC 6066, section 3. Names are ASCII; a byte that no name has makes it none.
std::string read_server_name(Bytes extension) {
  ByteReader reader(extension);
  const auto list = read_vector16(reader);
  if (!list) return {};
  ByteReader names(*list);
  while (const auto type = names.read_u8()) {
    const auto name = read_vector16(names);
    if (!name) return {};
    if (*type != 0) continue;
    if (name->size() > 255) return {};
    std::string text(base::as_text(*name));
    for (char& c : text) {
      if (c <= ' ' || c > '~') return {};
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
  }
  return {};
}

std::vector<std::string> read_protocols(Bytes extension) {
  std::vector<std::string> protocols;
  ByteReader reader(extension);
  const auto list = read_vector16(reader);
  if (!list) return protocols;
  ByteReader names(*list);
  while (protocols.size() < kMaxHelloItems) {
    const auto name = read_vector8(names);
    if (!name) break;
    protocols.emplace_back(base::as_text(*name));
  }
  return protocols;
}

std::vector<std::uint16_t> read_srtp_profiles(Bytes extension) {
  ByteReader reader(extension);
  const auto list = read_vector16(reader);
  return list ? read_numbers(*list) : std::vector<std::uint16_t>{};
}

template <typename Visitor>
void for_each_extension(ByteReader& reader, Visitor&& visit) {
  const auto size = reader.read_u16();
  if (!size) return;
  // An extension block that was cut is read as far as it goes.
  ByteReader extensions(reader.rest().first(std::min<std::size_t>(*size, reader.remaining())));
  while (const auto type = extensions.read_u16()) {
    const auto data = read_vector16(extensions);
    if (!data) return;
    visit(*type, *data);
  }
}

void read_client_extension(ClientHello& hello, std::uint16_t type, Bytes data) {
  switch (type) {
    case kServerName:
      hello.server_name = read_server_name(data);
      break;
    case kAlpn:
      hello.protocols = read_protocols(data);
      break;
    case kSupportedVersions:
      if (!data.empty()) hello.supported_versions = read_numbers(data.subspan(1));
      break;
    case kUseSrtp:
      hello.srtp_profiles = read_srtp_profiles(data);
      break;
    case kEncryptedClientHello:
      hello.encrypted_client_hello = true;
      break;
    default:
      break;
  }
}

void read_server_extension(ServerHello& hello, std::uint16_t type, Bytes data) {
  switch (type) {
    case kAlpn:
      if (const auto protocols = read_protocols(data); !protocols.empty())
        hello.protocol = protocols.front();
      break;
    case kSupportedVersions:
      if (data.size() == 2) hello.version = static_cast<std::uint16_t>(data[0] << 8 | data[1]);
      break;
    case kUseSrtp:
      if (const auto profiles = read_srtp_profiles(data); !profiles.empty())
        hello.srtp_profile = profiles.front();
      break;
    case kEncryptThenMac:
      hello.encrypt_then_mac = true;
      break;
    case kExtendedMasterSecret:
      hello.extended_master_secret = true;
      break;
    default:
      break;
  }
}

// The start that both hellos share: version, random, session id.
template <typename Hello>
bool read_start(Hello& hello, ByteReader& reader) {
  const auto version = reader.read_u16();
  const auto random = reader.read_bytes(hello.random.size());
  if (!version || !random) return false;
  const auto high = static_cast<std::uint8_t>(*version >> 8);
  if (high != 3 && high != 0xfe) return false;
  hello.legacy_version = *version;
  std::ranges::copy(*random, hello.random.begin());
  const auto session = read_vector8(reader);
  if (!session || session->size() > 32) return false;
  hello.session_id = base::to_buffer(*session);
  return true;
}

}  // namespace

std::optional<ClientHello> parse_client_hello(Bytes body, bool datagram) {
  ClientHello hello;
  ByteReader reader(body);
  if (!read_start(hello, reader)) return std::nullopt;
  if (datagram && !read_vector8(reader)) return std::nullopt;  // cookie
  const auto suites = read_vector16(reader);
  if (!suites || suites->size() % 2 != 0 || suites->empty()) return std::nullopt;
  hello.suites = read_numbers(*suites);
  if (!read_vector8(reader)) return std::nullopt;  // compression methods
  for_each_extension(reader, [&hello](std::uint16_t type, Bytes data) {
    read_client_extension(hello, type, data);
  });
  return hello;
}

std::optional<ServerHello> parse_server_hello(Bytes body) {
  ServerHello hello;
  ByteReader reader(body);
  if (!read_start(hello, reader)) return std::nullopt;
  hello.version = hello.legacy_version;
  hello.hello_retry_request = hello.random == kRetryRandom;
  const auto suite = reader.read_u16();
  if (!suite || !reader.skip(1)) return std::nullopt;
  hello.suite = *suite;
  for_each_extension(reader, [&hello](std::uint16_t type, Bytes data) {
    read_server_extension(hello, type, data);
  });
  return hello;
}

std::string version_name(std::uint16_t version) {
  switch (version) {
    case 0x0300:
      return "SSL 3.0";
    case 0x0301:
      return "TLS 1.0";
    case 0x0302:
      return "TLS 1.1";
    case 0x0303:
      return "TLS 1.2";
    case 0x0304:
      return "TLS 1.3";
    case 0xfeff:
      return "DTLS 1.0";
    case 0xfefd:
      return "DTLS 1.2";
    case 0xfefc:
      return "DTLS 1.3";
    default:
      return fmt::format("0x{:04x}", version);
  }
}

}  // namespace alcove::audit
