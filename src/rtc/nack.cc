#include "rtc/nack.h"

#include <algorithm>

namespace alcove::rtc {

void NackGenerator::handle_packet(base::Instant now, std::uint64_t sequence) {
  if (!highest_) {
    highest_ = sequence;
    return;
  }
  if (sequence <= *highest_) {
    const auto end = missing_.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto found = std::lower_bound(
        missing_.begin(), end, sequence,
        [](const Missing& missing, std::uint64_t value) { return missing.sequence < value; });
    if (found == end || found->sequence != sequence) return;
    if (found->requests != 0) ++repaired_;
    remove_at(static_cast<std::size_t>(found - missing_.begin()));
    return;
  }
  const std::uint64_t gap = sequence - *highest_ - 1;
  if (gap > kMaxMissing) {
    given_up_ += gap + count_;
    count_ = 0;
  } else {
    while (count_ + gap > kMaxMissing) {
      ++given_up_;
      remove_at(0);
    }
    for (std::uint64_t lost = *highest_ + 1; lost < sequence; ++lost)
      missing_[count_++] = {lost, now, now + kFirstDelay, 0};
  }
  highest_ = sequence;
}

void NackGenerator::collect(base::Instant now, base::Duration round_trip,
                            std::vector<std::uint64_t>& missing) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    Missing entry = missing_[i];
    if (now < entry.next_request) {
      missing_[kept++] = entry;
      continue;
    }
    if (entry.requests == kMaxRequests || now >= entry.since + kGiveUpAfter) {
      ++given_up_;
      continue;
    }
    missing.push_back(entry.sequence);
    ++entry.requests;
    // A quarter more than a round trip, so that an answer under way is not asked for twice.
    const base::Duration retry = std::max(kShortestRetry, round_trip + round_trip / 4);
    entry.next_request = std::min(now + retry, entry.since + kGiveUpAfter);
    missing_[kept++] = entry;
  }
  count_ = kept;
}

base::Instant NackGenerator::next_deadline() const {
  base::Instant deadline = base::kNever;
  for (std::size_t i = 0; i < count_; ++i) deadline = std::min(deadline, missing_[i].next_request);
  return deadline;
}

void NackGenerator::remove_at(std::size_t index) {
  std::move(missing_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
            missing_.begin() + static_cast<std::ptrdiff_t>(count_),
            missing_.begin() + static_cast<std::ptrdiff_t>(index));
  --count_;
}

void RetransmissionRing::store(std::uint64_t index, std::uint32_t timestamp, bool marker,
                               base::Bytes payload) {
  Entry& entry = entries_[index % kCapacity];
  entry.used = true;
  entry.index = index;
  entry.timestamp = timestamp;
  entry.marker = marker;
  entry.payload.assign(payload.begin(), payload.end());
}

std::optional<RetransmissionRing::Packet> RetransmissionRing::find(std::uint64_t index) const {
  const Entry& entry = entries_[index % kCapacity];
  if (!entry.used || entry.index != index) return std::nullopt;
  return Packet{entry.index, entry.timestamp, entry.marker, entry.payload};
}

void RetransmissionRing::clear() {
  for (Entry& entry : entries_) entry.used = false;
}

}  // namespace alcove::rtc
