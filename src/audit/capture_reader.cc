#include "audit/capture_reader.h"

#include <algorithm>
#include <array>
#include <optional>

#include "audit/capture_format.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kMagic = 4;

base::Error not_a_capture(std::string looks_like) {
  return {base::ErrorCode::kInvalidArgument,
          "this is not a pcap or pcapng capture: " + std::move(looks_like)};
}

bool is_text(base::Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) {
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n' || byte == '\r';
  });
}

// bytes: kMagic or more.
base::Error name_other_file(base::Bytes bytes) {
  struct Known {
    std::string_view magic;
    std::string_view name;
  };
  constexpr std::array<Known, 9> kKnown = {{
      {"\x1f\x8b", "it is compressed with gzip; decompress it first"},
      {"\x28\xb5\x2f\xfd", "it is compressed with zstd; decompress it first"},
      {"\xfd\x37zX", "it is compressed with xz; decompress it first"},
      {"\x04\x22\x4d\x18", "it is compressed with lz4; decompress it first"},
      {"BZh", "it is compressed with bzip2; decompress it first"},
      {"PK\x03\x04", "it is a zip archive"},
      {"snoo", "it is a snoop capture; convert it with editcap"},
      {"GMBU", "it is a Network Monitor capture; convert it with editcap"},
      {"RTSS", "it is a Network Monitor capture; convert it with editcap"},
  }};
  for (const Known& known : kKnown)
    if (base::as_text(bytes).starts_with(known.magic))
      return not_a_capture(std::string(known.name));
  if (bytes[0] == '{' || bytes[0] == '[') return not_a_capture("it looks like JSON");
  if (is_text(bytes)) return not_a_capture("it looks like text");
  return not_a_capture("its first bytes are of no format that is known");
}

}  // namespace

class CaptureReader::Implementation {
 public:
  explicit Implementation(CaptureSink& sink) : sink_(sink) {}

  base::Result<void> feed(base::Bytes bytes) {
    if (error_) return std::unexpected(*error_);
    counters_.bytes += bytes.size();
    while (!bytes.empty()) {
      if (pending_.empty()) {
        const auto consumed = take(bytes);
        if (!consumed) return std::unexpected(*error_);
        bytes = bytes.subspan(*consumed);
        pending_.assign(bytes.begin(), bytes.end());
        return {};
      }
      const std::size_t count = std::min(bytes.size(), needed_ - pending_.size());
      pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
      bytes = bytes.subspan(count);
      if (pending_.size() < needed_) return {};
      const auto consumed = take(pending_);
      if (!consumed) return std::unexpected(*error_);
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(*consumed));
    }
    return {};
  }

  base::Result<void> finish() {
    if (error_) return std::unexpected(*error_);
    if (!format_)
      return fail(counters_.bytes == 0 ? not_a_capture("the file is empty")
                                       : not_a_capture("it is only some bytes long"));
    counters_.ended_early = !pending_.empty();
    return {};
  }

  const Counters& counters() const { return counters_; }
  std::string_view format() const { return format_ ? format_->name() : std::string_view(); }

 private:
  std::unexpected<base::Error> fail(base::Error error) {
    error_ = std::move(error);
    pending_ = {};
    return std::unexpected(*error_);
  }

  // Sets needed_, of what is left behind the bytes that were consumed.
  base::Result<std::size_t> take(base::Bytes bytes) {
    if (!format_) {
      if (bytes.size() < kMagic) {
        needed_ = kMagic;
        return 0;
      }
      if (is_pcap(bytes.first(kMagic))) {
        format_ = make_pcap(sink_, counters_);
      } else if (is_pcapng(bytes.first(kMagic))) {
        format_ = make_pcapng(sink_, counters_);
      } else {
        return fail(name_other_file(bytes));
      }
    }
    auto taken = format_->take(bytes);
    if (!taken) return fail(std::move(taken.error()));
    needed_ = taken->needed;
    return taken->consumed;
  }

  CaptureSink& sink_;
  Counters counters_;
  std::unique_ptr<CaptureFormat> format_;
  // The beginning of a record whose rest has not come; fewer than needed_ bytes.
  base::Buffer pending_;
  std::size_t needed_ = 0;
  std::optional<base::Error> error_;
};

CaptureReader::CaptureReader(CaptureSink& sink)
    : implementation_(std::make_unique<Implementation>(sink)) {}
CaptureReader::~CaptureReader() = default;

base::Result<void> CaptureReader::feed(base::Bytes bytes) { return implementation_->feed(bytes); }
base::Result<void> CaptureReader::finish() { return implementation_->finish(); }
const CaptureReader::Counters& CaptureReader::counters() const {
  return implementation_->counters();
}
std::string_view CaptureReader::format() const { return implementation_->format(); }

}  // namespace alcove::audit
