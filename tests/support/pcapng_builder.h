#pragma once
// pcapng files for tests, block by block, in either byte order.

#include <cstdint>

#include "base/bytes.h"

namespace alcove::test {

class PcapngBuilder {
 public:
  explicit PcapngBuilder(bool big_endian = false) : big_(big_endian) {}

  PcapngBuilder& u8(std::uint8_t value) {
    body_.push_back(value);
    return *this;
  }
  PcapngBuilder& u16(std::uint16_t value) { return integer(body_, value, 2), *this; }
  PcapngBuilder& u32(std::uint32_t value) { return integer(body_, value, 4), *this; }
  PcapngBuilder& u64(std::uint64_t value) { return integer(body_, value, 8), *this; }
  // With padding to 32 bits.
  PcapngBuilder& bytes(base::Bytes value) {
    body_.insert(body_.end(), value.begin(), value.end());
    while (body_.size() % 4 != 0) body_.push_back(0);
    return *this;
  }
  PcapngBuilder& option(std::uint16_t code, base::Bytes value) {
    return u16(code).u16(static_cast<std::uint16_t>(value.size())).bytes(value);
  }
  // Ends the block whose body was written since the last one.
  PcapngBuilder& block(std::uint32_t type) {
    const std::size_t length = 12 + body_.size();
    integer(file_, type, 4);
    integer(file_, length, 4);
    file_.insert(file_.end(), body_.begin(), body_.end());
    integer(file_, length, 4);
    body_.clear();
    return *this;
  }

  PcapngBuilder& section() {
    return u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).block(0x0a0d0d0a);
  }
  PcapngBuilder& interface(std::uint16_t link_type, std::uint32_t snap_length = 0) {
    return u16(link_type).u16(0).u32(snap_length).block(1);
  }
  PcapngBuilder& packet(std::uint32_t interface, std::uint64_t ticks, base::Bytes frame,
                        std::uint32_t sent) {
    return u32(interface)
        .u32(static_cast<std::uint32_t>(ticks >> 32))
        .u32(static_cast<std::uint32_t>(ticks))
        .u32(static_cast<std::uint32_t>(frame.size()))
        .u32(sent)
        .bytes(frame)
        .block(6);
  }

  base::Buffer& file() { return file_; }

 private:
  void integer(base::Buffer& out, std::uint64_t value, int count) const {
    for (int i = 0; i < count; ++i)
      out.push_back(static_cast<std::uint8_t>(value >> (8 * (big_ ? count - 1 - i : i))));
  }

  bool big_;
  base::Buffer file_;
  base::Buffer body_;
};

}  // namespace alcove::test
