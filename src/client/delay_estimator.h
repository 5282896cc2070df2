#pragma once
// How long packets must wait so that almost all of them are there in time. One thread.

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace alcove::client {

class DelayEstimator {
 public:
  static constexpr base::Duration kLeast = base::milliseconds(40);
  static constexpr base::Duration kMost = base::milliseconds(200);
  static constexpr base::Duration kInitial = base::milliseconds(60);

  // A new talk spurt: what timestamps mean against the clock begins anew; what was learnt of the
  // network stays.
  void begin_spurt();
  void handle_packet(base::Instant arrival, std::uint32_t timestamp);

  // Play a packet so long after the fastest packet of its spurt would have come.
  base::Duration target() const { return target_; }
  // How long after the fastest packet could have brought it the sample with this timestamp plays,
  // when it plays at now; nullopt for a sample from before the spurt.
  std::optional<base::Duration> delay_at(base::Instant now, std::uint32_t timestamp) const;

 private:
  static constexpr std::size_t kWindow = 256;  // packets: 5 s of speech
  static constexpr std::size_t kMinimumWindow =
      128;  // packets after which the fastest is forgotten

  // Arrival minus timestamp, in microseconds, both since the spurt's first packet.
  std::int64_t transit(base::Instant when, std::uint32_t timestamp) const;
  std::int64_t fastest() const;
  void update_target();

  bool in_spurt_ = false;
  base::Instant first_arrival_;
  std::uint32_t first_timestamp_ = 0;
  // The least transit of this stretch of packets and of the one before, so that drift is followed.
  std::int64_t least_ = 0;
  std::int64_t least_before_ = 0;
  std::size_t in_stretch_ = 0;
  std::array<std::uint32_t, kWindow> waits_{};  // microseconds after the fastest
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  base::Duration target_ = kInitial;
};

}  // namespace alcove::client
