#include "e2ee/frame_watch.h"

#include <utility>

namespace alcove::e2ee {

using base::Instant;

void FrameWatch::handle_timeout(Instant now) {
  if (!member_.active() || now < next_) return;
  next_ = now + kEvery;
  watch_unknown(now);
  watch_seats(now);
}

void FrameWatch::watch_unknown(Instant now) {
  const std::uint64_t count = member_.frames.counters().unknown_epoch;
  const bool grew = count != unknown_before_;
  unknown_before_ = count;
  // The entry or the key came: frames that were ahead of it say nothing any more.
  const auto& known = member_.epochs.known();
  const std::uint32_t epoch = known.empty() ? 0 : known.back().number;
  const bool was_announced = std::exchange(epoch_before_, epoch) != epoch;
  const bool is_over = unknown_since_ && !grew && now - unknown_newest_ >= kUnknownOver;
  if (was_announced || is_over) {
    unknown_since_.reset();
  } else if (grew) {
    unknown_newest_ = now;
    if (!unknown_since_) unknown_since_ = now;
  }
  member_.unknown_frames = unknown_since_ && unknown_newest_ - *unknown_since_ >= kUnknownAfter;
  if (member_.unknown_frames || !member_.epochs.sending())
    member_.warnings.raise(KeyWarning::kUnknownEpoch, {},
                           "Others use a key that this client has no word of: nothing is sent.");
  else
    member_.warnings.clear(KeyWarning::kUnknownEpoch, {});
}

void FrameWatch::watch_seats(Instant now) {
  const auto& stage = member_.state.stage();
  std::erase_if(seats_, [&](const auto& entry) {
    const auto member = stage.find(entry.first);
    const bool gone =
        member == stage.end() || member->second.certificate.leaf_hash != entry.second.holder;
    return gone;
  });
  for (const auto& [number, member] : stage) {
    const KeyedFrames::SeatCounters counters = member_.frames.seat_counters(number);
    const auto [found, is_new] = seats_.try_emplace(number);
    Seat& seat = found->second;
    const KeyedFrames::SeatCounters before = std::exchange(seat.before, counters);
    seat.holder = member.certificate.leaf_hash;
    if (is_new) continue;
    const std::string& name = member.certificate.display_name;
    if (counters.opened != before.opened) {
      member_.heard[seat.holder] = now;
      seat.unopened_since.reset();
      if (std::exchange(seat.told, false)) member_.warnings.clear(KeyWarning::kNotSameLog, name);
    } else if (counters.not_opened != before.not_opened) {
      if (!seat.unopened_since) seat.unopened_since = now;
      if (now - *seat.unopened_since < kUnopenedAfter || seat.told) continue;
      seat.told = true;
      member_.warnings.raise(KeyWarning::kNotSameLog, name, "What they send does not open.");
    }
  }
}

}  // namespace alcove::e2ee
