#pragma once
// A country by its ISO 3166-1 alpha-2 code, or none. Any thread.

#include <array>
#include <compare>
#include <optional>
#include <string_view>

namespace alcove::policy {

class Country {
 public:
  constexpr Country() = default;  // none: not known
  // Two letters of any case, of an assigned code (or EU, AP and XK, which databases use).
  static std::optional<Country> parse(std::string_view text);
  bool known() const { return code_[0] != 0; }
  // "DE", or "" when not known. Valid as long as this.
  std::string_view code() const { return {code_.data(), known() ? code_.size() : 0}; }
  // "Germany", "Allemagne"; the code where there is no name.
  std::string_view name_en() const;
  std::string_view name_fr() const;
  auto operator<=>(const Country&) const = default;

 private:
  std::array<char, 2> code_{};
};

}  // namespace alcove::policy
