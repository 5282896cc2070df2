#pragma once
// Protocols of one vendor of 2021, as published (docs/audit.md): packets of little-endian type,
// length and value behind a six-byte start, JSON messages named rtc.…, and the vendor's names.
// Pure; any thread.

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace alcove::audit {

// A payload that is such a list: at least two items with growing keys and printable values, then
// nothing but zeros. Random bytes are one with probability under 2^-60.
bool is_vendor_list(base::Bytes payload);

// Whether a name is the vendor's, or lies below one of its own.
bool is_vendor_name(std::string_view name);

// At '{"rtc.' in a text: the message's name, "rtc.user_set_channel_profile".
std::optional<std::string_view> vendor_message(base::Bytes text, std::size_t at);
inline constexpr std::string_view kVendorMessageStart = "{\"rtc.";

}  // namespace alcove::audit
