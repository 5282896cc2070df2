#pragma once
// How loaded one media thread is, from what its batches took: told, never measured here. Says when
// to take nobody else, before those who are here hear gaps. Pure. One thread.

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace alcove::relay {

// Two thresholds each, so that the answer does not flicker around one.
inline constexpr unsigned kBusyOverloaded = 850;  // in 1/1000 of the time
inline constexpr unsigned kBusyRelieved = 700;
inline constexpr base::Duration kAgeOverloaded = base::milliseconds(40);
inline constexpr base::Duration kAgeRelieved = base::milliseconds(25);
// Packets that get old on a thread that is less busy than this wait for something else than the
// thread's own work: turning listeners away would not help.
inline constexpr unsigned kBusyAtAll = 300;
inline constexpr base::Duration kLeastOverload = base::seconds(5);

struct Load {
  bool overloaded = false;
  unsigned busy = 0;  // in 1/1000 of the time, over about a second
  // From the read of a speaker's packet, at whichever shard, to the return of the last send to a
  // listener: the 99th percentile of the last 4 to 8 seconds. Zero before there are enough.
  base::Duration queue_age{};
  // The longest that one batch with a fan-out took, of the same seconds.
  base::Duration longest_fan_out{};
};

class LoadMeter {
 public:
  struct Batch {
    base::Instant ended;
    base::Duration work{};              // what could not wait: handshakes are not in it
    std::optional<base::Duration> age;  // of the oldest packet that was sent to listeners
  };
  // True when overloaded has changed.
  bool add(const Batch& batch);
  const Load& load() const { return load_; }

 private:
  static constexpr std::size_t kBuckets = 128;  // of a millisecond; the last holds all above
  struct Window {
    std::array<std::uint32_t, kBuckets> ages{};
    std::uint32_t count = 0;
    base::Duration longest{};
  };

  void end_interval(base::Instant now);
  void add_age(base::Duration age, base::Duration work);
  base::Duration percentile_99() const;
  bool judge(base::Instant now);

  Load load_;
  base::Instant interval_began_{};
  base::Duration interval_work_{};
  double busy_share_ = 0;
  base::Instant window_began_{};
  Window current_;
  Window previous_;
  base::Instant changed_at_{};
};

}  // namespace alcove::relay
