#pragma once
// When packets of a member's voices come, by their clear RTP headers: the longest time without
// sound that should have been there. One thread; nothing is allocated for a packet.

#include <boost/container/static_vector.hpp>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace alcove::client {

class LoadArrivals {
 public:
  static constexpr std::size_t kMaxSlots = 16;
  // A gap that a jitter buffer does not hide from a person.
  static constexpr base::Duration kAudibleGap = base::milliseconds(80);

  // False where something is out of order: not the number after the last one of its slot.
  bool handle_packet(base::Instant now, base::Bytes packet);
  // From here on worst_measured() counts.
  void begin_measuring() { worst_measured_ = {}; }

  std::uint64_t packets() const { return packets_; }
  base::Instant first() const { return first_; }  // kNever before it
  // Between two packets of one talk spurt.
  base::Duration worst() const { return worst_; }
  base::Duration worst_measured() const { return worst_measured_; }
  std::uint64_t audible_gaps() const { return audible_gaps_; }

 private:
  struct Slot {
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    base::Instant arrival;
  };

  boost::container::static_vector<Slot, kMaxSlots> slots_;
  std::uint64_t packets_ = 0;
  std::uint64_t audible_gaps_ = 0;
  base::Instant first_ = base::kNever;
  base::Duration worst_{};
  base::Duration worst_measured_{};
};

}  // namespace alcove::client
