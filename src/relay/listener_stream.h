#pragma once
// One slot as one listener sees it: its own SSRC, its own origin of sequence numbers and
// timestamps, and no hole where the relay has sent nothing on purpose. Pure; no allocation.
//
// index here is rollover counter and sequence number together (RFC 3711, section 3.3.1); it is the
// slot's index less a base. The base grows by each packet that is not sent on purpose (the
// listener's own voice, a refused send); the last few bases are kept, so that a late packet and a
// NACK find theirs.

#include <array>
#include <cstdint>
#include <optional>

#include "base/random.h"

namespace alcove::relay {

class ListenerStream {
 public:
  ListenerStream() = default;
  // Random SSRC's companions: initial index below 2^15, so that the rollover counter starts at 0 on
  // both sides without doubt (RFC 3711, section 3.3.1), and a random origin of timestamps.
  ListenerStream(std::uint32_t ssrc, base::RandomSource& random);

  std::uint32_t ssrc() const { return ssrc_; }
  std::uint32_t timestamp(std::uint32_t slot_timestamp) const {
    return slot_timestamp + timestamp_origin_;
  }

  // Where a packet of the slot goes that is sent now. nullopt: it is from before this listener
  // came, or lies where the listener was told of no hole.
  std::optional<std::uint64_t> place(std::uint64_t slot_index, std::uint64_t spurt_start);
  // The whole talk spurt is not sent (the listener is its speaker).
  void skip_spurt(std::uint64_t spurt_start);
  // This one packet is not sent.
  void skip(std::uint64_t slot_index, std::uint64_t spurt_start);

  // The slot's index of what was sent with these 16 bits, reading them as the nearest to the
  // newest; nullopt when nothing was sent or the base that it had is forgotten.
  std::optional<std::uint64_t> slot_index(std::uint16_t sequence_number) const;
  // Without a change: the index that a packet of the slot was sent with.
  std::optional<std::uint64_t> find(std::uint64_t slot_index) const;

  // For the sender report (RFC 3550, section 6.4.1).
  void count(std::size_t payload_size) {
    ++packets_;
    octets_ += static_cast<std::uint32_t>(payload_size);
  }
  std::uint32_t packets() const { return packets_; }
  std::uint32_t octets() const { return octets_; }

 private:
  // From slot index `from` on, index = slot index - base. The newest is first.
  struct Segment {
    std::uint64_t from = 0;
    std::uint64_t base = 0;  // modulo 2^64: it may be "negative" by the initial index
    std::uint64_t first() const { return from - base; }
  };
  static constexpr std::size_t kSegments = 4;

  void end_unsent_run(std::uint64_t spurt_start);
  void exclude(std::uint64_t from, std::uint64_t to);

  std::uint32_t ssrc_ = 0;
  std::uint32_t timestamp_origin_ = 0;
  std::uint32_t packets_ = 0;
  std::uint32_t octets_ = 0;
  std::uint64_t newest_ = 0;                  // the greatest index sent
  std::optional<std::uint64_t> unsent_from_;  // a run of spurts that are not sent
  std::uint16_t initial_ = 0;
  std::uint8_t segment_count_ = 0;
  std::array<Segment, kSegments> segments_{};
};

}  // namespace alcove::relay
