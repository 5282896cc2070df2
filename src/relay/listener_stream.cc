#include "relay/listener_stream.h"

#include <algorithm>

namespace alcove::relay {

ListenerStream::ListenerStream(std::uint32_t ssrc, base::RandomSource& random)
    : ssrc_(ssrc),
      timestamp_origin_(random.next_u32()),
      initial_(static_cast<std::uint16_t>(random.below(1U << 15))) {}

std::optional<std::uint64_t> ListenerStream::place(std::uint64_t slot_index,
                                                   std::uint64_t spurt_start) {
  if (segment_count_ == 0) {
    segments_[0] = {slot_index, slot_index - initial_};
    segment_count_ = 1;
  }
  end_unsent_run(spurt_start);
  const std::optional<std::uint64_t> index = find(slot_index);
  if (index) newest_ = std::max(newest_, *index);
  return index;
}

void ListenerStream::skip_spurt(std::uint64_t spurt_start) {
  if (segment_count_ != 0 && !unsent_from_) unsent_from_ = spurt_start;
}

void ListenerStream::end_unsent_run(std::uint64_t spurt_start) {
  if (!unsent_from_ || spurt_start <= *unsent_from_) return;
  exclude(*unsent_from_, spurt_start);
  unsent_from_.reset();
}

void ListenerStream::skip(std::uint64_t slot_index, std::uint64_t spurt_start) {
  end_unsent_run(spurt_start);
  // A late one stays a hole: what came after it has been sent under the present base.
  if (segment_count_ == 0 || slot_index < segments_[0].from) return;
  if (slot_index - segments_[0].base <= newest_) return;
  exclude(slot_index, slot_index + 1);
}

void ListenerStream::exclude(std::uint64_t from, std::uint64_t to) {
  const Segment next{to, segments_[0].base + (to - from)};
  if (segments_[0].from != from) {
    std::shift_right(segments_.begin(), segments_.end(), 1);
    segment_count_ =
        static_cast<std::uint8_t>(std::min<std::size_t>(segment_count_ + 1U, kSegments));
  }
  segments_[0] = next;
}

std::optional<std::uint64_t> ListenerStream::find(std::uint64_t slot_index) const {
  for (std::size_t i = 0; i < segment_count_; ++i) {
    if (slot_index < segments_[i].from) continue;
    const std::uint64_t index = slot_index - segments_[i].base;
    const bool excluded = i > 0 && index >= segments_[i - 1].first();
    return excluded ? std::nullopt : std::optional(index);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ListenerStream::slot_index(std::uint16_t sequence_number) const {
  if (segment_count_ == 0) return std::nullopt;
  const auto back =
      static_cast<std::uint16_t>(static_cast<std::uint16_t>(newest_) - sequence_number);
  if (back > newest_) return std::nullopt;
  const std::uint64_t index = newest_ - back;
  for (std::size_t i = 0; i < segment_count_; ++i) {
    if (index >= segments_[i].first()) return index + segments_[i].base;
  }
  return std::nullopt;
}

}  // namespace alcove::relay
