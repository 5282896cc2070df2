#pragma once
// What the reader of captures has of each file format. One thread.

#include <cstddef>
#include <memory>
#include <string_view>

#include "audit/capture_reader.h"

namespace alcove::audit {

inline constexpr std::size_t kMaxRecord = std::size_t{16} << 20;

// Times are kept below 2^62 ns of 1970 (1823 to 2116), so that no difference of two overflows.
inline constexpr std::int64_t kMaxTime = (std::int64_t{1} << 62) - 1;

class CaptureFormat {
 public:
  struct Taken {
    std::size_t consumed = 0;
    // How many bytes, from the first that was not consumed, the next step wants; more than there
    // are.
    std::size_t needed = 0;
  };
  virtual ~CaptureFormat() = default;
  // Hands on all records that lie whole in bytes. Frames point into bytes.
  virtual base::Result<Taken> take(base::Bytes bytes) = 0;
  virtual std::string_view name() const = 0;
};

// Each starts at the first byte of the file, which is of that format (is_pcap, is_pcapng).
bool is_pcap(base::Bytes first_four);
std::unique_ptr<CaptureFormat> make_pcap(CaptureSink& sink, CaptureReader::Counters& counters);
bool is_pcapng(base::Bytes first_four);
std::unique_ptr<CaptureFormat> make_pcapng(CaptureSink& sink, CaptureReader::Counters& counters);

}  // namespace alcove::audit
