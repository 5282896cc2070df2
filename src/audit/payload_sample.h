#pragma once
// Some payloads of one RTP stream, in the order they came: what recognisers look at. Bounded. Any
// thread.

#include <cstdint>
#include <vector>

#include "audit/frame.h"
#include "base/bytes.h"

namespace alcove::audit {

struct SampledPacket {
  std::uint64_t number = 0;  // of the frame
  CaptureTime time;
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  bool marker = false;
  std::uint16_t size = 0;
  std::uint32_t offset = 0;
};

class PayloadSample {
 public:
  static constexpr std::size_t kMaxPackets = 256;  // 5.1 s of 20 ms packets
  static constexpr std::size_t kMaxBytes = 64'000;

  // False, and nothing is kept, when it is full.
  bool add(const SampledPacket& packet, base::Bytes payload) {
    if (full() || payload.size() > kMaxBytes - bytes_.size()) return false;
    SampledPacket& kept = packets_.emplace_back(packet);
    kept.size = static_cast<std::uint16_t>(payload.size());
    kept.offset = static_cast<std::uint32_t>(bytes_.size());
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    return true;
  }
  bool full() const { return packets_.size() >= kMaxPackets; }
  bool empty() const { return packets_.empty(); }
  std::size_t size() const { return packets_.size(); }
  const SampledPacket& operator[](std::size_t index) const { return packets_[index]; }
  base::Bytes payload(std::size_t index) const {
    return base::Bytes(bytes_).subspan(packets_[index].offset, packets_[index].size);
  }
  base::Bytes bytes() const { return bytes_; }
  // What it takes, for whoever keeps many.
  std::size_t memory() const {
    return packets_.capacity() * sizeof(SampledPacket) + bytes_.capacity();
  }
  void clear() {
    packets_ = {};
    bytes_ = {};
  }

 private:
  std::vector<SampledPacket> packets_;
  base::Buffer bytes_;
};

}  // namespace alcove::audit
