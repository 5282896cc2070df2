#pragma once
// pcap (microseconds and nanoseconds, both byte orders) and pcapng (all sections, interfaces,
// packet blocks, embedded secrets), pushed in pieces of any size. One thread.
//
// Bounds: a record or block of at most 16 MiB, 65,536 interfaces a section, 1 MiB of options a
// block. Damage inside a pcapng block skips the block; a length that cannot be ends the reading,
// with all that came before it kept.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "audit/frame.h"
#include "base/result.h"

namespace alcove::audit {

class CaptureSink {
 public:
  virtual ~CaptureSink() = default;
  virtual void handle_frame(const Frame& frame) = 0;
  // A Decryption Secrets Block of type TLS Key Log (RFC-to-be pcapng, 4.7): text, for KeyLog.
  virtual void handle_secrets(base::Bytes key_log) = 0;
};

class CaptureReader {
 public:
  struct Counters {
    std::uint64_t frames = 0;
    std::uint64_t cut_frames = 0;  // captured shorter than sent (snap length)
    std::uint64_t dropped_by_capture =
        0;                         // what the file itself says (pcapng, isb_ifdrop and isb_osdrop)
    std::uint64_t bad_blocks = 0;  // skipped
    std::uint64_t bytes = 0;
    bool ended_early = false;  // the file stops inside of a record
  };
  explicit CaptureReader(CaptureSink& sink);
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  // kInvalidArgument: not a capture (with what it looks like: gzip, JSON, text), or a length that
  // cannot be. After an error nothing more is read.
  base::Result<void> feed(base::Bytes bytes);
  // The end of the file. A file that ends inside of a record is said in the counters.
  base::Result<void> finish();
  const Counters& counters() const;
  // "pcap, nanoseconds, little-endian" or "pcapng 1.0"; "" before the first bytes.
  std::string_view format() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::audit
