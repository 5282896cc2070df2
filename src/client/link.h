#pragma once
// The link of a room, and the address of a server, as people paste them. Any thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace alcove::client {

// Where the API is: http or https, a host and a port.
struct ServerAddress {
  bool secure = false;
  std::string host;  // lower case; without brackets
  std::uint16_t port = 80;

  // "http://example.org:8080"; the port only where it is not the scheme's own.
  std::string origin() const;
  bool operator==(const ServerAddress&) const = default;
};

// http(s)://host[:port]/r/<room_id>[#fragment]
struct RoomLink {
  ServerAddress server;
  base::RoomId room;
  // Without "#". It is for the room's members alone and is never sent to a server.
  std::string fragment;
};

// kInvalidArgument, with a message that says what is wrong with the text.
base::Result<RoomLink> parse_room_link(std::string_view text);
// The same without a path; "https://" may be left out, but not "http://".
base::Result<ServerAddress> parse_server_address(std::string_view text);

}  // namespace alcove::client
