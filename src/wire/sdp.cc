#include "wire/sdp.h"

#include <algorithm>

#include "wire/sdp_text.h"

namespace alcove::wire {
namespace {

// What one m-line lacks, compared with the first of the bundle; null when nothing.
const char* find_fault(const SdpDescription& offer, const SdpMedia& media, const SdpMedia& first) {
  if (media.protocol != "UDP/TLS/RTP/SAVPF" && media.protocol != "TCP/TLS/RTP/SAVPF")
    return "an audio m= line is not UDP/TLS/RTP/SAVPF";
  if (media.mid.empty()) return "an audio m= line has no a=mid";
  if (std::ranges::find(offer.bundle, media.mid) == offer.bundle.end())
    return "an audio m= line is not in the BUNDLE group";
  if (!media.rtcp_mux) return "an audio m= line has no a=rtcp-mux";
  if (!media.ice) return "an audio m= line has no a=ice-ufrag and a=ice-pwd";
  if (!media.fingerprint || media.fingerprint->algorithm != "sha-256")
    return "an audio m= line has no a=fingerprint with sha-256";
  if (!media.setup || *media.setup == SdpSetup::kPassive)
    return "an audio m= line must say a=setup:actpass or a=setup:active";
  if (media.ice != first.ice || media.fingerprint != first.fingerprint)
    return "audio m= lines of one BUNDLE differ in ICE credentials or fingerprint";
  return nullptr;
}

}  // namespace

const SdpCodec* SdpMedia::find_opus() const {
  const auto codec = std::ranges::find_if(codecs, [](const SdpCodec& candidate) {
    return equals_ignoring_case(candidate.name, "opus") && candidate.clock_rate == 48'000 &&
           candidate.channels == 2;
  });
  return codec == codecs.end() ? nullptr : &*codec;
}

OfferPlan plan_answer(const SdpDescription& offer) {
  OfferPlan plan;
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const SdpMedia& media = offer.media[i];
    if (!media.can_accept_opus()) continue;
    if (media.sends()) {
      if (!plan.send) plan.send = i;
    } else if (media.receives()) {
      plan.receive.push_back(i);
    }
  }
  return plan;
}

std::optional<SdpError> check_offer(const SdpDescription& offer) {
  if (offer.address_line != 0)
    return SdpError{offer.address_line, "an offer must not have candidates or addresses"};
  if (offer.ice_lite) return SdpError{0, "an offer of an ICE-lite agent cannot be answered"};
  const SdpMedia* first = nullptr;
  for (const SdpMedia& media : offer.media) {
    if (!media.can_accept_opus()) continue;
    if (first == nullptr) first = &media;
    if (const char* fault = find_fault(offer, media, *first)) return SdpError{media.line, fault};
  }
  if (first == nullptr) return SdpError{0, "no audio m= line with Opus"};
  return std::nullopt;
}

}  // namespace alcove::wire
