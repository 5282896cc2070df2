#pragma once
// Sound to speak: a file, or a pipe that the caller feeds. 48 kHz, mono, whatever the file has.
// One thread. Files are read as they are needed; the calls block on the disk.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace alcove::client {

class AudioSource {
 public:
  virtual ~AudioSource() = default;
  // Fills out from its start and returns how many samples there were: fewer at the end, and
  // whenever a live source has no more at the moment.
  virtual std::size_t read(std::span<std::int16_t> out) = 0;
  // To the beginning; false for a live source, and for a file that cannot seek.
  virtual bool rewind() = 0;
  // read() will never give anything again, unless rewind().
  virtual bool finished() const = 0;
  // A microphone in all but name: it goes on while nothing is sent, and what it said then is gone.
  // A file waits.
  virtual bool is_live() const = 0;
};

// A tone of 200 Hz that swells a little, without an end: for tests and loads.
std::unique_ptr<AudioSource> make_tone();

// WAV, FLAC and what else libsndfile reads, of any rate and number of channels; Ogg Opus. The kind
// is found from the content. kNotFound, or kInvalidArgument with what is wrong.
base::Result<std::unique_ptr<AudioSource>> open_audio_file(const std::string& path);

// Signed 16-bit little-endian samples, 48 kHz, mono, pushed in pieces of any size.
class LivePcm final : public AudioSource {
 public:
  // 0.5 s: the caller reads no more from its pipe than space() and so slows a fast writer down.
  static constexpr std::size_t kCapacityBytes = 48'000;

  LivePcm() { bytes_.reserve(kCapacityBytes); }
  std::size_t space() const { return kCapacityBytes - (bytes_.size() - position_); }
  // What is over space() is dropped.
  void push(base::Bytes bytes);
  // The pipe was closed.
  void end() { ended_ = true; }

  std::size_t read(std::span<std::int16_t> out) override;
  bool rewind() override { return false; }
  bool finished() const override { return ended_ && bytes_.size() - position_ < 2; }
  bool is_live() const override { return true; }

 private:
  base::Buffer bytes_;
  std::size_t position_ = 0;
  bool ended_ = false;
};

}  // namespace alcove::client
