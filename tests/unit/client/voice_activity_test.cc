#include "client/voice_activity.h"

#include <gtest/gtest.h>

#include "unit/client/sounds.h"

namespace alcove::client {
namespace {

using test::noise;
using test::tone;

constexpr int kFramesPerSecond = 50;

int frames_sent(VoiceActivity& activity, const std::vector<std::int16_t>& frame, int frames) {
  int sent = 0;
  for (int i = 0; i < frames; ++i) sent += activity.handle_frame(frame);
  return sent;
}

TEST(Level, IsInDecibelsOfFullScale) {
  EXPECT_DOUBLE_EQ(level_of({}), -96);
  EXPECT_DOUBLE_EQ(level_of(std::vector<std::int16_t>(960, 0)), -96);
  EXPECT_NEAR(level_of(tone(4800, 440, 32767)), -3.01, 0.05);
  EXPECT_NEAR(level_of(tone(4800, 440, 3276.7)), -23.01, 0.05);
  EXPECT_NEAR(level_of(std::vector<std::int16_t>(960, -32768)), 0, 0.001);
}

TEST(VoiceActivity, SilenceIsNotSent) {
  VoiceActivity activity;
  EXPECT_EQ(frames_sent(activity, std::vector<std::int16_t>(kFrameSamples), 500), 0);
}

TEST(VoiceActivity, SpeechIsSentFromItsFirstFrameAndAtLeastASecondLonger) {
  VoiceActivity activity;
  const std::vector<std::int16_t> silence(kFrameSamples);
  frames_sent(activity, silence, 100);
  EXPECT_TRUE(activity.handle_frame(tone(kFrameSamples, 200, 3000)));
  const int hangover = frames_sent(activity, silence, 500);
  EXPECT_GE(hangover, kFramesPerSecond);
  EXPECT_LE(hangover, 2 * kFramesPerSecond);
  EXPECT_FALSE(activity.handle_frame(silence));
}

TEST(VoiceActivity, PausesShorterThanASecondAreNotCut) {
  VoiceActivity activity;
  const std::vector<std::int16_t> silence(kFrameSamples);
  const std::vector<std::int16_t> speech = tone(kFrameSamples, 200, 3000);
  for (int word = 0; word < 20; ++word) {
    EXPECT_EQ(frames_sent(activity, speech, 15), 15);
    EXPECT_EQ(frames_sent(activity, silence, kFramesPerSecond), kFramesPerSecond);
  }
}

TEST(VoiceActivity, SteadyNoiseIsLearntAndSpeechOverItIsStillFound) {
  base::SeededRandom random(5);
  VoiceActivity activity;
  const std::vector<std::int16_t> fan = noise(kFrameSamples, 250, random);  // about -47 dBFS
  frames_sent(activity, fan, 60 * kFramesPerSecond);
  EXPECT_EQ(frames_sent(activity, fan, 10 * kFramesPerSecond), 0);
  EXPECT_TRUE(activity.handle_frame(tone(kFrameSamples, 200, 2500)));
}

TEST(VoiceActivity, ASteadyLoudSoundIsAlwaysSent) {
  VoiceActivity activity;
  const std::vector<std::int16_t> music = tone(kFrameSamples, 440, 6000);
  EXPECT_EQ(frames_sent(activity, music, 120 * kFramesPerSecond), 120 * kFramesPerSecond);
}

TEST(VoiceActivity, StopForgetsTheHangover) {
  VoiceActivity activity;
  EXPECT_TRUE(activity.handle_frame(tone(kFrameSamples, 200, 3000)));
  activity.stop();
  EXPECT_FALSE(activity.handle_frame(std::vector<std::int16_t>(kFrameSamples)));
}

}  // namespace
}  // namespace alcove::client
