#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace alcove::base {
namespace {

constexpr std::size_t kFnvOffset = 14695981039346656037U;
constexpr std::size_t kFnvPrime = 1099511628211U;

std::size_t mix(std::size_t hash, std::uint64_t value) { return (hash ^ value) * kFnvPrime; }

std::size_t mix(std::size_t hash, const SocketAddress& address) {
  for (const std::uint8_t byte : address.ip.bytes()) hash = mix(hash, byte);
  return mix(hash, address.port);
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin()))
    return v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  IpAddress address;
  address.v4_ = false;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton stops at a NUL and would accept what stands behind one.
  if (text.size() >= INET6_ADDRSTRLEN || text.contains('\0')) return std::nullopt;
  const std::string copy(text);
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, copy.c_str(), four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, copy.c_str(), sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.begin() + 15, [](auto b) { return b == 0; });
}

bool IpAddress::is_link_local() const {
  if (v4_) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](auto b) { return b == 0; });
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), out.data(), out.size());
  return out.data();
}

std::string SocketAddress::text() const {
  const std::string number = std::to_string(port);
  return ip.is_v4() ? ip.text() + ":" + number : "[" + ip.text() + "]:" + number;
}

std::size_t hash_value(const SocketAddress& address) { return mix(kFnvOffset, address); }

std::size_t hash_value(const Path& path) {
  std::size_t hash = mix(kFnvOffset, static_cast<std::uint64_t>(path.protocol));
  hash = mix(hash, path.local);
  hash = mix(hash, path.remote);
  return mix(hash, path.connection);
}

}  // namespace alcove::base
