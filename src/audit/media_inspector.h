#pragma once
// Finds streams of media in flows and says whether they can be read: RTP over UDP, TURN and TCP
// (RFC 4571), RTCP, and SRTP whose DTLS keys the key log has. One thread.
//
// Bounds: 4,096 streams at a time of which 500 are summarised, 50,000 sources that might become
// one, 32 MB of sampled payloads, 1,024 streams that are opened, 4,096 TCP flows with framing;
// what goes over is counted.

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "audit/dtls_srtp_decrypt.h"
#include "audit/finding.h"
#include "audit/inspector.h"
#include "audit/key_log.h"
#include "audit/media_framing.h"
#include "audit/media_stream.h"
#include "audit/rtp_stream.h"
#include "crypto/srtp.h"
#include "wire/rtp.h"

namespace alcove::audit {

class MediaInspector final : public Inspector {
 public:
  static constexpr std::size_t kMaxStreams = 4096;
  static constexpr std::size_t kMaxSummaries = 500;
  static constexpr std::size_t kMaxCandidates = 50'000;
  static constexpr std::size_t kMaxSampled = 32'000'000;  // bytes
  static constexpr std::size_t kMaxOpened = 1024;
  static constexpr std::size_t kMaxHandshakes = 256;
  static constexpr std::size_t kMaxFramedFlows = 4096;

  struct Counters {
    std::uint64_t rtp_packets = 0;  // of streams
    std::uint64_t streams = 0;
    std::uint64_t streams_left_out = 0;     // not followed
    std::uint64_t summaries_left_out = 0;   // examined, and not listed
    std::uint64_t candidates_left_out = 0;  // packets of new sources when there were too many
    std::uint64_t samples_left_out = 0;     // payloads that there was no room for
    std::uint64_t rtcp_packets = 0;
    std::uint64_t opened_packets = 0;  // SRTP that the key log's keys opened
  };

  // Both outlive it. keys may grow while it works.
  MediaInspector(Findings& findings, const KeyLog& keys);
  ~MediaInspector() override;

  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;
  void finish() override;

  // Of the streams that have ended: all after finish().
  const std::vector<MediaStreamSummary>& summaries() const { return summaries_; }
  const Counters& counters() const { return counters_; }

 private:
  struct State;
  struct Stream;
  struct Candidate;
  struct Datagram {
    base::Bytes bytes;
    DatagramTime when;
    std::size_t size = 0;  // as sent
  };

  void add_candidate(State& state, const Candidate& fresh);
  State& state_of(Flow& flow);
  State* find_state(Flow& flow);
  void handle_framed(Flow& flow, Direction direction, const StreamPiece& piece, bool decrypted);
  void handle_datagram(Flow& flow, Direction direction, const Datagram& datagram, bool unwrapped);
  void handle_dtls(Flow& flow, Direction direction, const Datagram& datagram);
  void handle_rtcp(Flow& flow, Direction direction, const Datagram& datagram);
  void handle_rtp(Flow& flow, Direction direction, const Datagram& datagram);
  Stream* confirm(Flow& flow, State& state, std::uint64_t key, Direction direction,
                  const wire::RtpHeader& header, const Datagram& datagram);
  void sample(Flow& flow, State& state, Stream& stream, const wire::RtpHeader& header,
              const Datagram& datagram);
  // The payload in clear, or as it is where there are no keys; nullopt where it is of no use.
  std::optional<base::Bytes> payload_of(State& state, Stream& stream, const wire::RtpHeader& header,
                                        base::Bytes packet);
  void examine(Flow& flow, State& state, Stream& stream);
  bool examine_opened(const Flow& flow, Stream& stream);
  bool examine_clear(Flow& flow, State& state, Stream& stream);
  void finish_stream(Flow& flow, State& state, Stream& stream);
  void tell_unopened(const Flow& flow, const State& state, Stream& stream);

  Findings& findings_;
  const KeyLog& keys_;
  std::vector<MediaStreamSummary> summaries_;
  Counters counters_;
  std::size_t streams_ = 0;
  std::size_t candidates_ = 0;
  std::uint64_t chance_;  // which candidate goes: not to be known from outside
  std::size_t sampled_ = 0;
  std::size_t opened_ = 0;
  std::size_t handshakes_ = 0;
  std::size_t framed_flows_ = 0;
  base::Buffer scratch_;
};

}  // namespace alcove::audit
