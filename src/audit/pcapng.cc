// https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcapng; section numbers are of -03.

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "audit/capture_format.h"
#include "audit/load.h"
#include "audit/pcapng_time.h"

namespace alcove::audit {
namespace {

namespace block {
constexpr std::uint32_t kSection = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kPacket = 2;  // obsolete (appendix A)
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kSecrets = 10;
}  // namespace block

namespace option {
constexpr std::uint16_t kEnd = 0;
constexpr std::uint16_t kInterfaceResolution = 9;
constexpr std::uint16_t kInterfaceOffset = 14;
constexpr std::uint16_t kInterfaceDrops = 5;
constexpr std::uint16_t kSystemDrops = 7;
}  // namespace option

constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kTlsKeyLog = 0x544c534b;
constexpr std::size_t kEnvelope = 12;  // type, length, and the length again
constexpr std::size_t kSectionBlock = 28;
constexpr std::size_t kMaxInterfaces = 65536;
constexpr std::size_t kMaxOptions = std::size_t{1} << 20;

std::size_t padded(std::size_t length) { return (length + 3) / 4 * 4; }
std::uint64_t add_saturated(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum < a ? std::numeric_limits<std::uint64_t>::max() : sum;
}

struct Interface {
  // False for a damaged block, which still takes its number.
  bool usable = false;
  LinkType link_type = LinkType::kEthernet;
  std::uint32_t snap_length = 0;
  PcapngClock clock;
  std::uint64_t drops = 0;
};

class Pcapng final : public CaptureFormat {
 public:
  Pcapng(CaptureSink& sink, CaptureReader::Counters& counters) : sink_(sink), counters_(counters) {}

  base::Result<Taken> take(base::Bytes bytes) override {
    Taken taken;
    while (true) {
      const base::Bytes rest = bytes.subspan(taken.consumed);
      taken.needed = kEnvelope;
      if (rest.size() < taken.needed) return taken;
      const bool section = load_native<std::uint32_t>(rest.data()) == block::kSection;
      if (section && !read_byte_order(rest.data() + 8))
        return damaged("a section whose byte order cannot be told");
      const std::size_t length = load32(rest.data() + 4);
      if (length < (section ? kSectionBlock : kEnvelope) || length > kMaxRecord || length % 4 != 0)
        return damaged("a block with a length that cannot be");
      taken.needed = length;
      if (rest.size() < taken.needed) return taken;
      prefetch(rest.data() + length);
      const base::Bytes whole = rest.first(length);
      if (section) {
        if (const auto result = begin_section(whole); !result)
          return std::unexpected(result.error());
      } else if (load32(whole.data() + length - 4) != length || !handle_block(whole)) {
        ++counters_.bad_blocks;
      }
      taken.consumed += length;
    }
  }

  std::string_view name() const override { return name_; }

 private:
  std::uint16_t load16(const std::uint8_t* at) const {
    const auto value = load_native<std::uint16_t>(at);
    return swapped_ ? std::byteswap(value) : value;
  }
  std::uint32_t load32(const std::uint8_t* at) const {
    const auto value = load_native<std::uint32_t>(at);
    return swapped_ ? std::byteswap(value) : value;
  }
  std::uint64_t load64(const std::uint8_t* at) const {
    const auto value = load_native<std::uint64_t>(at);
    return swapped_ ? std::byteswap(value) : value;
  }
  // Timestamps come as two halves, the upper one first in either byte order.
  std::uint64_t load_ticks(const std::uint8_t* at) const {
    return std::uint64_t{load32(at)} << 32 | load32(at + 4);
  }

  std::unexpected<base::Error> damaged(const std::string& what) const {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      "after frame " + std::to_string(counters_.frames) + " comes " + what +
                          ": the file is damaged there");
  }

  bool read_byte_order(const std::uint8_t* at) {
    const auto magic = load_native<std::uint32_t>(at);
    if (magic != kByteOrderMagic && std::byteswap(magic) != kByteOrderMagic) return false;
    swapped_ = magic != kByteOrderMagic;
    return true;
  }

  base::Result<void> begin_section(base::Bytes whole) {
    const unsigned major = load16(whole.data() + 12);
    const unsigned minor = load16(whole.data() + 14);
    if (major != 1)
      return base::fail(
          base::ErrorCode::kInvalidArgument,
          "this is pcapng of version " + std::to_string(major) + "; only version 1 is known");
    if (name_ == "pcapng") name_ = "pcapng 1." + std::to_string(minor);
    interfaces_.clear();
    return {};
  }

  // False: damaged.
  bool handle_block(base::Bytes whole) {
    const std::uint32_t type = load32(whole.data());
    const base::Bytes body = whole.subspan(8, whole.size() - kEnvelope);
    switch (type) {
      case block::kEnhancedPacket:
        return handle_enhanced_packet(body);
      case block::kInterface:
        return handle_interface(body);
      case block::kSimplePacket:
        return handle_simple_packet(body);
      case block::kPacket:
        return handle_old_packet(body);
      case block::kStatistics:
        return handle_statistics(body);
      case block::kSecrets:
        return handle_secrets(body);
      default:
        return true;
    }
  }

  // Calls handle(code, value) for each option. Damage ends the walk and makes it false.
  template <typename Handler>
  bool for_each_option(base::Bytes options, Handler handle) const {
    const bool too_long = options.size() > kMaxOptions;
    if (too_long) options = options.first(kMaxOptions);
    while (options.size() >= 4) {
      const std::uint16_t code = load16(options.data());
      const std::size_t length = load16(options.data() + 2);
      if (code == option::kEnd) return true;
      if (padded(length) > options.size() - 4) return false;
      handle(code, options.subspan(4, length));
      options = options.subspan(4 + padded(length));
    }
    return options.empty() && !too_long;
  }

  bool handle_interface(base::Bytes body) {
    if (interfaces_.size() >= kMaxInterfaces) return false;
    Interface& added = interfaces_.emplace_back();
    if (body.size() < 8) return false;
    added.usable = true;
    added.link_type = static_cast<LinkType>(load16(body.data()));
    added.snap_length = load32(body.data() + 4);
    return for_each_option(body.subspan(8), [&](std::uint16_t code, base::Bytes value) {
      if (code == option::kInterfaceResolution && value.size() == 1)
        added.clock.set_resolution(value[0]);
      if (code == option::kInterfaceOffset && value.size() == 8)
        added.clock.set_offset(static_cast<std::int64_t>(load64(value.data())));
    });
  }

  const Interface* find_interface(std::uint32_t id) const {
    return id < interfaces_.size() && interfaces_[id].usable ? &interfaces_[id] : nullptr;
  }

  bool handle_enhanced_packet(base::Bytes body) {
    if (body.size() < 20) return false;
    const std::uint32_t id = load32(body.data());
    const Interface* interface = find_interface(id);
    if (interface == nullptr) return false;
    time_ = interface->clock.time(load_ticks(body.data() + 4));
    return hand_on(id, *interface, body.subspan(20), load32(body.data() + 12),
                   load32(body.data() + 16));
  }

  bool handle_old_packet(base::Bytes body) {
    if (body.size() < 20) return false;
    const std::uint32_t id = load16(body.data());
    const Interface* interface = find_interface(id);
    if (interface == nullptr) return false;
    time_ = interface->clock.time(load_ticks(body.data() + 4));
    return hand_on(id, *interface, body.subspan(20), load32(body.data() + 12),
                   load32(body.data() + 16));
  }

  // It has no time: that of the packet before it stands in.
  bool handle_simple_packet(base::Bytes body) {
    const Interface* interface = find_interface(0);
    if (body.size() < 4 || interface == nullptr) return false;
    const std::uint32_t sent = load32(body.data());
    std::uint32_t captured = sent;
    if (interface->snap_length != 0) captured = std::min(captured, interface->snap_length);
    return hand_on(0, *interface, body.subspan(4), captured, sent);
  }

  bool hand_on(std::uint32_t id, const Interface& interface, base::Bytes data,
               std::uint32_t captured, std::uint32_t sent) {
    if (captured > data.size()) return false;
    Frame frame;
    frame.number = ++counters_.frames;
    frame.time = time_;
    frame.link_type = interface.link_type;
    frame.interface = id;
    frame.bytes = data.first(captured);
    frame.wire_length = std::max(sent, captured);
    if (sent > captured) ++counters_.cut_frames;
    sink_.handle_frame(frame);
    return true;
  }

  // The counts are since the beginning of the capture, so a later block replaces an earlier one.
  bool handle_statistics(base::Bytes body) {
    if (body.size() < 12) return false;
    const std::uint32_t id = load32(body.data());
    if (id >= interfaces_.size()) return false;
    std::uint64_t drops = 0;
    const bool good = for_each_option(body.subspan(12), [&](std::uint16_t code, base::Bytes value) {
      if ((code == option::kInterfaceDrops || code == option::kSystemDrops) && value.size() == 8)
        drops = add_saturated(drops, load64(value.data()));
    });
    std::uint64_t& before = interfaces_[id].drops;
    if (drops > before) {
      counters_.dropped_by_capture = add_saturated(counters_.dropped_by_capture, drops - before);
      before = drops;
    }
    return good;
  }

  bool handle_secrets(base::Bytes body) {
    if (body.size() < 8) return false;
    const std::size_t length = load32(body.data() + 4);
    if (length > body.size() - 8) return false;
    if (load32(body.data()) == kTlsKeyLog) sink_.handle_secrets(body.subspan(8, length));
    return true;
  }

  CaptureSink& sink_;
  CaptureReader::Counters& counters_;
  bool swapped_ = false;
  std::string name_ = "pcapng";
  std::vector<Interface> interfaces_;
  CaptureTime time_;
};

}  // namespace

bool is_pcapng(base::Bytes first_four) {
  return load_native<std::uint32_t>(first_four.data()) == block::kSection;
}

std::unique_ptr<CaptureFormat> make_pcapng(CaptureSink& sink, CaptureReader::Counters& counters) {
  return std::make_unique<Pcapng>(sink, counters);
}

}  // namespace alcove::audit
