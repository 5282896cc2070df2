// The classic file: https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcap

#include <algorithm>
#include <string>

#include "audit/capture_format.h"
#include "audit/load.h"

namespace alcove::audit {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
// Written by a patched libpcap of old: eight more bytes in each record.
constexpr std::uint32_t kModified = 0xa1b2cd34;
constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;
constexpr std::size_t kModifiedRecordHeader = 24;

bool is_magic(std::uint32_t value) {
  return value == kMicroseconds || value == kNanoseconds || value == kModified;
}

class Pcap final : public CaptureFormat {
 public:
  Pcap(CaptureSink& sink, CaptureReader::Counters& counters) : sink_(sink), counters_(counters) {}

  base::Result<Taken> take(base::Bytes bytes) override {
    Taken taken;
    if (!started_) {
      if (bytes.size() < kFileHeader) return Taken{0, kFileHeader};
      if (const auto result = read_file_header(bytes.data()); !result)
        return std::unexpected(result.error());
      taken.consumed = kFileHeader;
    }
    while (true) {
      const base::Bytes rest = bytes.subspan(taken.consumed);
      taken.needed = record_header_;
      if (rest.size() < taken.needed) return taken;
      const std::size_t captured = load(rest.data() + 8);
      if (captured > kMaxRecord)
        return base::fail(base::ErrorCode::kInvalidArgument,
                          "record " + std::to_string(counters_.frames + 1) +
                              " says that it is longer than 16 MiB: the file is damaged there");
      taken.needed = record_header_ + captured;
      if (rest.size() < taken.needed) return taken;
      prefetch(rest.data() + taken.needed);
      hand_on(rest.first(taken.needed));
      taken.consumed += taken.needed;
    }
  }

  std::string_view name() const override { return name_; }

 private:
  std::uint32_t load(const std::uint8_t* at) const {
    const auto value = load_native<std::uint32_t>(at);
    return swapped_ ? std::byteswap(value) : value;
  }

  base::Result<void> read_file_header(const std::uint8_t* header) {
    swapped_ = !is_magic(load_native<std::uint32_t>(header));
    const std::uint32_t magic = load(header);
    // The major version is the first 16 bits in the file's byte order.
    const auto version = load_native<std::uint16_t>(header + 4);
    if ((swapped_ ? std::byteswap(version) : version) != 2)
      return base::fail(base::ErrorCode::kInvalidArgument,
                        "this is a pcap file of a version other than 2");
    fraction_ = magic == kNanoseconds ? 1 : 1000;
    record_header_ = magic == kModified ? kModifiedRecordHeader : kRecordHeader;
    // The upper half tells of a frame check sequence, which the IP header's length leaves out.
    frame_.link_type = static_cast<LinkType>(load(header + 20) & 0xffff);
    const bool little = (std::endian::native == std::endian::little) != swapped_;
    name_ = std::string("pcap, ") + (magic == kNanoseconds ? "nanoseconds" : "microseconds") +
            (little ? ", little-endian" : ", big-endian");
    started_ = true;
    return {};
  }

  void hand_on(base::Bytes record) {
    frame_.number = ++counters_.frames;
    const std::int64_t since = std::int64_t{load(record.data())} * 1'000'000'000 +
                               std::int64_t{load(record.data() + 4)} * fraction_;
    frame_.time = CaptureTime(std::chrono::nanoseconds(std::min(since, kMaxTime)));
    frame_.bytes = record.subspan(record_header_);
    const std::uint32_t sent = load(record.data() + 12);
    if (sent > frame_.bytes.size()) ++counters_.cut_frames;
    frame_.wire_length = std::max(sent, static_cast<std::uint32_t>(frame_.bytes.size()));
    sink_.handle_frame(frame_);
  }

  CaptureSink& sink_;
  CaptureReader::Counters& counters_;
  bool started_ = false;
  bool swapped_ = false;
  std::int64_t fraction_ = 1000;
  std::size_t record_header_ = kRecordHeader;
  std::string name_ = "pcap";
  Frame frame_;
};

}  // namespace

bool is_pcap(base::Bytes first_four) {
  const auto value = load_native<std::uint32_t>(first_four.data());
  return is_magic(value) || is_magic(std::byteswap(value));
}

std::unique_ptr<CaptureFormat> make_pcap(CaptureSink& sink, CaptureReader::Counters& counters) {
  return std::make_unique<Pcap>(sink, counters);
}

}  // namespace alcove::audit
