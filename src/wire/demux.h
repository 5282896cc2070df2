#pragma once
// Which protocol a datagram on the media port belongs to. Any thread.
//
// RFC 7983, section 7: "if the value of the byte is
//                  +----------------+
//                  |        [0..3] -+--> forward to STUN
//                  |      [16..19] -+--> forward to ZRTP
//      packet -->  |      [20..63] -+--> forward to DTLS
//                  |      [64..79] -+--> forward to TURN Channel
//                  |    [128..191] -+--> forward to RTP/RTCP
//                  +----------------+
// [...] If the value does not match any known range, then the packet MUST be dropped".
//
// RFC 5761, section 4: RTCP packet types 192 to 223 stand where RTP has marker and payload type, so
// payload types 64 to 95 are not used with rtcp-mux.

#include <cstdint>

#include "base/bytes.h"

namespace alcove::wire {

enum class PacketKind : std::uint8_t { kStun, kDtls, kRtp, kRtcp, kUnknown };

constexpr PacketKind classify_packet(base::Bytes datagram) {
  if (datagram.size() < 2) return PacketKind::kUnknown;  // nothing here is as short
  const std::uint8_t first = datagram[0];
  if (first <= 3) return PacketKind::kStun;
  if (first >= 20 && first <= 63) return PacketKind::kDtls;
  if (first < 128 || first > 191) return PacketKind::kUnknown;  // ZRTP and TURN channels too
  const std::uint8_t second = datagram[1];
  return second >= 192 && second <= 223 ? PacketKind::kRtcp : PacketKind::kRtp;
}

}  // namespace alcove::wire
