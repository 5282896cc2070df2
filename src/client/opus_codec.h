#pragma once
// libopus for one voice: 48 kHz, mono. One thread each; no allocation after construction.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"

struct OpusEncoder;
struct OpusDecoder;

namespace alcove::client {

// The longest Opus packet in samples (RFC 6716: 120 ms).
inline constexpr std::size_t kMaxPacketSamples = 5760;

enum class EncoderUse {
  kCall,       // VOIP, hard constant bit rate, in-band FEC
  kRecording,  // variable rate, no FEC
};

class VoiceEncoder {
 public:
  static constexpr int kCallBitsPerSecond = 32'000;
  static constexpr int kRecordingBitsPerSecond = 48'000;
  // FEC is on from the beginning, as if so much were lost: the first loss is then already repaired.
  static constexpr int kLeastLossPercent = 5;

  explicit VoiceEncoder(EncoderUse use);
  ~VoiceEncoder();
  VoiceEncoder(const VoiceEncoder&) = delete;
  VoiceEncoder& operator=(const VoiceEncoder&) = delete;

  // 2.5 to 60 ms of samples, a length that Opus has. The answer is valid until the next call; empty
  // when libopus refuses.
  base::Bytes encode(std::span<const std::int16_t> samples);
  // The share of packets that the far end misses, 0 to 1.
  void set_loss(double loss);
  // Samples that the decoder's output lags behind (RFC 7845: the pre-skip).
  int lookahead() const;
  // Forgets what was said: before a new talk spurt.
  void reset();

 private:
  struct Free {
    void operator()(OpusEncoder* encoder) const;
  };
  std::unique_ptr<OpusEncoder, Free> encoder_;
  base::Buffer packet_;
  int loss_percent_ = 0;
};

class VoiceDecoder {
 public:
  VoiceDecoder();
  ~VoiceDecoder();
  VoiceDecoder(const VoiceDecoder&) = delete;
  VoiceDecoder& operator=(const VoiceDecoder&) = delete;

  // The length of an Opus packet in samples; nullopt when it is not one.
  static std::optional<std::size_t> duration(base::Bytes packet);

  // Each writes to out and returns the number of samples; 0 when libopus refuses the packet.
  // out of decode() has room for kMaxPacketSamples.
  std::size_t decode(base::Bytes packet, std::span<std::int16_t> out);
  // What the packet before this one held, from this one's redundancy, or concealment without it.
  std::size_t decode_lost_before(base::Bytes packet, std::span<std::int16_t> out);
  // Concealment of a lost packet of out.size() samples, fading with each call.
  std::size_t conceal(std::span<std::int16_t> out);
  void reset();

 private:
  struct Free {
    void operator()(OpusDecoder* decoder) const;
  };
  std::unique_ptr<OpusDecoder, Free> decoder_;
};

}  // namespace alcove::client
