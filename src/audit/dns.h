#pragma once
// DNS messages (RFC 1035, section 4; RFC 3596; RFC 9460), as far as an audit needs them: what was
// asked, and which addresses came back. Any thread.
//
// Bounds: 32 questions, 256 records; of compression pointers only those that lead back, so that
// every name ends.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::audit {

namespace dns_type {
inline constexpr std::uint16_t kA = 1;
inline constexpr std::uint16_t kCname = 5;
inline constexpr std::uint16_t kPtr = 12;
inline constexpr std::uint16_t kAaaa = 28;
inline constexpr std::uint16_t kSrv = 33;
inline constexpr std::uint16_t kSvcb = 64;
inline constexpr std::uint16_t kHttps = 65;
}  // namespace dns_type

struct DnsQuestion {
  std::string name;  // lower case, without the last dot; bytes that are no text are '?'
  std::uint16_t type = 0;
};

struct DnsRecord {
  std::string name;
  std::uint16_t type = 0;
  std::vector<base::IpAddress> addresses;  // A, AAAA, and the hints of SVCB and HTTPS
  std::string target;                      // CNAME, PTR, SRV, SVCB, HTTPS
};

struct DnsMessage {
  std::uint16_t id = 0;
  bool response = false;
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> records;  // answers, authorities and additional ones
};

// nullopt when the header or a question is not well-formed; records are read until one is not.
std::optional<DnsMessage> parse_dns(base::Bytes message);

// The addresses that a message gives for a name, over at most 16 aliases.
std::vector<base::IpAddress> addresses_of(const DnsMessage& message, std::string_view name);

}  // namespace alcove::audit
