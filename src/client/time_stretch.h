#pragma once
// Speech made a pitch period shorter or longer, without a change of pitch: how the jitter buffer
// follows its target and the sender's clock. Any thread.

#include <cstddef>
#include <cstdint>
#include <span>

namespace alcove::client {

// Shorter than this, nothing is changed: two of the longest periods.
inline constexpr std::size_t kShortestStretch = 960;

// Removes 2.5 to 10 ms at the start of samples (48 kHz, mono); what is left is moved to the front.
// Returns how many samples were removed: 0 where it would be heard, unless force.
std::size_t shorten(std::span<std::int16_t> samples, bool force);

// The same the other way: the first size of samples are speech, the rest is room for at least 480
// more. Returns how many samples were added.
std::size_t lengthen(std::span<std::int16_t> samples, std::size_t size, bool force);

}  // namespace alcove::client
