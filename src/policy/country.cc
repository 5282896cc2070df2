#include "policy/country.h"

#include "policy/country_names.h"

namespace alcove::policy {

std::optional<Country> Country::parse(std::string_view text) {
  if (text.size() != 2) return std::nullopt;
  Country country;
  for (std::size_t i = 0; i < 2; ++i) {
    const char c = text[i];
    country.code_[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (find_country_name({country.code_.data(), 2}) == nullptr) return std::nullopt;
  return country;
}

std::string_view Country::name_en() const {
  const CountryName* name = find_country_name(code());
  return name == nullptr ? code() : name->name_en;
}

std::string_view Country::name_fr() const {
  const CountryName* name = find_country_name(code());
  return name == nullptr ? code() : name->name_fr;
}

}  // namespace alcove::policy
