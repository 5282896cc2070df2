#include "audit/finding.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace alcove::audit {
namespace {

constexpr std::size_t kMaxExcerpt = 120;
constexpr std::size_t kMaxSubject = 512;
constexpr std::size_t kMaxFlows = 16;
constexpr std::size_t kShownOfSecret = 8;
constexpr std::size_t kMinSecret = 16;  // words from this length on may be secrets
constexpr std::size_t kShownOfWord = 4;

using enum FindingCode;
constexpr auto kCodes = std::to_array<FindingCode>({kDeniedCountry,
                                                    kDeniedOwner,
                                                    kDeniedUnknown,
                                                    kNotInManifest,
                                                    kAnycast,
                                                    kDnsNotInManifest,
                                                    kManifestAgainstPolicy,
                                                    kManifestInvalid,
                                                    kDeniedOther,
                                                    kManifestNameElsewhere,
                                                    kKnownIdentifier,
                                                    kToken,
                                                    kRepeatedToken,
                                                    kIdentifierField,
                                                    kDeviceString,
                                                    kCleartextDns,
                                                    kCleartextHttp,
                                                    kCleartextSdp,
                                                    kStunAttribute,
                                                    kRtcpName,
                                                    kWeakTls,
                                                    kPrivateAddress,
                                                    kVendorProtocol,
                                                    kSrtpKeyInClear,
                                                    kMdnsName,
                                                    kIdentifierInsideTls,
                                                    kRtpInClear,
                                                    kOpusReadable,
                                                    kPcmuReadable,
                                                    kPcmaReadable,
                                                    kG722Readable,
                                                    kSpeechReadable,
                                                    kNoInnerEncryption,
                                                    kInnerEncryption,
                                                    kWeakDtls,
                                                    kUnencryptedRtcp,
                                                    kSizesTellSpeech,
                                                    kAudioLevelInClear,
                                                    kSilenceTold,
                                                    kCutFrames,
                                                    kEndedEarly,
                                                    kDroppedByCapture,
                                                    kUnknownLinkType,
                                                    kLimitReached,
                                                    kUndecryptable,
                                                    kMediaUnopened});

bool add_flow(Finding& finding, std::uint32_t flow) {
  if (flow == 0 || finding.flows.size() >= kMaxFlows) return false;
  if (std::ranges::find(finding.flows, flow) != finding.flows.end()) return false;
  finding.flows.push_back(flow);
  return true;
}

std::string printable(base::Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes)
    text.push_back(byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.');
  return text;
}

// What tokens are made of.
bool is_word(std::uint8_t byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '+' || byte == '/';
}

}  // namespace

std::string code_text(FindingCode code) {
  return fmt::format("AUD-{}", static_cast<unsigned>(code));
}

// What every network shows (a lookup in clear, a name on the local link) or what is as it should be
// is told and does not fail an audit. What gives away a person, a voice or a key, or breaks the
// policy, is an error. The rest is a warning.
Severity severity_of(FindingCode code) {
  switch (code) {
    case kCleartextDns:
    case kMdnsName:
    case kIdentifierInsideTls:
    case kInnerEncryption:
    case kSilenceTold:
    case kMediaUnopened:
      return Severity::kInfo;
    case kAnycast:
    case kDnsNotInManifest:
    case kRepeatedToken:
    case kDeviceString:
    case kCleartextHttp:
    case kCleartextSdp:
    case kStunAttribute:
    case kRtcpName:
    case kWeakTls:
    case kPrivateAddress:
    case kVendorProtocol:
    case kWeakDtls:
    case kUnencryptedRtcp:
    case kSizesTellSpeech:
    case kAudioLevelInClear:
    case kCutFrames:
    case kUnknownLinkType:
    case kEndedEarly:
    case kDroppedByCapture:
    case kLimitReached:
    case kUndecryptable:
      return Severity::kWarning;
    default:
      return Severity::kError;
  }
}

std::span<const FindingCode> all_codes() { return kCodes; }

bool Findings::add(FindingCode code, std::string_view subject, const Flow* flow,
                   const Packet* packet, std::string_view excerpt, std::string_view detail_en,
                   std::string_view detail_fr) {
  Evidence evidence;
  if (packet != nullptr) {
    evidence.packet = packet->number;
    evidence.time = packet->time;
  }
  if (flow != nullptr) evidence.flow = flow->id;
  evidence.excerpt = excerpt;
  return add(code, subject, evidence, detail_en, detail_fr);
}

bool Findings::add(FindingCode code, std::string_view subject, const Evidence& evidence,
                   std::string_view detail_en, std::string_view detail_fr) {
  subject = subject.substr(0, kMaxSubject);
  auto found = findings_.find(std::pair(code, std::string(subject)));
  const bool first = found == findings_.end();
  if (first) {
    std::size_t& of_code = of_code_[code];
    if (findings_.size() >= kMaxFindings || of_code >= kMaxOfCode) {
      ++left_out_;
      return false;
    }
    ++of_code;
    Finding finding;
    finding.code = code;
    finding.subject = subject;
    finding.detail_en = detail_en;
    finding.detail_fr = detail_fr;
    found = findings_.emplace(std::pair(code, finding.subject), std::move(finding)).first;
  }
  Finding& finding = found->second;
  ++finding.count;
  finding.last_packet = std::max(finding.last_packet, evidence.packet);
  if (add_flow(finding, evidence.flow)) flows_.insert(evidence.flow);
  // What concerns the capture or the manifest as a whole is in no packet.
  if (evidence.packet != 0 && finding.evidence.size() < kMaxEvidence) {
    finding.evidence.push_back(evidence);
    std::string& excerpt = finding.evidence.back().excerpt;
    if (excerpt.size() > kMaxExcerpt) excerpt.resize(kMaxExcerpt);
  }
  if (first && on_first) on_first(finding);
  return first;
}

void Findings::count_more(FindingCode code, std::string_view subject, std::uint64_t count,
                          std::uint64_t last_packet) {
  const auto found = findings_.find(std::pair(code, std::string(subject.substr(0, kMaxSubject))));
  if (found == findings_.end()) return;
  found->second.count += count;
  found->second.last_packet = std::max(found->second.last_packet, last_packet);
}

std::vector<Finding> Findings::sorted() const {
  std::vector<Finding> result;
  result.reserve(findings_.size());
  for (const auto& [key, finding] : findings_) result.push_back(finding);
  const auto first_packet = [](const Finding& finding) {
    return finding.evidence.empty() ? 0 : finding.evidence.front().packet;
  };
  std::ranges::sort(result, [&](const Finding& a, const Finding& b) {
    return std::tuple(a.code, first_packet(a), std::string_view(a.subject)) <
           std::tuple(b.code, first_packet(b), std::string_view(b.subject));
  });
  return result;
}

std::string make_excerpt(base::Bytes bytes, std::size_t at, std::size_t length) {
  if (at >= bytes.size()) return {};
  const std::size_t end = at + std::min({length, bytes.size() - at, kMaxExcerpt});
  std::string text = printable(bytes.subspan(at, end - at));
  // Long words may be secrets, also those that only reach into the excerpt.
  std::size_t begin = at;
  while (begin > 0 && at - begin < kMinSecret && is_word(bytes[begin - 1])) --begin;
  while (begin < end) {
    std::size_t behind = begin;
    while (behind < bytes.size() && behind < end + kMinSecret && is_word(bytes[behind])) ++behind;
    if (behind - begin >= kMinSecret)
      for (std::size_t i = std::max(begin + kShownOfWord, at); i < std::min(behind, end); ++i)
        text[i - at] = '*';
    begin = behind + 1;
  }
  return text;
}

std::string cut_secret(std::string_view secret) {
  // Of a short secret less is shown: never more than a third.
  const std::size_t shown = std::min(kShownOfSecret, secret.size() / 3);
  return fmt::format("{}…({} characters)", printable(base::as_bytes(secret.substr(0, shown))),
                     secret.size());
}

}  // namespace alcove::audit
