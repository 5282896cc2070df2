#pragma once
// What an audit finds. Codes are stable: a number, once published, keeps its meaning
// (docs/audit.md). One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "audit/flow.h"

namespace alcove::audit {

enum class Severity : std::uint8_t {
  kInfo,
  kWarning,
  kError
};  // info does not make an exit status 1

// The number in AUD-101. 1xx where packets went, 2xx what was readable, 3xx audio, 4xx sizes and
// timings, 9xx the capture itself. The texts of each, in both languages, are in finding_texts.cc.
enum class FindingCode : std::uint16_t {
  kDeniedCountry = 101,     // a packet to or from an address that the policy denies by location
  kDeniedOwner = 102,       // by the network's owner
  kDeniedUnknown = 103,     // the database does not say, and the policy denies that
  kNotInManifest = 104,     // an endpoint that the manifest does not list
  kAnycast = 105,           // location not knowable
  kDnsNotInManifest = 106,  // a name was asked for that the manifest does not list
  kManifestAgainstPolicy = 107,  // the manifest lists an endpoint that the policy denies
  kManifestInvalid = 108,        // signature, key or chain
  kDeniedOther = 109,            // denied networks, private, reserved: Decision says
  kManifestNameElsewhere = 110,  // a listed name resolved to an address that is not listed for it

  kKnownIdentifier = 201,  // of --identifiers, in clear
  kToken = 202,            // an access token in clear: Agora 006…, JWT, Bearer
  kRepeatedToken = 203,    // the same long token in several flows
  kIdentifierField = 204,  // a field that names a user, room or device (CH-UserID, uid=, channel…)
  kDeviceString = 205,     // "iPhone/iPhone9,3/iOS/14.2"
  kCleartextDns = 206,
  kCleartextHttp = 207,
  kCleartextSdp = 208,
  kStunAttribute = 209,   // USERNAME that repeats, SOFTWARE, REALM, private addresses in it
  kRtcpName = 210,        // SDES CNAME and NAME in clear
  kWeakTls = 211,         // below 1.2, or broken suites, in what the server chose
  kPrivateAddress = 212,  // the client's own private address inside of a payload
  kVendorProtocol = 213,  // a bootstrap or QoS packet of a known vendor protocol
  kSrtpKeyInClear = 214,  // a=crypto in readable SDP
  kMdnsName = 215,
  kIdentifierInsideTls = 251,  // with keys: an identifier that the server's operator reads (info)

  kRtpInClear = 301,  // RTP that is not SRTP
  kOpusReadable = 302,
  kPcmuReadable = 303,
  kPcmaReadable = 304,
  kG722Readable = 305,
  kSpeechReadable = 306,     // what decodes sounds like speech
  kNoInnerEncryption = 307,  // with the hop's keys: plain audio behind SRTP
  kInnerEncryption = 308,    // with the hop's keys: SFrame behind SRTP (info, what should be)
  kWeakDtls = 309,
  kUnencryptedRtcp = 310,

  kSizesTellSpeech = 401,    // packet sizes of a media stream vary with the voice
  kAudioLevelInClear = 402,  // RFC 6464 header extension
  kSilenceTold = 403,        // sent on and off in step with speech, shorter than a hangover (info)

  kCutFrames = 901,
  kEndedEarly = 902,
  kDroppedByCapture = 903,
  kUnknownLinkType = 904,
  kLimitReached = 905,   // flows, streams or fragments were given up
  kUndecryptable = 906,  // keys were given for a session that could not be opened
  kMediaUnopened = 907,  // with --keys: SRTP for which there was none (info)
};
std::string code_text(FindingCode code);  // "AUD-101"
Severity severity_of(FindingCode code);
std::span<const FindingCode> all_codes();

struct Evidence {
  std::uint64_t packet = 0;
  CaptureTime time;
  std::uint32_t flow = 0;  // Flow::id; 0: none
  std::string excerpt;     // printable, at most 120 bytes, secrets cut by cut_secret()
};

struct Finding {
  FindingCode code{};
  // What it is about, which merges: a country, "198.51.100.7:4000/udp", a name, an identifier.
  std::string subject;
  std::string detail_en;  // a sentence about this very case; may be empty
  std::string detail_fr;
  std::uint64_t count = 0;         // packets (or places) in all
  std::vector<Evidence> evidence;  // the first kMaxEvidence
  std::uint64_t last_packet = 0;
  std::vector<std::uint32_t> flows;  // the first 16
};

// Findings of one code about one subject are one, with a count. At most kMaxFindings in all and
// kMaxOfCode of a code; what goes over is counted.
class Findings {
 public:
  static constexpr std::size_t kMaxEvidence = 8;
  static constexpr std::size_t kMaxFindings = 25'000;  // so many codes times kMaxOfCode
  static constexpr std::size_t kMaxOfCode = 500;

  // Called at the first of each code and subject.
  std::function<void(const Finding&)> on_first;

  // True when this is the first of its code and subject. Details are taken from the first.
  bool add(FindingCode code, std::string_view subject, const Flow* flow, const Packet* packet,
           std::string_view excerpt = {}, std::string_view detail_en = {},
           std::string_view detail_fr = {});
  bool add(FindingCode code, std::string_view subject, const Evidence& evidence,
           std::string_view detail_en = {}, std::string_view detail_fr = {});
  // Counts further packets of a finding that is there.
  void count_more(FindingCode code, std::string_view subject, std::uint64_t count,
                  std::uint64_t last_packet);
  // By code, then in the order of their first packet.
  std::vector<Finding> sorted() const;
  std::uint64_t left_out() const { return left_out_; }
  std::size_t size() const { return findings_.size(); }
  // Whether some finding names this flow among its first 16.
  bool concerns(std::uint32_t flow) const { return flows_.contains(flow); }

 private:
  std::map<std::pair<FindingCode, std::string>, Finding, std::less<>> findings_;
  std::map<FindingCode, std::size_t> of_code_;
  std::unordered_set<std::uint32_t> flows_;
  std::uint64_t left_out_ = 0;
};

// Readable text of bytes for an excerpt: printable ASCII as it is, the rest as dots; of words of 16
// characters and more, which may be secrets, the first four.
std::string make_excerpt(base::Bytes bytes, std::size_t at, std::size_t length);
// "0060f8a1…(198 characters)": enough to find it again, not enough to use it.
std::string cut_secret(std::string_view secret);

}  // namespace alcove::audit
