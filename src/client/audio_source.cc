#include "client/audio_source.h"

#include <opusfile.h>
#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>

#include "client/voice_activity.h"

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kReadFrames = 2048;
constexpr int kMaxChannels = 32;

// Mono samples at the file's own rate, as floats of -1 to 1.
class MonoReader {
 public:
  virtual ~MonoReader() = default;
  virtual int sample_rate() const = 0;
  // At most kReadFrames; empty at the end.
  virtual std::span<float> read() = 0;
  virtual bool rewind() = 0;
};

void mix_down(std::span<const float> interleaved, std::size_t channels, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += interleaved[i * channels + c];
    out[i] = sum / static_cast<float>(channels);
  }
}

class SndfileReader final : public MonoReader {
 public:
  SndfileReader(SNDFILE* file, const SF_INFO& info)
      : file_(file, sf_close),
        info_(info),
        interleaved_(kReadFrames * static_cast<std::size_t>(info.channels)),
        mono_(kReadFrames) {}

  int sample_rate() const override { return info_.samplerate; }
  std::span<float> read() override {
    const sf_count_t frames = sf_readf_float(file_.get(), interleaved_.data(), kReadFrames);
    const std::span<float> out =
        std::span(mono_).first(static_cast<std::size_t>(std::max<sf_count_t>(frames, 0)));
    mix_down(interleaved_, static_cast<std::size_t>(info_.channels), out);
    return out;
  }
  bool rewind() override { return sf_seek(file_.get(), 0, SEEK_SET) == 0; }

 private:
  std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file_;
  SF_INFO info_;
  std::vector<float> interleaved_;
  std::vector<float> mono_;
};

class OpusFileReader final : public MonoReader {
 public:
  explicit OpusFileReader(OggOpusFile* file)
      : file_(file, op_free), interleaved_(kReadFrames * 2), mono_(kReadFrames) {}

  int sample_rate() const override { return static_cast<int>(kSampleRate); }
  std::span<float> read() override {
    // A hole in the file (OP_HOLE) is skipped; the bound ends a file of nothing but holes.
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const int frames = op_read_float_stereo(file_.get(), interleaved_.data(),
                                              static_cast<int>(interleaved_.size()));
      if (frames == OP_HOLE) continue;
      const std::span<float> out =
          std::span(mono_).first(static_cast<std::size_t>(std::max(frames, 0)));
      mix_down(interleaved_, 2, out);
      return out;
    }
    return {};
  }
  bool rewind() override { return op_pcm_seek(file_.get(), 0) == 0; }

 private:
  std::unique_ptr<OggOpusFile, void (*)(OggOpusFile*)> file_;
  std::vector<float> interleaved_;
  std::vector<float> mono_;
};

class FileSource final : public AudioSource {
 public:
  explicit FileSource(std::unique_ptr<MonoReader> reader)
      : reader_(std::move(reader)), resampler_(nullptr, src_delete) {
    ratio_ = static_cast<double>(kSampleRate) / reader_->sample_rate();
    converted_.resize(static_cast<std::size_t>(std::ceil(kReadFrames * ratio_)) + 256);
    if (reader_->sample_rate() == static_cast<int>(kSampleRate)) return;
    int error = 0;
    resampler_.reset(src_new(SRC_SINC_MEDIUM_QUALITY, 1, &error));
    CHECK(resampler_ != nullptr);
  }

  std::size_t read(std::span<std::int16_t> out) override {
    std::size_t count = 0;
    while (count < out.size() && (position_ < ready_.size() || refill()))
      out[count++] = to_sample(ready_[position_++]);
    return count;
  }
  bool rewind() override {
    if (!reader_->rewind()) return false;
    if (resampler_) src_reset(resampler_.get());
    ready_ = {};
    position_ = 0;
    ended_ = false;
    return true;
  }
  bool finished() const override { return ended_ && position_ >= ready_.size(); }
  bool is_live() const override { return false; }

 private:
  static std::int16_t to_sample(float value) {
    return static_cast<std::int16_t>(
        std::lround(std::clamp(value * 32768.0F, -32768.0F, 32767.0F)));
  }

  bool refill() {
    position_ = 0;
    ready_ = {};
    while (!ended_ && ready_.empty()) {
      const std::span<float> input = reader_->read();
      ended_ = input.empty();
      ready_ = resampler_ ? resample(input) : input;
    }
    return !ready_.empty();
  }
  std::span<float> resample(std::span<float> input) {
    SRC_DATA data{};
    data.data_in = input.data();
    data.input_frames = static_cast<long>(input.size());
    data.data_out = converted_.data();
    data.output_frames = static_cast<long>(converted_.size());
    data.src_ratio = ratio_;
    data.end_of_input = ended_ ? 1 : 0;
    if (src_process(resampler_.get(), &data) != 0) return {};
    return std::span(converted_).first(static_cast<std::size_t>(data.output_frames_gen));
  }

  std::unique_ptr<MonoReader> reader_;
  std::unique_ptr<SRC_STATE, SRC_STATE* (*)(SRC_STATE*)> resampler_;
  double ratio_ = 1;
  std::vector<float> converted_;
  std::span<float> ready_;
  std::size_t position_ = 0;
  bool ended_ = false;
};

Result<std::unique_ptr<MonoReader>> open_reader(const std::string& path) {
  int error = 0;
  if (OggOpusFile* file = op_open_file(path.c_str(), &error); file != nullptr)
    return std::make_unique<OpusFileReader>(file);
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  if (file == nullptr)
    return base::fail(ErrorCode::kInvalidArgument,
                      path + " is not a sound file that can be read: WAV, FLAC, Ogg Opus.");
  const bool usable = info.channels >= 1 && info.channels <= kMaxChannels &&
                      src_is_valid_ratio(static_cast<double>(kSampleRate) / info.samplerate) != 0;
  if (!usable) {
    sf_close(file);
    return base::fail(ErrorCode::kInvalidArgument,
                      path + " has a sample rate or a number of channels that cannot be used.");
  }
  return std::make_unique<SndfileReader>(file, info);
}

}  // namespace

Result<std::unique_ptr<AudioSource>> open_audio_file(const std::string& path) {
  if (!std::ifstream(path, std::ios::binary))
    return base::fail(ErrorCode::kNotFound, path + " cannot be opened.");
  Result<std::unique_ptr<MonoReader>> reader = open_reader(path);
  if (!reader) return std::unexpected(reader.error());
  return std::make_unique<FileSource>(std::move(*reader));
}

namespace {

class Tone final : public AudioSource {
 public:
  std::size_t read(std::span<std::int16_t> out) override {
    constexpr double kTwoPi = 6.283185307179586;
    constexpr double kRate = 48'000;
    for (std::int16_t& sample : out) {
      // After a second everything is as at its beginning.
      const double time = kTwoPi * position_ / kRate;
      sample = static_cast<std::int16_t>(8'000 * std::sin(200 * time) *
                                         (0.7 + 0.3 * std::sin(3 * time)));
      position_ = position_ + 1 < kRate ? position_ + 1 : 0;
    }
    return out.size();
  }
  bool rewind() override { return true; }
  bool finished() const override { return false; }
  bool is_live() const override { return false; }

 private:
  double position_ = 0;
};

}  // namespace

std::unique_ptr<AudioSource> make_tone() { return std::make_unique<Tone>(); }

void LivePcm::push(base::Bytes bytes) {
  if (position_ != 0) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(position_));
    position_ = 0;
  }
  const base::Bytes kept = bytes.first(std::min(bytes.size(), kCapacityBytes - bytes_.size()));
  bytes_.insert(bytes_.end(), kept.begin(), kept.end());
}

std::size_t LivePcm::read(std::span<std::int16_t> out) {
  const std::size_t count = std::min((bytes_.size() - position_) / 2, out.size());
  for (std::size_t i = 0; i < count; ++i, position_ += 2) {
    out[i] = static_cast<std::int16_t>(
        static_cast<std::uint16_t>(bytes_[position_] | bytes_[position_ + 1] << 8));
  }
  return count;
}

}  // namespace alcove::client
