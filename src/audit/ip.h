#pragma once
// The headers of one IP packet: IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200, 4).
// Any thread.

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::audit {

struct IpHeaders {
  base::IpAddress source;
  base::IpAddress destination;
  std::uint32_t length = 0;   // of the whole packet, as the header says
  std::uint8_t protocol = 0;  // after the extension headers that were read
  // What follows the headers, as captured; of a fragment its part.
  base::Bytes payload;
  std::uint32_t payload_length = 0;  // as sent
  bool malformed = false;            // behind the addresses; payload is empty then
  // A fragment: part of a packet, from offset bytes on. (A fragment that is the whole is none.)
  bool fragment = false;
  bool more_fragments = false;
  std::uint32_t fragment_offset = 0;
  std::uint32_t fragment_id = 0;
};

// bytes: an IP packet and perhaps padding. sent: how long they were on the wire; at least
// bytes.size(). nullopt where there are no addresses to tell.
std::optional<IpHeaders> parse_ip(base::Bytes bytes, std::uint32_t sent);

// Walks over extension headers at the beginning of headers.payload, which protocol names; of a
// packet put together from fragments, those behind the fragment header.
void skip_extension_headers(IpHeaders& headers);

}  // namespace alcove::audit
