#pragma once
// One slot's packets in, one continuous voice out: reordering, loss, talk spurts, drift. It is told
// the time and decodes as late as it can. One thread; no allocation after the first packets.
//
// Order is by extended sequence number; time within a talk spurt is by RTP timestamp (48 kHz). A
// packet with the marker, or whose timestamp does not follow, begins a new spurt: it is played its
// delay after it came, whatever its timestamp says (docs/protocol/media.md, re-anchoring).

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "client/delay_estimator.h"
#include "client/opus_codec.h"
#include "client/voice_activity.h"

namespace alcove::client {

struct VoicePacket {
  std::uint64_t sequence = 0;  // extended
  std::uint32_t timestamp = 0;
  bool marker = false;
  std::uint8_t seat = 0;  // whose voice
  base::Bytes opus;       // copied by insert()
};

struct JitterCounters {
  std::uint64_t received = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;        // came after their turn
  std::uint64_t overflowed = 0;  // dropped unplayed: more than kCapacity waited
  std::uint64_t not_opus = 0;
  std::uint64_t played = 0;
  std::uint64_t repaired = 0;   // a lost packet played from FEC
  std::uint64_t concealed = 0;  // a lost packet invented
  std::uint64_t underruns = 0;  // concealed because nothing had come
  std::uint64_t shortened = 0;
  std::uint64_t lengthened = 0;
  std::uint64_t spurts = 0;
};

class JitterBuffer {
 public:
  static constexpr std::size_t kCapacity = 64;  // packets: 1.28 s of 20 ms
  static constexpr std::size_t kMaxOpus = 1275;
  // Nothing came for so many frames: the spurt is over.
  static constexpr int kMaxUnderruns = 3;

  JitterBuffer();

  // Packets that are no Opus, late, twice or too many are dropped and counted.
  void insert(base::Instant now, const VoicePacket& packet);

  // The next out.size() samples (480 or 960), silence included; to be called in steady time.
  // Returns the seat that is heard, 0 for silence.
  std::uint8_t pull(base::Instant now, std::span<std::int16_t> out);

  // True when pull() would only give silence, now and until the next insert().
  bool idle() const { return state_ == State::kIdle && fifo_size_ == 0; }
  base::Duration target_delay() const { return delays_.target(); }
  const JitterCounters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { kIdle, kBuffering, kPlaying };
  struct Entry {
    bool used = false;
    bool marker = false;
    std::uint8_t seat = 0;
    std::uint64_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t samples = 0;
    base::Instant arrival;
    base::Buffer opus;
  };

  Entry& entry_at(std::uint64_t sequence) { return entries_[sequence % kCapacity]; }
  Entry* head();
  void drop_before(std::uint64_t sequence);
  // Puts at least one frame into the FIFO; false: silence for now.
  bool produce(base::Instant now);
  bool produce_underrun();
  void play(base::Instant now, Entry& entry);
  void play_lost(const Entry& next);
  bool follows(const Entry& next) const;
  bool is_hopelessly_late(base::Instant now, const Entry& next) const;
  void release(Entry& entry);
  void begin_spurt(const Entry& first);
  void follow_target(base::Instant now, std::size_t added);
  std::span<std::int16_t> fifo_room();

  State state_ = State::kIdle;
  base::Instant start_at_;
  bool started_ = false;     // a packet was played: floor_ holds
  std::uint64_t floor_ = 0;  // the next sequence number to play
  std::uint64_t highest_ = 0;
  std::size_t waiting_ = 0;
  std::uint32_t next_timestamp_ = 0;
  std::uint32_t frame_samples_ = kFrameSamples;  // of the last packet
  std::uint32_t filled_ = 0;  // samples invented ahead of packets that had not come
  int underruns_ = 0;
  std::uint8_t seat_ = 0;
  std::array<Entry, kCapacity> entries_;
  DelayEstimator delays_;
  VoiceDecoder decoder_;
  std::vector<std::int16_t> fifo_;
  std::size_t fifo_size_ = 0;
  JitterCounters counters_;
};

}  // namespace alcove::client
