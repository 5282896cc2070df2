#include "rtc/nack.h"

#include <algorithm>

namespace alcove::rtc {

void NackGenerator::handle_packet(base::Instant now, std::uint64_t sequence) {
  if (!highest_) {
    highest_ = sequence;
    return;
  }
  if (sequence <= *highest_) {
    const auto found = std::ranges::lower_bound(missing_, sequence, {}, &Missing::sequence);
    if (found == missing_.end() || found->sequence != sequence) return;
    if (found->requests != 0) ++repaired_;
    missing_.erase(found);
    return;
  }
  const std::uint64_t gap = sequence - *highest_ - 1;
  if (gap > kMaxMissing) {
    given_up_ += gap + missing_.size();
    missing_.clear();
  } else if (gap > 0) {
    while (missing_.size() + gap > kMaxMissing) {
      ++given_up_;
      missing_.erase(missing_.begin());
    }
    for (std::uint64_t lost = *highest_ + 1; lost < sequence; ++lost)
      missing_.push_back({lost, now, now + kFirstDelay, 0});
  }
  highest_ = sequence;
}

void NackGenerator::collect(base::Instant now, base::Duration round_trip,
                            std::vector<std::uint64_t>& missing) {
  std::size_t kept = 0;
  for (Missing entry : missing_) {
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
  missing_.resize(kept);
}

base::Instant NackGenerator::next_deadline() const {
  base::Instant deadline = base::kNever;
  for (const Missing& entry : missing_) deadline = std::min(deadline, entry.next_request);
  return deadline;
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
