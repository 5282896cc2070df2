#pragma once
// A native client's whole connection to a relay, without sockets or clocks: ICE, DTLS, SRTP, one
// sent Opus stream, and the received slots. The caller executes outgoing() and events() after each
// call. One thread.
//
//   peer->create_offer() -> to the server; the answer -> set_answer(now, sdp); then
//   handle_datagram / handle_timeout as they come; send_frame every 20 ms while speaking.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/datagram.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/dtls.h"

namespace alcove::rtc {

// Certificate and DTLS context, where many peers of one process share them: load tests. A member
// of its own has one a join.
struct ClientIdentity {
  ClientIdentity(base::RandomSource& random, base::WallTime wall_time,
                 base::TlsKeyLog* key_log = nullptr)
      : certificate(crypto::Certificate::generate(random, wall_time)),
        context(certificate, crypto::DtlsSrtpProfiles::kGcmThenCm, key_log) {}
  crypto::Certificate certificate;
  crypto::DtlsContext context;
};

struct ClientPeerOptions {
  // Addresses of bound UDP sockets; an unspecified one (0.0.0.0, ::) leaves the choice to the
  // system.
  std::vector<base::SocketAddress> local_addresses;
  std::size_t slots = 4;
  bool use_udp = true;
  bool use_tcp = true;
  base::WallTime wall_time;  // about now, for the dates in the certificate
  std::shared_ptr<const ClientIdentity> identity = {};  // null: a new one
  // Is told the secrets of the DTLS session of a new identity; outlives the peer. May be null.
  base::TlsKeyLog* tls_key_log = nullptr;
  // Load tests: one RTP packet in so many of a slot is decrypted and becomes a RemoteFrame. The
  // others are counted by their clear header (loss, jitter and repair stay true) and not
  // authenticated. 1: all, as everybody else has it.
  std::uint32_t opened_share = 1;
};

enum class PeerState : std::uint8_t {
  kNew,
  kChecking,      // since the answer: ICE, then DTLS
  kConnected,     // DTLS is done and a path works
  kDisconnected,  // nothing has answered for 5 s; it may come back, and an ICE restart may help
  kFailed,        // the end, but for an ICE restart when DTLS had been done
};

enum class PeerFailure : std::uint8_t { kNone, kNoPath, kDtls, kConsentExpired };

struct PeerStateChanged {
  PeerState state = PeerState::kNew;
  PeerFailure failure = PeerFailure::kNone;  // of kFailed
};
// The caller opens a TCP connection to remote, frames datagrams by RFC 4571, and calls
// handle_tcp_opened or handle_tcp_failed.
struct OpenTcpConnection {
  base::SocketAddress remote;
};
struct CloseTcpConnection {
  std::uint64_t connection = 0;
};
// A packet of a slot, once each, in the order of arrival: late and repaired ones come out of order.
struct RemoteFrame {
  std::size_t slot = 0;            // 0 to slots - 1
  std::uint64_t sequence = 0;      // extended; contiguous when nothing is lost
  std::uint32_t timestamp = 0;     // 48 kHz
  bool marker = false;             // the first packet of a talk spurt
  std::size_t payload_offset = 0;  // see ClientPeer::payload()
  std::size_t payload_size = 0;
};
using PeerEvent =
    std::variant<PeerStateChanged, OpenTcpConnection, CloseTcpConnection, RemoteFrame>;

struct SlotStatistics {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;      // payload
  std::int64_t lost = 0;         // never arrived, after repair
  std::uint64_t repaired = 0;    // arrived after a NACK
  std::uint64_t duplicates = 0;  // dropped by the replay window
  std::uint64_t unopened = 0;    // of packets: counted by their header (opened_share)
  base::Duration jitter{};
};

struct ClientPeerStatistics {
  std::optional<base::Path> selected_path;
  std::string_view srtp_profile;                 // as IANA names it; empty before DTLS is done
  std::optional<base::Duration> ice_round_trip;  // of the last check
  std::optional<base::Duration> round_trip;      // from the relay's receiver reports
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_resent = 0;
  double reported_loss = 0;                   // the relay's last report on our stream, 0 to 1
  std::uint64_t dropped_unauthenticated = 0;  // wrong path, bad tag
  std::uint64_t dropped_malformed = 0;        // not a packet, unknown stream or payload type
  std::vector<SlotStatistics> slots;
};

class ClientPeer {
 public:
  // A new certificate, new credentials and new stream ids: one join. random outlives the peer.
  static std::unique_ptr<ClientPeer> create(base::RandomSource& random, ClientPeerOptions options);
  ~ClientPeer();
  ClientPeer(const ClientPeer&) = delete;
  ClientPeer& operator=(const ClientPeer&) = delete;

  // One send m-line (mid 0) and one receive-only m-line a slot; no candidates, no addresses.
  std::string create_offer() const;
  // kInvalidArgument when the answer does not fit the offer, kFailedPrecondition when there was
  // one.
  base::Result<void> set_answer(base::Instant now, std::string_view sdp);

  // New ICE credentials, and the addresses of now; DTLS and SRTP go on. Frames may be sent
  // meanwhile: they take the old path while it has consent. kFailedPrecondition before the first
  // answer.
  base::Result<std::string> create_restart_offer(std::vector<base::SocketAddress> local_addresses);
  base::Result<void> set_restart_answer(base::Instant now, std::string_view sdp);

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;
  // remote is that of OpenTcpConnection; path has the connection's number, not 0.
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path);
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote);
  void handle_tcp_closed(base::Instant now, std::uint64_t connection);

  // Sends one Opus frame (at most 1,200 bytes). False, and nothing is sent, unless DTLS is done and
  // a path has consent. marker: the first of a talk spurt.
  bool send_frame(base::Instant now, base::Bytes payload, std::uint32_t timestamp, bool marker);

  // To be sent, then clear()ed by the caller.
  base::DatagramQueue& outgoing();
  // In order, since the last clear_events(), which also ends the life of their payloads.
  std::span<const PeerEvent> events() const;
  base::Bytes payload(const RemoteFrame& frame) const;
  void clear_events();

  PeerState state() const;
  ClientPeerStatistics statistics() const;

 private:
  class Impl;
  explicit ClientPeer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alcove::rtc
