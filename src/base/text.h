#pragma once
// Bytes as text: hexadecimal and base64url without padding (RFC 4648, section 5). Any thread.

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace alcove::base {

std::string to_hex(Bytes bytes);
// nullopt for an odd length or a character that is not a hexadecimal digit.
std::optional<Buffer> from_hex(std::string_view text);

std::string to_base64url(Bytes bytes);
// nullopt for padding, a foreign character, or left-over bits that are not zero.
std::optional<Buffer> from_base64url(std::string_view text);

// True when text is well-formed UTF-8 (RFC 3629) without overlong forms or surrogates.
bool is_utf8(std::string_view text);
// The number of code points of well-formed UTF-8.
std::size_t count_code_points(std::string_view text);

}  // namespace alcove::base
