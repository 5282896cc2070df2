#pragma once
// What the frames that come in tell of the log: an epoch that no entry announced, a speaker on
// another log. Looks at counters every quarter second. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "e2ee/member.h"

namespace alcove::e2ee {

class FrameWatch {
 public:
  static constexpr base::Duration kEvery = base::milliseconds(250);
  static constexpr base::Duration kUnknownAfter = base::seconds(1);
  static constexpr base::Duration kUnknownOver = base::seconds(5);
  static constexpr base::Duration kUnopenedAfter = base::seconds(2);

  explicit FrameWatch(Member& member) : member_(member) {}

  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const { return member_.active() ? next_ : base::kNever; }

 private:
  void watch_unknown(base::Instant now);
  void watch_seats(base::Instant now);

  struct Seat {
    KeyedFrames::SeatCounters before;
    roomlog::Hash holder{};
    std::optional<base::Instant> unopened_since;
    bool told = false;
  };

  Member& member_;
  base::Instant next_{};
  std::uint64_t unknown_before_ = 0;
  std::uint32_t epoch_before_ = 0;  // of the newest one whose secret is here
  std::optional<base::Instant> unknown_since_;
  base::Instant unknown_newest_{};
  std::map<std::uint8_t, Seat> seats_;
};

}  // namespace alcove::e2ee
