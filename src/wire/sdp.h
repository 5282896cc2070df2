#pragma once
// Session descriptions (RFC 8866) as WebRTC audio uses them (RFC 8829, RFC 8839): the offer of a
// browser or of the native client, and the answer of the lite relay. Not for packet paths: these
// allocate. Any thread.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::wire {

// Bounds of what is accepted; more is an error.
inline constexpr std::size_t kMaxSdpSize = 65'536;
inline constexpr std::size_t kMaxSdpLine = 1024;
inline constexpr std::size_t kMaxSdpMedia = 16;
inline constexpr std::size_t kMaxSdpPayloadTypes = 64;  // of one m-line
inline constexpr std::size_t kMaxSdpFeedback = 16;      // of one payload type
inline constexpr std::size_t kMaxSdpSources = 16;       // of one m-line
inline constexpr std::size_t kMaxSdpCandidates = 64;    // of one m-line
inline constexpr std::uint8_t kOpusPayloadType = 111;   // in offers of ours

struct SdpError {
  std::size_t line = 0;  // from 1; 0 when it is about the whole
  std::string text;      // which line and why, for the person who sent it; quotes none of it
};

enum class SdpMediaKind : std::uint8_t { kAudio, kVideo, kApplication, kOther };
enum class SdpDirection : std::uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };
enum class SdpSetup : std::uint8_t { kActpass, kActive, kPassive };
enum class CandidateType : std::uint8_t { kHost, kServerReflexive, kPeerReflexive, kRelay };
enum class TcpType : std::uint8_t { kNone, kActive, kPassive, kSimultaneousOpen };

struct IceCredentials {
  std::string ufrag;  // 4 to 256 characters of ice-char
  std::string pwd;    // 22 to 256
  bool operator==(const IceCredentials&) const = default;
};

struct SdpFingerprint {
  std::string algorithm;  // lower case: "sha-256"
  base::Buffer digest;
  bool operator==(const SdpFingerprint&) const = default;
};

// RFC 8839, section 5.1, and RFC 6544 for TCP.
struct IceCandidate {
  std::string foundation;
  std::uint16_t component = 1;
  base::TransportProtocol protocol = base::TransportProtocol::kUdp;
  std::uint32_t priority = 0;
  base::SocketAddress address;
  CandidateType type = CandidateType::kHost;
  TcpType tcp_type = TcpType::kNone;
  bool operator==(const IceCandidate&) const = default;
};

// RFC 8445, section 5.1.2.1, for a host candidate and component 1. A lower local_preference for TCP
// than for UDP keeps UDP first.
constexpr std::uint32_t host_candidate_priority(std::uint16_t local_preference) {
  return 126U << 24 | static_cast<std::uint32_t>(local_preference) << 8 | (256U - 1U);
}

struct SdpCodec {
  std::uint8_t payload_type = 0;
  std::string name;  // as written; empty for a static type without an rtpmap
  std::uint32_t clock_rate = 0;
  std::uint8_t channels = 1;
  std::string parameters;             // of a=fmtp
  std::vector<std::string> feedback;  // of a=rtcp-fb for this type or for *: "nack", "transport-cc"
};

struct SdpSource {
  std::uint32_t ssrc = 0;
  std::string cname;  // empty when not said
  bool operator==(const SdpSource&) const = default;
};

// One m-line. What stands at session level for all of them is copied into each that does not say
// it.
struct SdpMedia {
  std::size_t line = 0;              // where it begins, from 1
  std::string media;                 // "audio", as written
  std::string protocol;              // "UDP/TLS/RTP/SAVPF"
  std::vector<std::string> formats;  // as written; for RTP these are the payload types
  std::string mid;                   // empty when not said
  std::vector<SdpCodec> codecs;      // of RTP m-lines, in order of preference
  std::vector<SdpSource> sources;
  std::vector<IceCandidate> candidates;  // those that can be used: an IP address, UDP or TCP
  std::optional<IceCredentials> ice;
  std::optional<SdpFingerprint> fingerprint;  // sha-256 if any is
  std::optional<SdpSetup> setup;
  std::uint16_t port = 0;  // 0: rejected, unless bundle_only
  SdpMediaKind kind = SdpMediaKind::kOther;
  SdpDirection direction = SdpDirection::kSendRecv;
  bool bundle_only = false;  // RFC 9143: takes part through the BUNDLE group alone
  bool rtcp_mux = false;
  bool end_of_candidates = false;

  bool is_rejected() const { return port == 0 && !bundle_only; }
  // The first Opus (RFC 7587: 48,000 Hz, 2 channels); null if there is none.
  const SdpCodec* find_opus() const;
  // Audio with Opus that is not rejected: what an answer of ours takes.
  bool can_accept_opus() const {
    return kind == SdpMediaKind::kAudio && !is_rejected() && find_opus() != nullptr;
  }
  bool sends() const {
    return direction == SdpDirection::kSendRecv || direction == SdpDirection::kSendOnly;
  }
  bool receives() const {
    return direction == SdpDirection::kSendRecv || direction == SdpDirection::kRecvOnly;
  }
};

struct SdpDescription {
  std::uint64_t session_id = 0;
  std::uint64_t session_version = 0;
  bool ice_lite = false;
  std::vector<std::string> ice_options;
  std::vector<std::string> bundle;  // the mids of the first group of BUNDLE
  std::vector<SdpMedia> media;
  // The first line that tells an address of the sender: any candidate, or an o=, c= or a=rtcp with
  // an address that is neither unspecified nor loopback (as in placeholders). 0 when there is none.
  std::size_t address_line = 0;
};

std::expected<SdpDescription, SdpError> parse_sdp(std::string_view text);

// What a native member offers: m-line 0 sends (and does not receive), slots receive.
struct OfferOptions {
  std::uint64_t session_id = 0;       // below 2^63
  std::uint64_t session_version = 1;  // one more for each later offer
  IceCredentials ice;
  base::Bytes fingerprint;  // SHA-256 of the certificate, 32 bytes
  SdpSource source;         // of m-line 0
  std::size_t slots = 4;
};
std::string write_offer(const OfferOptions& options);

// What the relay answers. The caller has checked the offer (check_offer below).
struct AnswerOptions {
  std::uint64_t session_id = 0;
  std::uint64_t session_version = 1;
  IceCredentials ice;
  base::Bytes fingerprint;               // SHA-256, 32 bytes
  std::vector<IceCandidate> candidates;  // of the one bundled transport
  // For the offer's receive-only m-lines, in order; those without one are answered inactive.
  std::vector<SdpSource> slots;
};

// The m-lines of offer in order. The first that sends becomes recvonly, those that only receive
// become sendonly with a slot's SSRC, others inactive; what is not audio with Opus is rejected
// (port 0).
std::string write_answer(const SdpDescription& offer, const AnswerOptions& options);

// What the answer made of the offer's m-lines: for the relay, which sends with the numbers of the
// offer.
struct OfferPlan {
  std::optional<std::size_t> send;   // index into media
  std::vector<std::size_t> receive;  // indices into media, in order
};
OfferPlan plan_answer(const SdpDescription& offer);

// What an offer must have so that it can be answered: every audio m-line that is not rejected
// bundled, with a mid of its own, rtcp-mux, the same credentials, a sha-256 fingerprint, DTLS as
// client possible, and no address in it. nullopt when all is well.
std::optional<SdpError> check_offer(const SdpDescription& offer);

}  // namespace alcove::wire
