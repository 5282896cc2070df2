#include <gtest/gtest.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "client/audio_sink.h"
#include "client/audio_source.h"
#include "unit/client/sounds.h"

namespace alcove::client {
namespace {

using test::best_correlation;
using test::tone;

class AudioFile : public testing::Test {
 protected:
  AudioFile() {
    std::string name = (std::filesystem::temp_directory_path() / "alcove-audio-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~AudioFile() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  void record(const std::string& name, std::span<const std::int16_t> sound) {
    base::SeededRandom random(1);
    auto sink = create_audio_file(path(name), random);
    ASSERT_TRUE(sink) << sink.error().message;
    for (std::size_t i = 0; i < sound.size(); i += 700)
      ASSERT_TRUE((*sink)->write(sound.subspan(i, std::min<std::size_t>(700, sound.size() - i))));
    ASSERT_TRUE((*sink)->finish());
  }
  std::vector<std::int16_t> read_all(AudioSource& source) {
    std::vector<std::int16_t> all;
    std::vector<std::int16_t> frame(kFrameSamples);
    while (const std::size_t count = source.read(frame))
      all.insert(all.end(), frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(count));
    EXPECT_TRUE(source.finished());
    return all;
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(AudioFile, WavRoundTripsExactly) {
  const std::vector<std::int16_t> sound = tone(48'123, 300, 9000);
  record("a.wav", sound);
  auto source = open_audio_file(path("a.wav"));
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(read_all(**source), sound);
  ASSERT_TRUE((*source)->rewind());
  EXPECT_EQ(read_all(**source), sound);
}

TEST_F(AudioFile, OggOpusRoundTripsInLengthAndSound) {
  for (const std::size_t length : {std::size_t{48'123}, std::size_t{960}, std::size_t{5}}) {
    const std::vector<std::int16_t> sound = tone(length, 300, 9000);
    record("a.ogg", sound);
    auto source = open_audio_file(path("a.ogg"));
    ASSERT_TRUE(source) << source.error().message;
    const std::vector<std::int16_t> heard = read_all(**source);
    EXPECT_EQ(heard.size(), sound.size());  // pre-skip and end trimming
    if (length > 2000) {
      EXPECT_GE(best_correlation(sound, heard, 4), 0.98);
      ASSERT_TRUE((*source)->rewind());
      EXPECT_EQ(read_all(**source).size(), sound.size());
    }
  }
}

TEST_F(AudioFile, OggOpusHasTheHeadersOfRfc7845) {
  record("a.opus", tone(96'000, 300, 9000));
  std::ifstream file(path("a.opus"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_TRUE(bytes.starts_with("OggS"));
  EXPECT_EQ(bytes[5], 2);  // beginning of stream
  EXPECT_EQ(bytes.substr(28, 8), "OpusHead");
  EXPECT_EQ(bytes[28 + 8], 1);
  EXPECT_EQ(bytes[28 + 9], 1);
  const std::size_t second = bytes.find("OggS", 4);
  EXPECT_EQ(second, 28U + 19U);  // OpusHead is alone on its page
  EXPECT_EQ(bytes.substr(second + 28, 8), "OpusTags");
  const std::size_t last = bytes.rfind("OggS");
  EXPECT_EQ(bytes[last + 5] & 4, 4);  // end of stream
}

TEST_F(AudioFile, EveryRateAndLayoutBecomes48kMono) {
  for (const int rate : {8000, 16'000, 22'050, 44'100, 96'000}) {
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = 2;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_24;
    SNDFILE* file = sf_open(path("r.wav").c_str(), SFM_WRITE, &info);
    ASSERT_NE(file, nullptr);
    std::vector<float> interleaved;
    for (int i = 0; i < rate; ++i) {
      const double value = 0.3 * std::sin(2 * std::numbers::pi * 300 * i / rate);
      interleaved.push_back(static_cast<float>(value * 1.5));
      interleaved.push_back(static_cast<float>(value * 0.5));
    }
    sf_writef_float(file, interleaved.data(), rate);
    sf_close(file);
    auto source = open_audio_file(path("r.wav"));
    ASSERT_TRUE(source) << source.error().message;
    const std::vector<std::int16_t> heard = read_all(**source);
    EXPECT_NEAR(static_cast<double>(heard.size()), 48'000, 100) << rate;
    const std::vector<std::int16_t> wanted = tone(40'000, 300, 0.3 * 32767);
    EXPECT_GE(best_correlation(wanted, std::span(heard).subspan(2000), 200), 0.99) << rate;
    EXPECT_NEAR(level_of(heard), level_of(wanted), 0.3) << rate;
  }
}

TEST_F(AudioFile, WhatIsNoSoundIsRefused) {
  std::ofstream(path("x.wav")) << "this is text";
  std::ofstream(path("y.ogg")) << "OggS and then nothing";
  EXPECT_EQ(open_audio_file(path("none.wav")).error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(open_audio_file(path("x.wav")).error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(open_audio_file(path("y.ogg")).error().code, base::ErrorCode::kInvalidArgument);
  base::SeededRandom random(1);
  EXPECT_EQ(create_audio_file(path("a.mp3"), random).error().code,
            base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(create_audio_file(path("no/a.wav"), random).error().code,
            base::ErrorCode::kUnavailable);
  EXPECT_EQ(create_audio_file(path("no/a.ogg"), random).error().code,
            base::ErrorCode::kUnavailable);
}

TEST(LivePcm, TakesPiecesOfAnySize) {
  LivePcm live;
  const std::vector<std::uint8_t> bytes = {0x01, 0x00, 0xff, 0xff, 0x00, 0x80, 0x34};
  live.push(std::span(bytes).first(3));
  std::vector<std::int16_t> out(10);
  ASSERT_EQ(live.read(out), 1U);
  EXPECT_EQ(out[0], 1);
  live.push(std::span(bytes).subspan(3));
  ASSERT_EQ(live.read(out), 2U);
  EXPECT_EQ(out[0], -1);
  EXPECT_EQ(out[1], -32768);
  EXPECT_FALSE(live.finished());
  live.end();
  EXPECT_TRUE(live.finished());
  EXPECT_FALSE(live.rewind());
}

TEST(LivePcm, IsBounded) {
  LivePcm live;
  live.push(std::vector<std::uint8_t>(LivePcm::kCapacityBytes * 2));
  EXPECT_EQ(live.space(), 0U);
  std::vector<std::int16_t> out(960);
  EXPECT_EQ(live.read(out), 960U);
  EXPECT_EQ(live.space(), 1920U);
}

}  // namespace
}  // namespace alcove::client
