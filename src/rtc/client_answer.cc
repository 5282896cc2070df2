#include "rtc/client_answer.h"

#include <algorithm>
#include <string>

#include "rtc/ice_credentials.h"

namespace alcove::rtc {
namespace {

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::ErrorCode::kInvalidArgument, std::move(message));
}

bool has_nack(const wire::SdpCodec& codec) {
  return std::ranges::find(codec.feedback, "nack") != codec.feedback.end();
}

base::Result<void> read_transport(const wire::SdpMedia& media, ClientAnswer& answer) {
  if (!media.ice || !is_valid(*media.ice)) return invalid("The answer has no ICE credentials.");
  if (!media.fingerprint || media.fingerprint->algorithm != "sha-256" ||
      media.fingerprint->digest.size() != answer.fingerprint.size())
    return invalid("The answer has no SHA-256 fingerprint.");
  if (media.setup != wire::SdpSetup::kPassive) return invalid("The answer is not a DTLS server's.");
  answer.ice = *media.ice;
  std::ranges::copy(media.fingerprint->digest, answer.fingerprint.begin());
  answer.candidates = media.candidates;
  return {};
}

base::Result<std::optional<ClientAnswer::Slot>> read_slot(const wire::SdpMedia& media) {
  if (media.is_rejected() || !media.sends() || media.sources.empty()) return std::nullopt;
  const wire::SdpCodec* opus = media.find_opus();
  // We offered one payload type, and an answer may not renumber what we receive.
  if (!opus || opus->payload_type != wire::kOpusPayloadType)
    return invalid("The answer sends something else than the Opus that was offered.");
  return ClientAnswer::Slot{.ssrc = media.sources.front().ssrc, .nack = has_nack(*opus)};
}

}  // namespace

base::Result<ClientAnswer> parse_client_answer(std::string_view sdp, std::size_t slots) {
  const auto description = wire::parse_sdp(sdp);
  if (!description) return invalid("The answer is not SDP: " + description.error().text);
  if (description->media.size() != slots + 1)
    return invalid("The answer has another number of m-lines than the offer.");
  const wire::SdpMedia& first = description->media.front();
  const wire::SdpCodec* opus = first.find_opus();
  if (first.is_rejected() || !first.receives() || !opus)
    return invalid("The answer does not take the stream that was offered.");

  ClientAnswer answer;
  answer.payload_type = opus->payload_type;
  if (auto transport = read_transport(first, answer); !transport)
    return std::unexpected(transport.error());
  for (std::size_t i = 1; i < description->media.size(); ++i) {
    auto slot = read_slot(description->media[i]);
    if (!slot) return std::unexpected(slot.error());
    const auto is_same = [&slot](const std::optional<ClientAnswer::Slot>& other) {
      return *slot && other && other->ssrc == (*slot)->ssrc;
    };
    if (std::ranges::any_of(answer.slots, is_same))
      return invalid("The answer has two slots with the same SSRC.");
    answer.slots.push_back(*slot);
  }
  return answer;
}

}  // namespace alcove::rtc
