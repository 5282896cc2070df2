#pragma once
// What a shard has counted since it began. Any thread (a copy).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace alcove::relay {

// Why something from outside had no effect.
enum class DropReason : std::uint8_t {
  kOversized,         // more than base::kMaxDatagram
  kUnknownKind,       // neither STUN, DTLS nor RTP by its first byte (RFC 7983)
  kMalformedStun,     // not a binding request with USERNAME
  kUnknownUfrag,      // STUN for an endpoint that is not here
  kRefusedStun,       // STUN whose integrity, fingerprint or role is wrong
  kLimitedStun,       // STUN that was not looked at: too much of its source's was refused
  kUnknownPath,       // DTLS or SRTP from a path that no STUN check has validated
  kForeignPath,       // STUN by a path on which another endpoint has just been checked
  kTooManyRoutes,     // a path of another shard's endpoint over max_routed_paths
  kRefusedDtls,       // it ended the handshake
  kHandshakesQueued,  // DTLS for which the queue of handshakes has no place
  kNotConnected,      // SRTP before the keys
  kMalformedRtp,      // not RTP or RTCP after the first byte
  kRefusedSrtp,       // authentication failed, or a replay
  kNotAllowedToSend,  // RTP of an endpoint that may not send
  kForeignStream,     // RTP of a second SSRC, or of another payload type
  kOverBudget,        // more than any audio stream needs
  kNoFreeSlot,        // all slots are taken by others
  kImplausible,       // RTP whose timestamp contradicts its sequence number
  kBeforeSpurt,       // RTP older than the talk spurt that is running
  kUnknownRoom,       // a shard message for a room that is gone
  kNackNotHeld,       // a NACK for a packet that the ring no longer has
  kNackOverBudget,    // a NACK over the listener's budget
  kCount,
};

// snake_case, for a metric's label.
std::string_view name(DropReason reason);

struct ShardCounters {
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_forwarded_to_shards =
      0;                               // came in at this socket, belong to another shard
  std::uint64_t speaker_packets = 0;   // accepted from speakers
  std::uint64_t slot_packets = 0;      // given a slot here, once for each packet
  std::uint64_t listener_packets = 0;  // sent to listeners
  std::uint64_t held_packets = 0;      // of slots, that have waited for those of others
  std::uint64_t retransmissions = 0;
  std::uint64_t nacks_to_speakers = 0;
  std::uint64_t endpoints_opened = 0;
  std::uint64_t endpoints_gone = 0;       // consent expired, never checked, or DTLS failed
  std::uint64_t endpoints = 0;            // now
  std::uint64_t endpoints_connected = 0;  // now
  std::uint64_t rooms = 0;                // now, with endpoints on this shard
  std::uint64_t refused_overloaded = 0;   // endpoints that were not opened
  std::uint64_t handshake_flights = 0;    // flights of DTLS that were served
  std::uint64_t handshakes_waiting = 0;   // now, for their turn
  std::array<std::uint64_t, static_cast<std::size_t>(DropReason::kCount)> dropped{};

  void drop(DropReason reason) { ++dropped[static_cast<std::size_t>(reason)]; }
  std::uint64_t of(DropReason reason) const { return dropped[static_cast<std::size_t>(reason)]; }
};

}  // namespace alcove::relay
