#pragma once
// The receiving side: a jitter buffer a slot, mixed, and who is speaking. One thread; sans-IO.

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/time.h"
#include "client/jitter_buffer.h"

namespace alcove::client {

// Adds with saturation, sample by sample; as many as the shorter has.
void mix_into(std::span<std::int16_t> mix, std::span<const std::int16_t> voice);

struct SpeakingChange {
  std::uint8_t seat = 0;
  bool speaking = false;
  double level_db = -96;  // of the last sound that was decoded
};

class Listener {
 public:
  // A voice without a packet for so long is not speaking.
  static constexpr base::Duration kSpeakingTimeout = base::milliseconds(300);
  // Without a recording only one packet in so many is decoded: for its level, at a tenth of the
  // cost.
  static constexpr std::uint64_t kSampledPacket = 10;

  // plays: pull() is called in steady time and everything is decoded.
  Listener(std::size_t slots, bool plays);

  // slot beyond the number of slots is dropped.
  void handle_packet(base::Instant now, std::size_t slot, const VoicePacket& packet);
  // The mix of all slots.
  void pull(base::Instant now, std::span<std::int16_t> out);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  // Changes since the last take, in order.
  std::vector<SpeakingChange> take_changes();
  // Sound has been decoded.
  bool heard() const { return heard_; }
  JitterCounters counters() const;
  // The connection is another one: what waited belongs to streams that are gone.
  void reset();

 private:
  struct Voice {
    base::Instant last_packet;
    double level_db = -96;
  };

  void sample_level(const VoicePacket& packet, Voice& voice);

  std::size_t slot_count_;
  bool plays_;
  bool heard_ = false;
  std::uint64_t packets_ = 0;
  std::vector<JitterBuffer> slots_;
  VoiceDecoder sampler_;
  std::vector<std::int16_t> scratch_;
  std::map<std::uint8_t, Voice> speaking_;  // by seat
  std::vector<SpeakingChange> changes_;
};

}  // namespace alcove::client
