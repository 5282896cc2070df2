#include "rooms/seats.h"

#include "base/check.h"

namespace alcove::rooms {

std::optional<Seat> Seats::take() {
  if (next_ != kEnd) return static_cast<Seat>(next_++);
  if (returned_.empty()) return std::nullopt;
  const Seat seat = returned_.front();
  returned_.pop_front();
  return seat;
}

void Seats::give_back(Seat seat) {
  CHECK(seat != 0 && seat < next_);
  returned_.push_back(seat);
}

}  // namespace alcove::rooms
