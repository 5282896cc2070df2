#pragma once
// Seats on the stage: every frame names its sender's seat, so a seat should not pass to another
// holder while there are seats that nobody has had. One thread.

#include <deque>
#include <optional>

#include "rooms/types.h"

namespace alcove::rooms {

class Seats {
 public:
  // A seat that nobody has had, in order, or else the one given back first. nullopt when all are
  // held.
  std::optional<Seat> take();
  void give_back(Seat seat);
  bool full() const { return next_ == kEnd && returned_.empty(); }

 private:
  static constexpr unsigned kEnd = 256;
  unsigned next_ = 1;
  std::deque<Seat> returned_;
};

}  // namespace alcove::rooms
