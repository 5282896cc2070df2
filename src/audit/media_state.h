#pragma once
// What MediaInspector keeps of a flow. Private to it. One thread.

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "audit/media_inspector.h"

namespace alcove::audit {

// A source that might become a stream: RTP's form is so loose that only a row of packets tells.
struct MediaInspector::Candidate {
  std::uint64_t key = 0;
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  std::uint8_t payload_type = 0;
  std::uint8_t in_row = 0;
  struct Early {
    DatagramTime when;
    std::uint32_t size = 0;
  };
  std::array<Early, 3> early{};  // the row's packets so far
};

struct MediaInspector::Stream {
  Stream(std::uint32_t flow, Direction direction, const wire::RtpFields& fields)
      : rtp(flow, direction, fields) {}

  RtpStream rtp;
  std::unique_ptr<crypto::SrtpReceiver> opener;
  std::uint32_t opened = 0;
  std::uint32_t refused = 0;  // by the opener, in a row from the first
  bool examined = false;
};

struct MediaInspector::State final : FlowState {
  static constexpr std::size_t kMaxCandidatesOfFlow = 128;
  static constexpr std::size_t kLeastCandidatesOfFlow = 4;  // also when there are too many in all

  std::unordered_map<std::uint64_t, std::unique_ptr<Stream>> streams;  // by SSRC and direction
  std::uint64_t last_key = 0;
  Stream* last = nullptr;
  std::vector<Candidate> candidates;
  std::unique_ptr<DtlsSrtpDecrypt> keys;
  std::unique_ptr<MediaDeframer> framing[4];  // by direction, and again for what TLS keys opened
  bool dtls = false;
  bool framed = false;
  bool handshaking = false;
  bool told_undecryptable = false;
};

}  // namespace alcove::audit
