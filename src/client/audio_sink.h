#pragma once
// Sound that was heard, into a file: WAV, or Ogg Opus (RFC 7845). 48 kHz, mono. One thread; the
// calls block on the disk.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/random.h"
#include "base/result.h"

namespace alcove::client {

class AudioSink {
 public:
  virtual ~AudioSink() = default;
  // Any number of samples. kUnavailable when the disk is full or gone; nothing more is written
  // then.
  virtual base::Result<void> write(std::span<const std::int16_t> samples) = 0;
  // Completes and closes the file; also done by the destructor, which cannot report.
  virtual base::Result<void> finish() = 0;
};

// The kind is that of the name: .wav, .ogg or .opus. An existing file is replaced. random gives the
// Ogg stream its serial number.
base::Result<std::unique_ptr<AudioSink>> create_audio_file(const std::string& path,
                                                           base::RandomSource& random);

}  // namespace alcove::client
