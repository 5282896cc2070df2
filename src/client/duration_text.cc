#include "client/duration_text.h"

#include <array>
#include <charconv>
#include <utility>

namespace alcove::client {

std::optional<base::Duration> parse_duration(std::string_view text) {
  constexpr double kMostSeconds = 30.0 * 24 * 3600;
  constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}}};
  double number = 0;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  for (const auto& [name, seconds] : kUnits) {
    if (unit != name) continue;
    const double value = number * seconds;
    if (!(value >= 0.001 && value <= kMostSeconds)) return std::nullopt;
    return base::Duration(static_cast<std::int64_t>(value * 1e6));
  }
  return std::nullopt;
}

}  // namespace alcove::client
