#pragma once
// What names, titles and passwords may look like. Any thread.

#include <expected>
#include <string>
#include <string_view>

#include "control/api_error.h"

namespace alcove::control {

inline constexpr std::size_t kMaxDisplayName = 40;
inline constexpr std::size_t kMaxTitle = 80;
inline constexpr std::size_t kMaxDeviceName = 80;

// Text that people see: trimmed, 1 to max_code_points, well-formed UTF-8 without control
// characters, line breaks, or characters that turn the direction of what stands around them. field
// is named in the error.
std::expected<std::string, ApiError> check_text(std::string_view text, std::string_view field,
                                                std::size_t max_code_points);

// 3 to 30 of a-z, 0-9, "_" and ".", beginning with a letter; returned in lower case.
std::expected<std::string, ApiError> check_username(std::string_view text);

// 8 to 200 code points.
std::expected<void, ApiError> check_password(std::string_view text);

}  // namespace alcove::control
