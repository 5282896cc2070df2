#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "wire/sdp.h"
#include "wire/sdp_text.h"

namespace alcove::wire {
namespace {

constexpr std::size_t kSha256Size = 32;
constexpr std::string_view kProtocol = "UDP/TLS/RTP/SAVPF";
constexpr std::string_view kOfferParameters = "minptime=10;useinbandfec=1";
// Constant size and no pauses, since sizes and gaps tell words; mono, since sources are
// microphones.
constexpr std::string_view kAnswerParameters =
    "minptime=10;useinbandfec=1;cbr=1;usedtx=0;maxaveragebitrate=32000;stereo=0";

class SdpWriter {
 public:
  template <typename... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += "\r\n";
  }

  // The placeholders tell nothing of our addresses.
  void session(std::uint64_t id, std::uint64_t version) {
    line("v=0");
    line("o=- {} {} IN IP4 0.0.0.0", id, version);
    line("s=-");
    line("t=0 0");
  }

  void bundle(const std::vector<std::string>& mids) {
    if (!mids.empty()) line("a=group:BUNDLE {}", fmt::join(mids, " "));
  }

  void opus(std::uint8_t payload_type, std::string_view protocol) {
    line("m=audio 9 {} {}", protocol, payload_type);
    line("c=IN IP4 0.0.0.0");
  }

  void codec(std::uint8_t payload_type, std::string_view parameters) {
    line("a=rtcp-mux");
    line("a=rtpmap:{} opus/48000/2", payload_type);
    line("a=rtcp-fb:{} nack", payload_type);
    line("a=fmtp:{} {}", payload_type, parameters);
  }

  void transport(const IceCredentials& ice, base::Bytes fingerprint, std::string_view setup) {
    CHECK(fingerprint.size() == kSha256Size);
    line("a=ice-ufrag:{}", ice.ufrag);
    line("a=ice-pwd:{}", ice.pwd);
    line("a=fingerprint:sha-256 {:02X}", fmt::join(fingerprint, ":"));
    line("a=setup:{}", setup);
  }

  void source(const SdpSource& source) { line("a=ssrc:{} cname:{}", source.ssrc, source.cname); }

  void candidates(const std::vector<IceCandidate>& candidates) {
    for (const IceCandidate& candidate : candidates)
      line("a=candidate:{}", write_candidate(candidate));
    line("a=end-of-candidates");
  }

  void rejected(const SdpMedia& media) {
    line("m={} 0 {} {}", media.media, media.protocol, fmt::join(media.formats, " "));
    line("c=IN IP4 0.0.0.0");
    if (!media.mid.empty()) line("a=mid:{}", media.mid);
    line("a=inactive");
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// The mids of the offer's group whose m-lines are accepted, in the order of the group.
std::vector<std::string> accepted_mids(const SdpDescription& offer) {
  std::vector<std::string> mids;
  for (const std::string& mid : offer.bundle) {
    const auto media = std::ranges::find(offer.media, mid, &SdpMedia::mid);
    if (media != offer.media.end() && media->can_accept_opus()) mids.push_back(mid);
  }
  return mids;
}

}  // namespace

std::string write_offer(const OfferOptions& options) {
  CHECK(options.slots < kMaxSdpMedia);
  std::vector<std::string> mids;
  for (std::size_t i = 0; i <= options.slots; ++i) mids.push_back(std::to_string(i));
  SdpWriter writer;
  writer.session(options.session_id, options.session_version);
  writer.bundle(mids);
  for (std::size_t i = 0; i < mids.size(); ++i) {
    writer.opus(kOpusPayloadType, kProtocol);
    writer.line("a=mid:{}", mids[i]);
    writer.line("{}", i == 0 ? "a=sendonly" : "a=recvonly");
    writer.codec(kOpusPayloadType, kOfferParameters);
    writer.transport(options.ice, options.fingerprint, "actpass");
    if (i == 0) writer.source(options.source);
  }
  return writer.take();
}

std::string write_answer(const SdpDescription& offer, const AnswerOptions& options) {
  const std::vector<std::string> mids = accepted_mids(offer);
  const OfferPlan plan = plan_answer(offer);
  SdpWriter writer;
  writer.session(options.session_id, options.session_version);
  writer.line("a=ice-lite");
  writer.bundle(mids);
  auto slot = options.slots.begin();
  bool has_candidates = false;
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const SdpMedia& media = offer.media[i];
    if (!media.can_accept_opus()) {
      writer.rejected(media);
      continue;
    }
    const std::uint8_t payload_type = media.find_opus()->payload_type;
    writer.opus(payload_type, media.protocol);
    writer.line("a=mid:{}", media.mid);
    const bool is_slot = std::ranges::find(plan.receive, i) != plan.receive.end();
    if (plan.send == i) {
      writer.line("a=recvonly");
    } else if (is_slot && slot != options.slots.end()) {
      writer.line("a=sendonly");
      writer.source(*slot++);
    } else {
      writer.line("a=inactive");
    }
    writer.codec(payload_type, kAnswerParameters);
    writer.transport(options.ice, options.fingerprint, "passive");
    // The m-line whose mid leads the group carries the one transport (RFC 9143, section 7.3).
    if (!has_candidates && (mids.empty() || media.mid == mids.front())) {
      writer.candidates(options.candidates);
      has_candidates = true;
    }
  }
  return writer.take();
}

}  // namespace alcove::wire
