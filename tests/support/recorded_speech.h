#pragma once
// Recorded speech of Debian's alsa-utils, as samples.

#include <cstdint>
#include <vector>

namespace alcove::test {

// Mono, 48 kHz; all of the recordings one after the other. Empty where they are not installed.
std::vector<std::int16_t> recorded_speech();

}  // namespace alcove::test
