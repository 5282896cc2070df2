#pragma once
// The sending side of a member's voice: a source, the decision whether it is speech, the codec.
// Called every 20 ms. One thread; sans-IO but for the source.

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "client/audio_source.h"
#include "client/opus_codec.h"
#include "client/voice_activity.h"

namespace alcove::client {

struct SpokenFrame {
  base::Bytes opus;  // valid until the next tick
  std::uint32_t timestamp = 0;
  bool marker = false;  // the first of a talk spurt
};

class Speaker {
 public:
  // source outlives this. loop: a file begins again when it ends.
  Speaker(AudioSource& source, bool loop) : source_(source), loop_(loop) {}

  // The next 20 ms. may_send: on the stage, not muted, connected. nullopt: nothing is sent now.
  // Timestamps go on meanwhile: they are the sender's time.
  std::optional<SpokenFrame> tick(bool may_send);
  // Time that passed without tick(), such as before the connection: whole frames.
  void skip(std::uint32_t frames) {
    timestamp_ += frames * static_cast<std::uint32_t>(kFrameSamples);
  }

  // The spurt is over: the next frame is the first of another.
  void stop() {
    sending_ = false;
    activity_.stop();
  }

  // The share of packets that do not arrive, 0 to 1.
  void set_loss(double loss) { encoder_.set_loss(loss); }
  bool sending() const { return sending_; }
  double level_db() const { return activity_.level_db(); }
  // The source is at its end; true from then on.
  bool finished() const { return source_.finished() && !loop_; }

 private:
  std::size_t read_frame();

  AudioSource& source_;
  bool loop_;
  VoiceActivity activity_;
  VoiceEncoder encoder_{EncoderUse::kCall};
  std::array<std::int16_t, kFrameSamples> frame_{};
  std::uint32_t timestamp_ = 0;
  bool sending_ = false;
};

}  // namespace alcove::client
