#include "relay/offer.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace alcove::relay {
namespace {

// RFC 8839's ice-char, as in base64.
constexpr std::string_view kIceCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static_assert(kIceCharacters.size() == kMaxShards);

std::unexpected<std::string> refuse(std::string why) { return std::unexpected(std::move(why)); }

std::string at_media(std::size_t index, std::string_view why) {
  return "m-line " + std::to_string(index + 1) + ": " + std::string(why);
}

}  // namespace

std::expected<AcceptedOffer, std::string> accept_offer(std::string_view sdp, unsigned slots) {
  auto parsed = wire::parse_sdp(sdp);
  if (!parsed)
    return refuse("line " + std::to_string(parsed.error().line) + ": " + parsed.error().text);
  if (const auto error = wire::check_offer(*parsed))
    return refuse("line " + std::to_string(error->line) + ": " + error->text);

  AcceptedOffer offer;
  const std::vector<wire::SdpMedia>& media = parsed->media;
  std::size_t senders = 0;
  for (std::size_t i = 0; i < media.size(); ++i) {
    if (media[i].kind != wire::SdpMediaKind::kAudio) continue;  // is answered with port 0
    if (!media[i].find_opus()) return refuse(at_media(i, "Opus is missing"));
    if (media[i].can_accept_opus() && media[i].sends() && ++senders > 1)
      return refuse(at_media(i, "a second m-line that sends"));
  }
  const wire::OfferPlan plan = wire::plan_answer(*parsed);
  if (!plan.send) return refuse("no m-line that sends");
  if (plan.receive.size() < slots)
    return refuse("fewer receive-only m-lines than slots: " + std::to_string(slots) +
                  " are needed");

  const wire::SdpMedia& sending = media[*plan.send];
  if (!sending.ice || !sending.fingerprint ||
      sending.fingerprint->digest.size() != offer.fingerprint.size())
    return refuse(at_media(*plan.send, "ICE credentials and a sha-256 fingerprint are needed"));
  offer.ice = *sending.ice;
  std::ranges::copy(sending.fingerprint->digest, offer.fingerprint.begin());
  offer.send_payload_type = sending.find_opus()->payload_type;
  for (unsigned slot = 0; slot < slots; ++slot)
    offer.slot_payload_types.push_back(media[plan.receive[slot]].find_opus()->payload_type);
  offer.description = *std::move(parsed);
  return offer;
}

std::vector<wire::IceCandidate> make_candidates(const std::vector<Candidate>& candidates) {
  constexpr std::uint16_t kUdpPreference = 65'535;
  constexpr std::uint16_t kTcpPreference = 32'767;
  std::vector<wire::IceCandidate> result;
  for (const Candidate& candidate : candidates) {
    const bool is_udp = candidate.protocol == base::TransportProtocol::kUdp;
    const auto order = static_cast<std::uint16_t>(result.size());
    wire::IceCandidate line;
    line.foundation = std::to_string(order + 1);
    line.protocol = candidate.protocol;
    line.priority = wire::host_candidate_priority(
        static_cast<std::uint16_t>((is_udp ? kUdpPreference : kTcpPreference) - order));
    line.address = candidate.address;
    line.type = wire::CandidateType::kHost;
    line.tcp_type = is_udp ? wire::TcpType::kNone : wire::TcpType::kPassive;
    result.push_back(std::move(line));
  }
  return result;
}

char ufrag_prefix(unsigned shard) {
  CHECK(shard < kMaxShards);
  return kIceCharacters[shard];
}

unsigned shard_of_ufrag(std::string_view ufrag) {
  if (ufrag.empty()) return kMaxShards;
  const std::size_t found = kIceCharacters.find(ufrag.front());
  return found == std::string_view::npos ? kMaxShards : static_cast<unsigned>(found);
}

}  // namespace alcove::relay
