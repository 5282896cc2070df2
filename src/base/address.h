#pragma once
// Network addresses as values. Only src/net turns them into sockaddr. Any thread.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace alcove::base {

// IPv4 or IPv6; an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) is stored as IPv4.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
  // A literal; no zone, no name.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_v6() const { return !v4_; }
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_unspecified() const;
  // 4 or 16 bytes, network order.
  Bytes bytes() const { return Bytes(bytes_).first(v4_ ? 4 : 16); }
  std::string text() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> bytes_{};
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;
  std::string text() const;  // 192.0.2.1:7878 or [2001:db8::1]:7878
  auto operator<=>(const SocketAddress&) const = default;
};

enum class TransportProtocol : std::uint8_t { kUdp, kTcp };

// Where a datagram came from and by which of our own addresses: replies go back the same way.
// Over TCP (RFC 6544) connection names the accepted or opened connection and is never 0.
struct Path {
  TransportProtocol protocol = TransportProtocol::kUdp;
  SocketAddress local;
  SocketAddress remote;
  std::uint64_t connection = 0;
  auto operator<=>(const Path&) const = default;
};

std::size_t hash_value(const SocketAddress& address);
std::size_t hash_value(const Path& path);

}  // namespace alcove::base

template <>
struct std::hash<alcove::base::SocketAddress> {
  std::size_t operator()(const alcove::base::SocketAddress& a) const noexcept {
    return alcove::base::hash_value(a);
  }
};
template <>
struct std::hash<alcove::base::Path> {
  std::size_t operator()(const alcove::base::Path& p) const noexcept {
    return alcove::base::hash_value(p);
  }
};
