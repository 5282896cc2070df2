#include "client/load_arrivals.h"

#include <algorithm>

#include "wire/rtp.h"
#include "wire/sequence.h"

namespace alcove::client {

namespace {

// An Opus packet has at most 120 ms at 48 kHz. Where the sender's time went on by more for each
// packet, it was silent in between, and the packet with the marker was lost.
constexpr std::uint32_t kLongestPacket = 5'760;

}  // namespace

bool LoadArrivals::handle_packet(base::Instant now, base::Bytes packet) {
  const auto header = wire::parse_rtp_header(packet);
  if (!header) return false;
  const wire::RtpFields& fields = header->fields;
  if (packets_++ == 0) first_ = now;
  const auto found = std::ranges::find(slots_, fields.ssrc, &Slot::ssrc);
  if (found == slots_.end()) {
    if (slots_.size() < kMaxSlots)
      slots_.push_back({fields.ssrc, fields.sequence, fields.timestamp, now});
    return false;
  }
  if (!wire::is_newer_sequence(fields.sequence, found->sequence)) return false;
  const std::uint32_t ahead = static_cast<std::uint16_t>(fields.sequence - found->sequence);
  const bool same_spurt =
      !fields.marker && fields.timestamp - found->timestamp <= ahead * kLongestPacket;
  if (same_spurt) {
    const base::Duration gap = now - found->arrival;
    worst_ = std::max(worst_, gap);
    worst_measured_ = std::max(worst_measured_, gap);
    if (gap > kAudibleGap) ++audible_gaps_;
  }
  *found = {fields.ssrc, fields.sequence, fields.timestamp, now};
  return ahead == 1;
}

}  // namespace alcove::client
