#pragma once
// A mono Ogg Opus file: OpusHead, OpusTags, and a page for each second (RFC 7845, RFC 3533). One
// thread.

#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <span>
#include <string>

#include "client/audio_sink.h"
#include "client/opus_codec.h"
#include "client/voice_activity.h"

namespace alcove::client {

class OggOpusWriter final : public AudioSink {
 public:
  // serial: the number of the Ogg stream.
  static base::Result<std::unique_ptr<AudioSink>> create(const std::string& path,
                                                         std::uint32_t serial);
  ~OggOpusWriter() override;

  base::Result<void> write(std::span<const std::int16_t> samples) override;
  // Encodes what the codec still holds and trims the end by the last granule position, so that the
  // file has exactly the samples that were written.
  base::Result<void> finish() override;

 private:
  struct Stream;  // libogg's state

  OggOpusWriter(std::string path, std::uint32_t serial);
  void write_frame(bool last);
  void write_packet(base::Bytes packet, std::int64_t granule, bool first, bool last);
  void write_pages(bool flush);
  base::Result<void> result() const;

  std::string path_;
  std::ofstream file_;
  VoiceEncoder encoder_{EncoderUse::kRecording};
  std::unique_ptr<Stream> stream_;
  std::array<std::int16_t, kFrameSamples> frame_{};
  std::size_t frame_size_ = 0;
  std::int64_t pre_skip_ = 0;
  std::int64_t written_ = 0;  // samples given to write()
  std::int64_t encoded_ = 0;  // samples given to the codec
  std::int64_t packets_ = 0;
  int frames_in_page_ = 0;
  bool finished_ = false;
};

}  // namespace alcove::client
