// Streams that anybody can listen to, in every shape that encoders give them: at least 99 % are
// recognised with two seconds of speech, and speech is told from tones and noise.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "audit/codec_recognizer.h"
#include "support/audio_streams.h"

namespace alcove {
namespace {

using audit::Codec;
using audit::Recognition;
using audit::recognize_codec;

constexpr std::size_t kSpeechSamples = 48'000 * 23 / 10;

const std::vector<test::Pcm>& voices() {
  static const std::vector<test::Pcm> kVoices = [] {
    constexpr auto* kText =
        "Good evening everyone, and welcome to the room. Tonight we talk about what happens to a "
        "voice between one mouth and many ears.";
    std::vector<test::Pcm> all = {test::recordings(0),
                                  test::recordings(3),
                                  test::recordings(6),
                                  test::synthetic_speech("en", 160, 50, kText),
                                  test::synthetic_speech("fr+f2", 175, 60, kText),
                                  test::synthetic_speech("de+m3", 150, 35, kText)};
    for (test::Pcm& pcm : all) pcm.resize(std::min(pcm.size(), kSpeechSamples));
    return all;
  }();
  return kVoices;
}

struct Score {
  std::size_t streams = 0, recognized = 0, speech = 0;
  void add(const Recognition& recognition, Codec wanted, const std::string& what) {
    ++streams;
    recognized += recognition.codec == wanted;
    speech += recognition.speech.speech;
    if (recognition.codec != wanted || !recognition.speech.speech)
      fmt::print(
          "  {}: codec {}, head {:.1f}, Opus head {:.1f}, body {:.1f}, voiced {:.2f}, "
          "modulation {:.2f}\n",
          what, static_cast<int>(recognition.codec), recognition.structure.head,
          recognition.opus_head, recognition.structure.body, recognition.speech.voiced,
          recognition.speech.modulation);
  }
  void expect() const {
    EXPECT_GE(static_cast<double>(recognized), 0.99 * static_cast<double>(streams));
    EXPECT_GE(static_cast<double>(speech), 0.99 * static_cast<double>(streams));
    fmt::print("{} streams, {} recognised, speech in {}\n", streams, recognized, speech);
  }
};

TEST(Detection, VoicesAreThere) {
  for (const test::Pcm& pcm : voices())
    EXPECT_EQ(pcm.size(), kSpeechSamples) << "alsa-utils and espeak-ng have to be installed";
}

TEST(Detection, Opus) {
  Score score;
  std::size_t turn = 0;
  for (const bool voip : {true, false})
    for (const int milliseconds : {20, 40, 60})
      for (const int bits : {8'000, 12'000, 16'000, 24'000, 32'000, 48'000, 64'000, 96'000})
        for (const bool vbr : {true, false})
          for (const bool fec : {true, false}) {
            const test::OpusSettings settings{.voip = voip,
                                              .bits_per_second = bits,
                                              .frame_milliseconds = milliseconds,
                                              .vbr = vbr,
                                              .dtx = turn % 3 == 0,
                                              .fec = fec,
                                              .channels = turn % 5 == 0 ? 2 : 1};
            // Each setting with two of the voices, in turn.
            for (int i = 0; i < 2; ++i, ++turn) {
              const test::Pcm& pcm = voices()[turn % voices().size()];
              const auto sample = test::sample_of(test::opus_payloads(pcm, settings));
              score.add(
                  recognize_codec(sample, 111), Codec::kOpus,
                  fmt::format("{} {} ms {} bit/s vbr {} fec {} voice {}", voip ? "voip" : "audio",
                              milliseconds, bits, vbr, fec, turn % voices().size()));
            }
          }
  score.expect();
}

TEST(Detection, WaveformCodecs) {
  Score score;
  for (const test::Pcm& pcm : voices())
    for (const double loudness : {1.0, 0.1})
      for (const std::size_t bytes : {80U, 160U, 240U})
        for (const bool dynamic : {false, true}) {
          const test::Pcm quiet = test::scaled(pcm, loudness);
          const test::Pcm narrow = test::resample(quiet, 48'000, 8'000);
          const auto type = [&](std::uint8_t number) {
            return dynamic ? std::uint8_t{100} : number;
          };
          const auto what = [&](const char* name) {
            return fmt::format("{} {} bytes, dynamic {}, loudness {}", name, bytes, dynamic,
                               loudness);
          };
          score.add(recognize_codec(test::sample_of(test::mu_law_payloads(narrow, bytes)), type(0)),
                    Codec::kPcmu, what("PCMU"));
          score.add(recognize_codec(test::sample_of(test::a_law_payloads(narrow, bytes)), type(8)),
                    Codec::kPcma, what("PCMA"));
          score.add(recognize_codec(test::sample_of(test::g722_payloads(
                                        test::resample(quiet, 48'000, 16'000), bytes)),
                                    type(9)),
                    Codec::kG722, what("G.722"));
        }
  score.expect();
}

// Readable, and not speech.
TEST(Detection, TonesNoiseAndSilence) {
  const auto narrow = [](const test::Pcm& pcm) { return test::mu_law_payloads(pcm); };
  for (const test::Pcm& pcm :
       {test::tone(440, 3, 8000), test::tone(1000, 3, 8000), test::white_noise(3, 8000, 3000, 1)}) {
    const Recognition recognition = recognize_codec(test::sample_of(narrow(pcm)), 0);
    EXPECT_EQ(recognition.codec, Codec::kPcmu);
    EXPECT_FALSE(recognition.speech.speech);
  }
  for (const test::Pcm& pcm : {test::tone(440, 3, 48'000), test::white_noise(3, 48'000, 3000, 1)}) {
    const Recognition recognition =
        recognize_codec(test::sample_of(test::opus_payloads(pcm, {})), 111);
    EXPECT_EQ(recognition.codec, Codec::kOpus);
    EXPECT_FALSE(recognition.speech.speech);
  }
  const test::Pcm silence(8000 * 3);
  EXPECT_EQ(recognize_codec(test::sample_of(narrow(silence)), 0).codec, Codec::kPcmu);
  EXPECT_EQ(recognize_codec(test::sample_of(test::a_law_payloads(silence)), 100).codec,
            Codec::kPcma);
  EXPECT_FALSE(recognize_codec(test::sample_of(narrow(silence)), 0).speech.speech);
}

// A long pause before the first word, as at the beginning of a call.
TEST(Detection, SilenceFirst) {
  test::Pcm pcm(48'000);
  pcm.insert(pcm.end(), voices()[0].begin(), voices()[0].end());
  const Recognition recognition =
      recognize_codec(test::sample_of(test::opus_payloads(pcm, {})), 111);
  EXPECT_EQ(recognition.codec, Codec::kOpus);
  EXPECT_TRUE(recognition.speech.speech);
}

}  // namespace
}  // namespace alcove
