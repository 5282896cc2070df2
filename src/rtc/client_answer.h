#pragma once
// What the native client takes from the relay's answer. Not for packet paths. Any thread.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/certificate.h"
#include "wire/sdp.h"

namespace alcove::rtc {

struct ClientAnswer {
  struct Slot {
    std::uint32_t ssrc = 0;
    bool nack = false;
  };
  wire::IceCredentials ice;
  crypto::Fingerprint fingerprint{};
  std::vector<wire::IceCandidate> candidates;
  std::uint8_t payload_type = 0;           // of the stream that we send
  std::vector<std::optional<Slot>> slots;  // nullopt where the m-line is inactive
};

// Reads the answer to an offer with one send m-line and slots receive m-lines (wire::write_offer).
// kInvalidArgument, with a message that quotes nothing, when it does not fit: another number of
// m-lines, the first not receiving Opus, no usable credentials or fingerprint, the relay not
// passive in DTLS, or two slots with one SSRC.
base::Result<ClientAnswer> parse_client_answer(std::string_view sdp, std::size_t slots);

}  // namespace alcove::rtc
