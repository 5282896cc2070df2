#pragma once
// The addresses that a client is given: http, https, ws and wss URLs. Any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alcove::net {

struct Url {
  bool secure = false;       // https or wss
  std::string host;          // a name or an address literal, without brackets
  std::uint16_t port = 80;   // the scheme's default where the text has none
  std::string target = "/";  // path and query; never empty, begins with "/"; no fragment
  std::string fragment;      // without "#"; never sent

  // nullopt for another scheme, user information, an empty host, a control character or a space.
  static std::optional<Url> parse(std::string_view text);
  // "example.org", "example.org:8443", "[::1]:8080": as in a Host header.
  std::string authority() const;
  // The same server, another target.
  Url with_target(std::string new_target) const;
};

}  // namespace alcove::net
