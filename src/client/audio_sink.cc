#include "client/audio_sink.h"

#include <sndfile.h>

#include <algorithm>

#include "client/ogg_opus_writer.h"
#include "client/voice_activity.h"

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

class WavSink final : public AudioSink {
 public:
  WavSink(SNDFILE* file, std::string path) : file_(file, sf_close), path_(std::move(path)) {}

  Result<void> write(std::span<const std::int16_t> samples) override {
    const auto count = static_cast<sf_count_t>(samples.size());
    if (!file_ || sf_write_short(file_.get(), samples.data(), count) != count) return failed();
    unwritten_ += samples.size();
    if (unwritten_ >= kSampleRate) {  // a killed process leaves a file that plays
      unwritten_ = 0;
      sf_command(file_.get(), SFC_UPDATE_HEADER_NOW, nullptr, 0);
    }
    return {};
  }
  Result<void> finish() override {
    if (!file_) return {};
    return sf_close(file_.release()) == 0 ? Result<void>() : failed();
  }

 private:
  Result<void> failed() const {
    return base::fail(ErrorCode::kUnavailable, path_ + " cannot be written: is the disk full?");
  }

  std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file_;
  std::string path_;
  std::size_t unwritten_ = 0;
};

bool has_extension(const std::string& path, std::string_view extension) {
  if (path.size() <= extension.size()) return false;
  return std::ranges::equal(
      path.substr(path.size() - extension.size()), extension,
      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

Result<std::unique_ptr<AudioSink>> create_audio_file(const std::string& path,
                                                     base::RandomSource& random) {
  if (has_extension(path, ".ogg") || has_extension(path, ".opus"))
    return OggOpusWriter::create(path, random.next_u32());
  if (!has_extension(path, ".wav"))
    return base::fail(ErrorCode::kInvalidArgument,
                      path + ": a recording's name ends with .wav, .ogg or .opus.");
  SF_INFO info{};
  info.samplerate = static_cast<int>(kSampleRate);
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) return base::fail(ErrorCode::kUnavailable, path + " cannot be created.");
  return std::make_unique<WavSink>(file, path);
}

}  // namespace alcove::client
