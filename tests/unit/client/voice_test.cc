// The sending and the receiving half of a voice, joined by memory.

#include <gtest/gtest.h>

#include "client/listener.h"
#include "client/speaker.h"
#include "unit/client/sounds.h"

namespace alcove::client {
namespace {

using base::Instant;
using test::tone;

class MemorySource final : public AudioSource {
 public:
  explicit MemorySource(std::vector<std::int16_t> sound, bool live = false)
      : sound_(std::move(sound)), live_(live) {}
  std::size_t read(std::span<std::int16_t> out) override {
    const std::size_t count = std::min(out.size(), sound_.size() - position_);
    std::copy_n(sound_.begin() + static_cast<std::ptrdiff_t>(position_), count, out.begin());
    position_ += count;
    return count;
  }
  bool rewind() override {
    position_ = 0;
    return true;
  }
  bool finished() const override { return position_ == sound_.size(); }
  bool is_live() const override { return live_; }
  std::size_t position() const { return position_; }

 private:
  std::vector<std::int16_t> sound_;
  bool live_;
  std::size_t position_ = 0;
};

TEST(Speaker, SendsConstantSizesWithOneMarkerASpurt) {
  std::vector<std::int16_t> sound = tone(48'000, 200, 5000);
  sound.resize(std::size_t{48'000} * 4);  // 3 s of silence
  const std::vector<std::int16_t> second = tone(48'000, 200, 5000);
  sound.insert(sound.end(), second.begin(), second.end());
  MemorySource source(sound);
  Speaker speaker(source, false);
  std::vector<std::uint32_t> markers;
  int sent = 0;
  for (std::uint32_t tick = 0; tick < 250; ++tick) {
    const auto frame = speaker.tick(true);
    if (!frame) continue;
    ++sent;
    EXPECT_EQ(frame->opus.size(), 80U);
    EXPECT_EQ(frame->timestamp, tick * kFrameSamples);
    if (frame->marker) markers.push_back(tick);
  }
  EXPECT_EQ(markers, (std::vector<std::uint32_t>{0, 200}));
  EXPECT_NEAR(sent, 50 + 60 + 50, 2);
  EXPECT_FALSE(speaker.tick(true));
  EXPECT_TRUE(speaker.finished());
}

TEST(Speaker, AFileWaitsAndALiveSourceDoesNot) {
  MemorySource file(tone(48'000, 200, 5000));
  Speaker patient(file, false);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(patient.tick(false));
  EXPECT_EQ(file.position(), 0U);
  const auto frame = patient.tick(true);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->timestamp, 100 * kFrameSamples);

  MemorySource live(tone(48'000, 200, 5000), true);
  Speaker speaker(live, false);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(speaker.tick(false));
  EXPECT_EQ(live.position(), 10 * kFrameSamples);
}

TEST(Speaker, LoopsWithoutASeam) {
  MemorySource source(tone(1000, 480, 5000));
  Speaker speaker(source, true);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(speaker.tick(true));
  EXPECT_FALSE(speaker.finished());
  MemorySource empty({});
  Speaker silent(empty, true);
  EXPECT_FALSE(silent.tick(true));
}

TEST(Mix, AddsAndSaturates) {
  std::vector<std::int16_t> mix = {1, 30000, -30000, 5};
  mix_into(mix, std::vector<std::int16_t>{2, 30000, -30000});
  EXPECT_EQ(mix, (std::vector<std::int16_t>{3, 32767, -32768, 5}));
}

class ListenerTest : public testing::Test {
 protected:
  void speak(Listener& listener, std::size_t slot, std::uint8_t seat, int tick) {
    const base::Bytes opus = encoder_.encode(
        tone(kFrameSamples, 200, 5000, static_cast<std::size_t>(tick) * kFrameSamples));
    listener.handle_packet(now_, slot,
                           {static_cast<std::uint64_t>(tick),
                            static_cast<std::uint32_t>(tick) * 960, tick == 0, seat, opus});
  }
  Instant now_{};
  VoiceEncoder encoder_{EncoderUse::kCall};
};

TEST_F(ListenerTest, MixesSlotsAndTellsWhoSpeaks) {
  Listener listener(2, true);
  std::vector<std::int16_t> out(kFrameSamples);
  double loudest = -96;
  for (int tick = 0; tick < 50; ++tick) {
    speak(listener, 0, 3, tick);
    listener.handle_packet(now_, 9, {1, 1, false, 5, {}});  // no such slot
    listener.pull(now_, out);
    loudest = std::max(loudest, level_of(out));
    now_ += kFrameDuration;
    listener.handle_timeout(now_);
  }
  EXPECT_TRUE(listener.heard());
  EXPECT_NEAR(loudest, level_of(tone(9600, 200, 5000)), 3);
  std::vector<SpeakingChange> changes = listener.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].seat, 3);
  EXPECT_TRUE(changes[0].speaking);
  EXPECT_EQ(listener.next_deadline(), now_ - kFrameDuration + Listener::kSpeakingTimeout);
  listener.handle_timeout(now_ + Listener::kSpeakingTimeout);
  changes = listener.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_FALSE(changes[0].speaking);
  EXPECT_EQ(listener.next_deadline(), base::kNever);
}

TEST_F(ListenerTest, WithoutARecordingItStillKnowsThatItHears) {
  Listener listener(4, false);
  speak(listener, 0, 3, 0);
  EXPECT_TRUE(listener.heard());
  EXPECT_EQ(listener.counters().received, 0U);
}

}  // namespace
}  // namespace alcove::client
