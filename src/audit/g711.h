#pragma once
// ITU-T G.711: one byte to one linear sample of 16 bits. Any thread.

#include <cstdint>

namespace alcove::audit {

std::int16_t decode_mu_law(std::uint8_t code);
std::int16_t decode_a_law(std::uint8_t code);

}  // namespace alcove::audit
