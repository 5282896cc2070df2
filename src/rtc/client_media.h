#pragma once
// The media of one ClientPeer, from the SRTP keys on: one sent stream, received slots, RTCP and
// repair. One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/datagram.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/dtls.h"
#include "crypto/replay_window.h"
#include "crypto/srtp.h"
#include "rtc/client_answer.h"
#include "rtc/client_peer.h"
#include "rtc/nack.h"
#include "rtc/receive_statistics.h"
#include "rtc/sender_statistics.h"
#include "wire/rtcp.h"

namespace alcove::rtc {

// The largest payload of one frame: what fits into 1,200 bytes with header and tag is certain to
// pass, and Opus frames are far smaller.
inline constexpr std::size_t kMaxFramePayload = 1'200;

class ClientMedia {
 public:
  // source is that of the offer; opened_share that of ClientPeerOptions. random outlives this.
  ClientMedia(base::RandomSource& random, base::Instant now,
              const crypto::DtlsSession::SrtpKeys& keys, wire::SdpSource source,
              const ClientAnswer& answer, std::uint32_t opened_share = 1);

  // Appends what is to be sent along path.
  void send_frame(base::Instant now, const base::Path& path, base::Bytes payload,
                  std::uint32_t timestamp, bool marker, base::DatagramQueue& out);

  // Counts a packet of a slot that opened_share leaves out. False: it is for handle_rtp().
  bool count_unopened(base::Instant now, base::Bytes packet);
  // Decrypts packet in place. The frame's payload_offset is that in packet. nullopt for what is
  // dropped (and counted), and for what has no payload.
  std::optional<RemoteFrame> handle_rtp(base::Instant now, base::MutableBytes packet);
  // Answers NACKs along path, when there is one.
  void handle_rtcp(base::Instant now, base::MutableBytes packet,
                   const std::optional<base::Path>& path, base::DatagramQueue& out);
  void handle_timeout(base::Instant now, const std::optional<base::Path>& path,
                      base::DatagramQueue& out);
  base::Instant next_deadline() const;
  // Of ICE: until the relay's reports tell.
  void set_round_trip(base::Duration round_trip) { ice_round_trip_ = round_trip; }

  void add_statistics(ClientPeerStatistics& statistics) const;

 private:
  struct Slot {
    std::uint32_t ssrc = 0;
    bool is_open = false;
    bool nack = false;
    bool is_active = false;  // something came since the last report
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t unopened = 0;
    std::optional<std::uint64_t> opened_highest;  // extended sequence number, authenticated
    crypto::ReplayWindow counted;                 // of what is only counted
    ReceiveStatistics receive;
    NackGenerator missing;
  };

  std::size_t find_slot(std::uint32_t ssrc) const;  // slots_.size() when there is none
  void send_packet(const base::Path& path, const RetransmissionRing::Packet& packet,
                   base::DatagramQueue& out);
  void send_compound(const base::Path& path, wire::RtcpWriter& writer, base::DatagramQueue& out);
  void send_report(base::Instant now, const base::Path& path, base::DatagramQueue& out);
  void send_nacks(base::Instant now, const base::Path& path, base::DatagramQueue& out);
  void handle_reports(base::Instant now, const wire::ReportBlocks& blocks);
  void handle_nack(const wire::Nack& nack, const base::Path& path, base::DatagramQueue& out);
  base::Duration round_trip() const;

  base::RandomSource& random_;
  crypto::SrtpSender sender_;
  crypto::SrtpReceiver receiver_;
  wire::SdpSource source_;
  std::uint8_t payload_type_;
  NtpClock clock_;
  std::uint32_t timestamp_offset_;
  std::uint64_t next_index_;  // rollover counter and sequence number of the next packet
  RetransmissionRing ring_;
  SenderStatistics sent_;
  std::uint64_t sent_at_report_ = 0;
  std::uint32_t opened_share_;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> missing_;  // scratch
  std::vector<std::uint16_t> lost_;     // scratch
  base::Instant next_report_;
  bool has_reported_ = false;
  std::optional<base::Duration> ice_round_trip_;
  std::optional<base::Duration> round_trip_;
  std::uint8_t reported_loss_ = 0;
  std::uint64_t resent_ = 0;
  std::uint64_t unauthenticated_ = 0;
  std::uint64_t malformed_ = 0;
};

}  // namespace alcove::rtc
