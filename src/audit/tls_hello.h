#pragma once
// The handshake messages that TLS and DTLS send in clear: ClientHello and ServerHello (RFC 8446,
// section 4.1; RFC 5246, section 7.4.1; RFC 6347, section 4.2.1). Bodies are without the handshake
// header. Lists are bounded; what goes over is left out. Any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace alcove::audit {

inline constexpr std::size_t kMaxHelloItems = 512;  // suites, versions, protocols: of each

namespace handshake_type {
inline constexpr std::uint8_t kClientHello = 1;
inline constexpr std::uint8_t kServerHello = 2;
}  // namespace handshake_type

using HelloRandom = std::array<std::uint8_t, 32>;

struct ClientHello {
  std::uint16_t legacy_version = 0;  // 0x0303 TLS 1.2, 0xfefd DTLS 1.2
  HelloRandom random{};
  base::Buffer session_id;  // at most 32 bytes
  std::vector<std::uint16_t> suites;
  std::vector<std::uint16_t> supported_versions;
  std::vector<std::uint16_t> srtp_profiles;  // RFC 5764
  std::vector<std::string> protocols;        // ALPN
  std::string server_name;                   // lower case, at most 255 bytes; "" for none
  bool encrypted_client_hello = false;       // the outer one of ECH
};

struct ServerHello {
  std::uint16_t legacy_version = 0;
  std::uint16_t version = 0;  // chosen: supported_versions where there, else legacy_version
  HelloRandom random{};
  base::Buffer session_id;
  std::uint16_t suite = 0;
  std::optional<std::uint16_t> srtp_profile;
  std::string protocol;  // ALPN, where it is in clear (TLS 1.2)
  bool hello_retry_request = false;
  bool encrypt_then_mac = false;        // RFC 7366
  bool extended_master_secret = false;  // RFC 7627
};

std::optional<ClientHello> parse_client_hello(base::Bytes body, bool datagram);
std::optional<ServerHello> parse_server_hello(base::Bytes body);

// "TLS 1.2", "DTLS 1.0", "SSL 3.0"; "0x1234" for others.
std::string version_name(std::uint16_t version);

enum class SuiteWeakness : std::uint8_t {
  kNone,
  kNoEncryption,      // NULL
  kNoAuthentication,  // anonymous
  kExport,
  kDes,
  kTripleDes,
  kRc4,
  kStaticRsa,  // no forward secrecy: who gets the server's key later reads what was recorded
};
SuiteWeakness suite_weakness(std::uint16_t suite);
// "RC4", "3DES", ... ; "" for kNone.
std::string_view weakness_name(SuiteWeakness weakness);

}  // namespace alcove::audit
