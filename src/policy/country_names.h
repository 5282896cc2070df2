#pragma once
// The table of ISO 3166-1 alpha-2 codes behind Country: what they are called, and the words that
// stand before the name in a sentence. Any thread.

#include <span>
#include <string_view>

namespace alcove::policy {

struct CountryName {
  std::string_view code;
  std::string_view article_en;  // "the " or ""
  std::string_view name_en;
  std::string_view in_fr;  // "en ", "au ", "aux ", "à ", …: what "in" is before the French name
  std::string_view name_fr;
};

// In the order of the codes. EU, AP and XK are among them, since databases use these.
std::span<const CountryName> country_names();
// Null: no such code. Two capital letters.
const CountryName* find_country_name(std::string_view code);

}  // namespace alcove::policy
